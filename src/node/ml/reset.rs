//! The reset of the feature `machine_learning`: everything of it goes, in one commit.
//!
//! Source: elasticsearch, `MachineLearning.java`, `cleanUpFeature`.

use super::Parts;
use super::metadata::{Metadata, Standing};
use super::problem::Problem;
use super::{indices, operation};
use crate::node::http::ApiError;

/// Takes all tasks away, removes configurations, results, state and messages, and leaves upgrade mode off; returns when nothing of
/// what ran before runs any more. It asks nobody: not upgrade mode, and not jobs that are open or blocked.
///
/// # Errors
/// 429 while upgrade mode is switched or another reset runs, and what the store cannot do; then nothing has changed.
pub(crate) async fn reset(parts: &Parts) -> Result<(), ApiError> {
    let from = parts.cluster.now().standing.upgrade_mode;
    // A switch that waits for tasks must not take their end for its own doing.
    let Ok(_turn) = parts.switching.try_lock() else {
        return Err(Problem::UpgradeModeBusy { to: false, from }.into());
    };
    let core = parts.cluster.core();
    let (version, last_allocation) = parts
        .cluster
        .update(|metadata, batch| {
            indices::renew(core, batch);
            for job_id in metadata.jobs.keys() {
                operation::forget(core, job_id, batch)?;
            }
            let standing = Standing { upgrade_mode: false, ..metadata.standing };
            let version = metadata.version;
            *metadata = Metadata { version, standing, ..Metadata::default() };
            Ok((version + 1, standing.last_allocation))
        })
        .await?;
    let mut running = parts.local.subscribe();
    let ended = running.wait_for(|running| {
        running.seen_version >= version && running.tasks.values().all(|task| task.allocation > last_allocation)
    });
    // The sender lives as long as `parts`.
    let _ = ended.await;
    Ok(())
}
