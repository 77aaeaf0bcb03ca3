//! What is written with every batch of a job: counters, sizes, and where its datafeed stands.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::counts::DataCounts;
use super::timing::Timing;
use crate::node::documents::Cursor;
use crate::node::ml::feed::HourlyAverage;

/// Small, and read by `_stats` too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    pub(crate) counts: DataCounts,
    /// `model_size_stats` as `_stats` shows it.
    pub(crate) model_size: Map<String, Value>,
    pub(crate) peak_model_bytes: u64,
    pub(crate) position: Option<Position>,
    /// Buckets that records of the datafeed have finished.
    pub(crate) fed_buckets: u64,
    /// Documents of interim results, which the next batch replaces.
    pub(crate) interim: Vec<String>,
    /// Of finishing buckets.
    pub(crate) timing: Timing,
    /// The number of the newest snapshot that was ever saved: ids are not given twice.
    pub(crate) last_snapshot: i64,
    /// Milliseconds since 1970; `None` before the first batch with data since the last snapshot.
    pub(crate) changed_ms: Option<i64>,
}

/// Everything before `from_ms`, and in the range that is being read everything up to `cursor`, has been given to the job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Position {
    pub(crate) from_ms: i64,
    pub(crate) cursor: Option<Cursor>,
    /// What is older was not to be read by this datafeed; all from here on was.
    pub(crate) since_ms: i64,
    pub(crate) searches: u64,
    pub(crate) search_time_ms: f64,
    pub(crate) search_time: HourlyAverage,
    /// The range that the last search was for: its start, and its end, which is not part of it.
    pub(crate) searched: Option<(i64, i64)>,
    /// Whether the look-back is done.
    pub(crate) real_time: bool,
}
