//! `_delete_expired_data`.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::call::Call;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;
use crate::node::ml::identifier::NoMatch;
use crate::node::ml::maintenance::{Pace, expire};

const TIMEOUT_DEFAULT_MS: i64 = 8 * 3_600_000;
/// A month: no deadline is further away, so that it can be computed.
const TIMEOUT_MAX_MS: i64 = 30 * 86_400_000;

/// The answer says whether everything was done in time.
pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["requests_per_second", "timeout"])?;
    let fields = Fields::new("delete_expired_data_request", &options)
        .only(&["requests_per_second", "timeout", "job_id"], &[])?;
    let rate = fields.number("requests_per_second")?;
    if rate.is_some_and(|rate| rate != -1.0 && rate <= 0.0) {
        return Err(ApiError::validation(&["[requests_per_second] must either be -1 or greater than 0".to_owned()]));
    }
    let timeout_ms = fields.duration_ms("timeout")?.unwrap_or(TIMEOUT_DEFAULT_MS).clamp(0, TIMEOUT_MAX_MS);
    call.permit()?;
    let id = match call.request.parameters.get("job_id") {
        Some(id) => id.clone(),
        None => fields.text("job_id")?.unwrap_or("_all").to_owned(),
    };
    let deadline = Instant::now().checked_add(Duration::from_millis(timeout_ms.unsigned_abs()));
    let pace = Pace { deadline, rate: rate.filter(|rate| *rate > 0.0) };
    let metadata = call.metadata();
    let ids = metadata.expand_jobs(&id, NoMatch::Allowed)?;
    for job in ids.iter().filter_map(|id| metadata.jobs.get(id)) {
        if !expire(call.parts(), job, pace).await? {
            return Ok(Reply::json(json!({"deleted": false})));
        }
    }
    Ok(Reply::json(json!({"deleted": true})))
}
