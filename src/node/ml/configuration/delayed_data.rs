//! `delayed_data_check_config` of a datafeed.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::node::http::ApiError;
use crate::node::ml::duration::exact;

const HOUR_MS: i64 = 3_600_000;
const WINDOW_MAX_MS: i64 = 24 * HOUR_MS;
const WINDOW_LEAST_MS: i64 = 2 * HOUR_MS;
/// Buckets that a window may cover.
pub(crate) const SPANNABLE_BUCKETS_MAX: usize = 10_000;

/// Whether, and how far back, a datafeed looks for documents that came too late.
///
/// Source: elasticsearch, `DelayedDataCheckConfig.java`, `DelayedDataDetectorFactory.java`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DelayedDataCheck {
    enabled: bool,
    window_ms: Option<i64>,
}

impl DelayedDataCheck {
    /// Reads it from a datafeed; it is on where nothing is said.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub(super) fn read(datafeed: &Fields<'_>) -> Result<Self, ApiError> {
        let Some(config) = datafeed.object("delayed_data_check_config")? else {
            return Ok(Self { enabled: true, window_ms: None });
        };
        let fields = Fields::new("delayed_data_check_config", config).only(&["enabled", "check_window"], &[])?;
        let enabled = fields.flag("enabled")?.ok_or_else(|| {
            ApiError::illegal_argument("Required [enabled] in delayed_data_check_config of the datafeed")
        })?;
        let window_ms = fields.duration_ms("check_window")?;
        if let Some(window_ms) = window_ms.filter(|_| enabled) {
            if window_ms <= 0 {
                return Err(ApiError::illegal_argument(format!(
                    "check_window cannot be less or equal than 0. Value = {}",
                    exact(window_ms)
                )));
            }
            if window_ms > WINDOW_MAX_MS {
                return Err(ApiError::illegal_argument(format!(
                    "check_window [{}] must be less than or equal to [24h]",
                    exact(window_ms)
                )));
            }
        }
        Ok(Self { enabled, window_ms })
    }

    /// The window for a job with such buckets, milliseconds; `None` when the check is off.
    ///
    /// # Errors
    /// 400: the window does not fit the buckets.
    pub(crate) fn window_ms(self, bucket_span_ms: i64) -> Result<Option<i64>, ApiError> {
        if !self.enabled {
            return Ok(None);
        }
        let Some(window_ms) = self.window_ms else {
            return Ok(Some(WINDOW_LEAST_MS.max(bucket_span_ms.saturating_mul(8))));
        };
        let wrong = |must: &str| {
            let (window, span) = (exact(window_ms), exact(bucket_span_ms));
            ApiError::illegal_argument(format!(
                "delayed_data_check_config: check_window [{window}] must be {must} the bucket_span [{span}]"
            ))
        };
        if window_ms < bucket_span_ms {
            return Err(wrong("greater than"));
        }
        if window_ms / bucket_span_ms.max(1) > SPANNABLE_BUCKETS_MAX as i64 {
            return Err(wrong("less than 10,000x"));
        }
        Ok(Some(window_ms))
    }

    pub(super) fn shown(self) -> Value {
        let mut shown = Map::new();
        shown.insert("enabled".to_owned(), json!(self.enabled));
        if let Some(window_ms) = self.window_ms {
            shown.insert("check_window".to_owned(), json!(exact(window_ms)));
        }
        Value::Object(shown)
    }
}
