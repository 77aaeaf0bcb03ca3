//! The orderly end of a job: final results, snapshot, and the task's removal, all in one batch.

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::work::Work;
use super::{retention, snapshot};
use crate::node::http::ApiError;
use crate::node::ml::detector::Engine;
use crate::node::ml::local::Signal;
use crate::node::ml::state_key;
use crate::node::store::Batch;

/// How long a close that could not be written waits before it tries again.
const RETRY: Duration = Duration::from_secs(1);

/// Closes the job; tries again until it is on disk or the task is taken away.
pub(super) async fn close(mut work: Work, mut told: watch::Receiver<Signal>) {
    finish(&mut work);
    loop {
        let Err(problem) = attempt(&mut work).await else { return };
        tracing::warn!(job = %work.job.id, reason = problem.reason(), "the job could not be closed yet");
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            changed = told.changed() => if changed.is_err() || *told.borrow() == Signal::Vacate { return },
        }
        let Ok(mut again) = Work::load(work.task.clone()).await else { continue };
        finish(&mut again);
        work = again;
    }
}

/// Calculates the final results and prunes the models.
fn finish(work: &mut Work) {
    while let Some(bucket) = work.timed(Engine::finish_complete) {
        work.note(&bucket);
    }
    work.learned |= work.engine.prune();
}

async fn attempt(work: &mut Work) -> Result<(), ApiError> {
    let cluster = &work.task.parts.clone().cluster;
    let core = cluster.core();
    let now_ms = core.clock.now_ms();
    let mut staged = Batch::new();
    let changed = work.progress.changed_ms.take().is_some();
    let snapshot_id = changed.then(|| snapshot::next_id(&mut work.progress, &work.job, now_ms));
    work.stage(&mut staged, &[])?;
    if let Some(id) = &snapshot_id {
        snapshot::save(work, id, now_ms, &mut staged)?;
    }
    let newest_ms = snapshot_id.is_some().then_some(now_ms);
    let expired = retention::expired(core, &work.job, newest_ms).await?;
    staged.delete_state(state_key::unfinished(&work.job.id));
    staged.delete_state(state_key::learned(&work.job.id));
    let (key, allocation) = (work.task.key(), work.task.allocation);
    cluster
        .update(|metadata, batch| {
            if metadata.held(&key, allocation).is_none() {
                return Ok(());
            }
            metadata.tasks.remove(&key);
            let mut members = vec![("finished_time", json!(now_ms))];
            if let Some(id) = snapshot_id {
                members.push(("model_snapshot_id", json!(id)));
            }
            let job = metadata.job(&work.task.job_id)?.with(&members)?;
            *batch = staged;
            retention::remove(core, &job, &expired, batch)?;
            metadata.jobs.insert(job.id.clone(), std::sync::Arc::new(job));
            Ok(())
        })
        .await
}
