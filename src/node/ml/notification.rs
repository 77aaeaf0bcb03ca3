//! Messages about jobs for those who run them: documents of `.ml-notifications-*`, as Elasticsearch's auditor writes them.

use serde_json::json;

use super::indices::NOTIFICATIONS_INDEX;
use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::store::{Batch, Source};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
}

/// Puts a message into a batch; the same message within one millisecond is one document.
///
/// # Errors
/// A value that JSON cannot hold.
pub(crate) fn put(
    core: &Core,
    job_id: &str,
    level: Level,
    message: impl Into<String>,
    batch: &mut Batch,
) -> Result<(), ApiError> {
    let (message, now_ms) = (message.into(), core.clock.now_ms());
    let id = format!("{job_id}_{now_ms}_{message}");
    let document = json!({
        "job_id": job_id,
        "message": message,
        "level": match level {
            Level::Info => "info",
            Level::Warning => "warning",
        },
        "timestamp": now_ms,
        "node_name": core.identity.node_name,
        "job_type": "anomaly_detector",
    });
    batch.index(NOTIFICATIONS_INDEX, id, Source::from_value(document)?);
    Ok(())
}
