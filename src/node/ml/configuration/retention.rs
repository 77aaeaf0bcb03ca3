//! How long a job keeps what it has written.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::node::http::ApiError;

const SNAPSHOTS_DEFAULT_DAYS: i64 = 10;
const DAILY_DEFAULT_DAYS: i64 = 1;

/// Days, each before the newest snapshot or bucket of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) snapshots_days: i64,
    /// From this age on one snapshot a day is kept.
    pub(crate) daily_snapshots_after_days: i64,
    /// `None`: for ever.
    pub(crate) results_days: Option<i64>,
}

impl Retention {
    /// # Errors
    /// 400 with Elasticsearch's text.
    ///
    /// Source: elasticsearch, `Job.java`, `validateModelSnapshotRetentionSettingsAndSetDefaults`.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, ApiError> {
        let snapshots_days = days(fields, "model_snapshot_retention_days")?.unwrap_or(SNAPSHOTS_DEFAULT_DAYS);
        let daily = days(fields, "daily_model_snapshot_retention_after_days")?;
        let daily_snapshots_after_days = daily.unwrap_or(DAILY_DEFAULT_DAYS.min(snapshots_days));
        if daily_snapshots_after_days > snapshots_days {
            return Err(ApiError::illegal_argument(format!(
                "The value of 'daily_model_snapshot_retention_after_days' [{daily_snapshots_after_days}] cannot be greater than \
                 'model_snapshot_retention_days' [{snapshots_days}]"
            )));
        }
        Ok(Self { snapshots_days, daily_snapshots_after_days, results_days: days(fields, "results_retention_days")? })
    }

    /// Puts the defaults in where nothing was said.
    pub(super) fn show(&self, source: &mut Map<String, Value>) {
        source.insert("model_snapshot_retention_days".to_owned(), json!(self.snapshots_days));
        source.insert("daily_model_snapshot_retention_after_days".to_owned(), json!(self.daily_snapshots_after_days));
        if let Some(days) = self.results_days {
            source.insert("results_retention_days".to_owned(), json!(days));
        }
    }
}

fn days(fields: &Fields<'_>, name: &str) -> Result<Option<i64>, ApiError> {
    match fields.integer(name)? {
        Some(days) if days < 0 => {
            Err(ApiError::illegal_argument(format!("{name} cannot be less than 0. Value = {days}")))
        }
        days => Ok(days),
    }
}
