//! What a running job is asked to do.

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::counts::DataCounts;
use super::progress::Position;
use crate::node::documents::TimedDocument;
use crate::node::http::ApiError;
use crate::node::ml::configuration::Forecast;

/// Where the answer goes; it comes when what was done is on disk.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ApiError>>;

#[derive(Debug)]
pub(crate) enum Command {
    /// Records from `_data`; the answer counts these records alone.
    Post { records: Vec<Map<String, Value>>, input_bytes: u64, reply: Reply<DataCounts> },
    /// A page of the job's datafeed.
    Feed { page: FeedPage, reply: Reply<()> },
    /// The answer is the end of the newest finished bucket.
    Flush { flush: Flush, reply: Reply<Option<i64>> },
    /// The answer comes when all of the forecast is on disk.
    Forecast { id: String, wanted: Forecast, reply: Reply<()> },
}

/// Documents in time order, and where the datafeed stands after them.
#[derive(Debug)]
pub(crate) struct FeedPage {
    pub(crate) documents: Vec<TimedDocument>,
    pub(crate) position: Position,
    /// In real time: no record before this is expected any more.
    pub(crate) advance_ms: Option<i64>,
    /// Whether the buckets that are open after it are shown as they stand.
    pub(crate) calc_interim: bool,
}

/// What `_flush` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flush {
    pub(crate) calc_interim: bool,
    pub(crate) advance_ms: Option<i64>,
    pub(crate) skip_ms: Option<i64>,
}
