//! What is asked of a forecast.
//!
//! Source: elasticsearch, `ForecastJobAction.java`.

use serde_json::Value;

use super::analysis_limits::byte_size;
use super::fields::Fields;
use crate::node::http::ApiError;
use crate::node::ml::duration::{exact, parse_ms, written};

const DAY_MS: i64 = 86_400_000;
const DURATION_DEFAULT_MS: i64 = DAY_MS;
const DURATION_MAX_MS: i64 = 3650 * DAY_MS;
const EXPIRES_IN_DEFAULT_MS: i64 = 14 * DAY_MS;
const MEMORY_MIN: u64 = 1 << 20;
const MEMORY_MAX: u64 = 500 << 20;

/// How far a forecast reaches and how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// Above 0.
    pub(crate) duration_ms: i64,
    /// `None`: for ever.
    pub(crate) expires_in_ms: Option<i64>,
}

impl Forecast {
    /// Reads `duration`, `expires_in` and `max_model_memory`; the latter is only checked.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, ApiError> {
        let fields = fields.only(&["duration", "expires_in", "job_id", "max_model_memory"], &[])?;
        let duration = fields.text("duration")?.map(|text| time_value(text, "duration")).transpose()?;
        let duration_ms = duration.unwrap_or(DURATION_DEFAULT_MS);
        if duration_ms <= 0 {
            return Err(refused("duration", "must be positive", duration_ms));
        }
        if duration_ms > DURATION_MAX_MS {
            return Err(refused("duration", "must be 3650d or less", duration_ms));
        }
        let expires_in = fields.text("expires_in")?.map(|text| time_value(text, "expires_in")).transpose()?;
        let expires_in_ms = expires_in.unwrap_or(EXPIRES_IN_DEFAULT_MS);
        if expires_in_ms < 0 {
            return Err(refused("expires_in", "must be non-negative", expires_in_ms));
        }
        check_memory(&fields)?;
        Ok(Self { duration_ms, expires_in_ms: Some(expires_in_ms).filter(|expires_in_ms| *expires_in_ms > 0) })
    }

    /// Buckets of so many milliseconds that it has.
    ///
    /// # Errors
    /// 400 for a forecast that is shorter than a bucket.
    pub(crate) fn buckets(&self, span_ms: i64) -> Result<u64, ApiError> {
        if self.duration_ms < span_ms {
            let (duration, span) = (written(self.duration_ms), written(span_ms));
            return Err(ApiError::status_exception(
                400,
                format!("[duration] must be greater or equal to the bucket span: [{duration}/{span}]"),
            ));
        }
        let (duration_ms, span_ms) = (self.duration_ms.unsigned_abs(), span_ms.unsigned_abs().max(1));
        Ok(duration_ms.div_ceil(span_ms))
    }
}

/// `-1` is a time in Elasticsearch, though one that no forecast takes.
fn time_value(text: &str, name: &'static str) -> Result<i64, ApiError> {
    if text.trim() == "-1" { Ok(-1) } else { parse_ms(text, name) }
}

fn refused(name: &str, why: &str, given_ms: i64) -> ApiError {
    let given = if given_ms < 0 { given_ms.to_string() } else { exact(given_ms) };
    ApiError::illegal_argument(format!("[{name}] {why}: [{given}]"))
}

fn check_memory(fields: &Fields<'_>) -> Result<(), ApiError> {
    let bytes = match fields.value("max_model_memory") {
        None => return Ok(()),
        Some(Value::String(text)) => Some(byte_size(text, "max_model_memory")?),
        Some(other) => other.as_u64(),
    };
    match bytes {
        None => Err(ApiError::parse("failed to parse setting [max_model_memory] as a size in bytes")),
        Some(bytes) if bytes < MEMORY_MIN => {
            Err(ApiError::illegal_argument("[max_model_memory] must be at least 1mb."))
        }
        Some(bytes) if bytes >= MEMORY_MAX => {
            Err(ApiError::status_exception(400, "[max_model_memory] must be less than 500mb"))
        }
        Some(_) => Ok(()),
    }
}
