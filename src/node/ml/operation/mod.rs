//! What blocks a job: its deletion, its reset, and the removal of results after a revert.
//!
//! The mark in the metadata is on disk before the work begins and goes with its last batch, so that an operation which the end of
//! the process cuts off is taken up again. Each step may be done twice.

mod purge;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::Parts;
use super::local::Signal;
use super::metadata::{Blocked, Metadata};
use super::notification::{self, Level};
use super::persistent::{Operation, TaskKey};
use super::state_key;
use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::store::{Batch, Source};
pub(crate) use purge::{Purge, Purging};

/// Outcomes of tasks that nobody waits for.
pub(crate) const TASKS_INDEX: &str = ".tasks";
/// How long an operation waits after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// Does what the job is blocked by; tries again until it is on disk or the node stops.
pub(super) async fn run(parts: &Parts, job_id: &str, mut told: watch::Receiver<Signal>) {
    while let Err(problem) = attempt(parts, job_id, &told).await {
        tracing::warn!(job = %job_id, reason = problem.reason(), "the job's operation tries again");
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            changed = told.changed() => if changed.is_err() { return },
        }
        if *told.borrow() == Signal::Vacate {
            return;
        }
    }
}

async fn attempt(parts: &Parts, job_id: &str, told: &watch::Receiver<Signal>) -> Result<(), ApiError> {
    let metadata = parts.cluster.now();
    let Some(blocked) = metadata.blocked.get(job_id) else { return Ok(()) };
    let job = metadata.job(job_id)?;
    job_ended(parts, job_id).await;
    let what = match blocked.operation {
        Operation::Delete | Operation::Reset => Purge::Everything,
        Operation::Revert { from_ms } => Purge::ResultsFrom(from_ms),
    };
    let core = parts.cluster.core();
    let mut purging = Purging::new(job, what)?;
    while let Some((batch, _)) = purging.next(core).await? {
        if *told.borrow() == Signal::Vacate {
            return Ok(());
        }
        core.store.commit(batch).await?.all()?;
    }
    parts.cluster.update(|metadata, batch| finish(core, metadata, batch, job_id)).await
}

/// A job that was deleted by force may still be writing.
async fn job_ended(parts: &Parts, job_id: &str) {
    let key = TaskKey::Job(job_id.to_owned());
    let mut running = parts.local.subscribe();
    // The sender lives as long as `parts`.
    let _ = running.wait_for(|running| !running.tasks.contains_key(&key)).await;
}

fn finish(core: &Core, metadata: &mut Metadata, batch: &mut Batch, job_id: &str) -> Result<(), ApiError> {
    let Some(blocked) = metadata.blocked.remove(job_id) else { return Ok(()) };
    match blocked.operation {
        Operation::Delete => {
            forget(core, job_id, batch)?;
            notification::put(core, job_id, Level::Info, "Job deleted", batch)?;
            metadata.jobs.remove(job_id);
            // One that was made while the deletion ran; it cannot have been started.
            metadata.datafeeds.retain(|_, datafeed| datafeed.job_id != job_id);
            leave_calendars(job_id, metadata)?;
        }
        Operation::Reset => {
            forget(core, job_id, batch)?;
            notification::put(core, job_id, Level::Info, "Job has been reset", batch)?;
            let members = [("model_snapshot_id", Value::Null), ("finished_time", Value::Null)];
            let fresh = metadata.job(job_id)?.with(&members)?;
            metadata.jobs.insert(job_id.to_owned(), Arc::new(fresh));
        }
        Operation::Revert { .. } => {}
    }
    if blocked.kept {
        let outcome = Source::from_value(outcome(core, &blocked, job_id))?;
        batch.index(TASKS_INDEX, format!("{}:{}", core.identity.node_id, blocked.task), outcome);
    }
    Ok(())
}

fn leave_calendars(job_id: &str, metadata: &mut Metadata) -> Result<(), ApiError> {
    for calendar in metadata.calendars.values_mut().filter(|calendar| calendar.job_ids.iter().any(|id| id == job_id)) {
        let others = calendar.job_ids.iter().filter(|id| *id != job_id).cloned().collect();
        *calendar = Arc::new(calendar.for_jobs(others)?);
    }
    Ok(())
}

/// Removes the state that a job has beside its documents.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn forget(core: &Core, job_id: &str, batch: &mut Batch) -> Result<(), ApiError> {
    for key in [state_key::progress(job_id), state_key::unfinished(job_id), state_key::learned(job_id)] {
        batch.delete_state(key);
    }
    for (key, _) in core.store.state_prefix(&state_key::forecasts(job_id))? {
        batch.delete_state(key);
    }
    Ok(())
}

/// As `GET _tasks/{id}` answers when the task has ended.
fn outcome(core: &Core, blocked: &Blocked, job_id: &str) -> Value {
    let key = TaskKey::Operation(blocked.operation, job_id.to_owned());
    let running_ms = core.clock.now_ms().saturating_sub(blocked.since_ms).max(0);
    json!({
        "completed": true,
        "task": {
            "node": core.identity.node_id,
            "id": blocked.task,
            "type": key.kind(),
            "action": key.action(),
            "description": key.to_string(),
            "start_time_in_millis": blocked.since_ms,
            "running_time_in_nanos": running_ms.saturating_mul(1_000_000),
            "cancellable": key.cancellable(),
            "headers": {},
        },
        "response": {"acknowledged": true},
    })
}
