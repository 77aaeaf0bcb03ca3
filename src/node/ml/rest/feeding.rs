//! Starting and stopping datafeeds.

use serde_json::json;

use super::call::Call;
use super::lifecycle::{Manner, close_jobs, end_tasks};
use super::sources;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;
use crate::node::ml::metadata::Metadata;
use crate::node::ml::persistent::{Assignment, Phase, TaskKey, TimeRange};
use crate::node::ml::problem::Problem;
use crate::node::security::Access;

const START_TIMEOUT_MS: i64 = 20_000;
/// Five minutes in the code, although the specification says 20 s.
const STOP_TIMEOUT_MS: i64 = 300_000;

pub(super) async fn start(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["start", "end", "timeout"])?;
    let fields =
        Fields::new("start_datafeed_request", &options).only(&["start", "end", "timeout", "datafeed_id"], &[])?;
    let range = TimeRange { start_ms: call.time_ms(&fields, "start")?, end_ms: call.time_ms(&fields, "end")? };
    let timeout_ms = fields.duration_ms("timeout")?.unwrap_or(START_TIMEOUT_MS);
    let start_ms = range.start_ms.unwrap_or(0);
    if let Some(end_ms) = range.end_ms.filter(|end_ms| *end_ms <= start_ms) {
        return Err(ApiError::validation(&[format!("start [{start_ms}] must be earlier than end [{end_ms}]")]));
    }
    call.permit()?;
    let id = call.expression("datafeed_id");
    let metadata = call.metadata();
    check_startable(&metadata, &id)?;
    let datafeed = metadata.datafeed(&id)?;
    sources::found(&call, datafeed, metadata.job(&datafeed.job_id)?, &Access::Everything)?;
    let now_ms = call.node.core.clock.now_ms();
    call.change(|metadata, _| {
        check_startable(metadata, &id)?;
        metadata.add_task(TaskKey::Datafeed(id.clone()), range, now_ms);
        Ok(())
    })
    .await?;
    // A short look-back may be over before anybody looks.
    let begun = |metadata: &Metadata| {
        metadata
            .datafeed_task(&id)
            .is_none_or(|task| task.phase != Phase::Starting || task.assignment != Assignment::Node)
    };
    if !call.parts().cluster.wait(timeout_ms, begun).await {
        return Err(Problem::StartingTimedOut { datafeed: id, timeout_ms }.into());
    }
    let awaiting = |metadata: &Metadata| {
        metadata.datafeed_task(&id).is_some_and(|task| task.assignment == Assignment::AwaitingUpgrade)
    };
    if awaiting(&call.metadata()) {
        return Err(Problem::StartInUpgradeMode(id).into());
    }
    Ok(Reply::json(json!({"started": true, "node": call.node.core.identity.node_id})))
}

fn check_startable(metadata: &Metadata, id: &str) -> Result<(), ApiError> {
    let datafeed = metadata.datafeed(id)?;
    metadata.job(&datafeed.job_id)?;
    let state = metadata.job_state(&datafeed.job_id);
    if !matches!(state, "opened" | "opening") {
        let (datafeed, job) = (id.to_owned(), datafeed.job_id.clone());
        return Err(Problem::StartWithoutJob { datafeed, job, state }.into());
    }
    if metadata.datafeed_task(id).is_some() {
        return Err(Problem::AlreadyStarted(id.to_owned()).into());
    }
    Ok(())
}

pub(super) async fn stop(call: Call) -> Result<Reply, ApiError> {
    const KNOWN: [&str; 6] = ["force", "timeout", "allow_no_match", "allow_no_datafeeds", "close_job", "datafeed_id"];
    let options = call.options(&KNOWN)?;
    let fields = Fields::new("stop_datafeed_request", &options).only(&KNOWN, &[])?;
    let manner = Manner::from(fields.flag("force")?.unwrap_or(false));
    let timeout_ms = fields.duration_ms("timeout")?.unwrap_or(STOP_TIMEOUT_MS);
    let no_match = fields.flag("allow_no_match")?.or(fields.flag("allow_no_datafeeds")?).unwrap_or(true).into();
    let closes_job = fields.flag("close_job")?.unwrap_or(false);
    call.permit()?;
    let metadata = call.metadata();
    let ids = metadata.expand_datafeeds(&call.expression("datafeed_id"), no_match)?;
    stop_datafeeds(&call, &ids, manner, timeout_ms).await?;
    if closes_job {
        let jobs: Vec<String> =
            ids.iter().filter_map(|id| metadata.datafeeds.get(id)).map(|datafeed| datafeed.job_id.clone()).collect();
        close_jobs(&call, &jobs, manner, timeout_ms).await?;
    }
    Ok(Reply::json(json!({"stopped": true})))
}

/// Stops datafeeds and waits until they have stopped.
///
/// # Errors
/// 500 when the time is up; they go on stopping.
pub(super) async fn stop_datafeeds(
    call: &Call,
    ids: &[String],
    manner: Manner,
    timeout_ms: i64,
) -> Result<(), ApiError> {
    let keys: Vec<TaskKey> = ids.iter().cloned().map(TaskKey::Datafeed).collect();
    end_tasks(call, &keys, manner, timeout_ms).await
}
