//! Upgrade mode: the switch, and the actions it refuses.
//!
//! Source: elasticsearch, `AbstractTransportSetUpgradeModeAction.java`, `TransportSetUpgradeModeAction.java`,
//! `MlUpgradeModeActionFilter.java`.

use std::sync::Arc;

use super::Parts;
use super::cluster::within;
use super::metadata::Metadata;
use super::persistent::{Assignment, TaskKey};
use super::problem::Problem;
use crate::node::http::ApiError;

/// The actions that are refused while the mode is on.
#[rustfmt::skip] // a table: one action a line
const REFUSED: &[&str] = &[
    "cluster:admin/xpack/ml/job/put",
    "cluster:admin/xpack/ml/job/update",
    "cluster:admin/xpack/ml/job/delete",
    "cluster:admin/xpack/ml/job/open",
    "cluster:admin/xpack/ml/job/flush",
    "cluster:admin/xpack/ml/job/close",
    "cluster:admin/xpack/ml/job/persist",
    "cluster:admin/xpack/ml/job/data/post",
    "cluster:admin/xpack/ml/job/model_snapshots/revert",
    "cluster:admin/xpack/ml/job/model_snapshots/update",
    "cluster:admin/xpack/ml/job/model_snapshots/delete",
    "cluster:admin/xpack/ml/job/model_snapshots/upgrade",
    "cluster:admin/xpack/ml/job/forecast",
    "cluster:admin/xpack/ml/job/forecast/delete",
    "cluster:admin/xpack/ml/datafeeds/put",
    "cluster:admin/xpack/ml/datafeeds/update",
    "cluster:admin/xpack/ml/datafeeds/delete",
    "cluster:admin/xpack/ml/datafeed/start",
    "cluster:admin/xpack/ml/datafeed/stop",
    "cluster:admin/xpack/ml/filters/put",
    "cluster:admin/xpack/ml/filters/update",
    "cluster:admin/xpack/ml/filters/delete",
    "cluster:admin/xpack/ml/calendars/put",
    "cluster:admin/xpack/ml/calendars/delete",
    "cluster:admin/xpack/ml/calendars/jobs/update",
    "cluster:admin/xpack/ml/calendars/events/post",
    "cluster:admin/xpack/ml/calendars/events/delete",
    "cluster:admin/xpack/ml/delete_expired_data",
];

/// Refuses an action while the mode is on; to be asked after authorization.
///
/// # Errors
/// 429.
pub(crate) fn filter(parts: &Parts, action: &'static str) -> Result<(), ApiError> {
    refuse(&parts.cluster.now(), action)
}

/// As [`filter`], for metadata that is about to be changed.
///
/// # Errors
/// 429.
pub(crate) fn refuse(metadata: &Metadata, action: &'static str) -> Result<(), ApiError> {
    if metadata.standing.upgrade_mode && REFUSED.contains(&action) {
        return Err(Problem::UpgradeMode(action).into());
    }
    Ok(())
}

/// Switches the mode; returns when it is in effect. What was done is not taken back when the time is up.
///
/// # Errors
/// 429 while another switch runs, 500 when tasks are not where they should be in time.
pub(crate) async fn switch(parts: &Arc<Parts>, enabled: bool, timeout_ms: i64) -> Result<(), ApiError> {
    let from = parts.cluster.now().standing.upgrade_mode;
    let Ok(_turn) = parts.switching.try_lock() else {
        return Err(Problem::UpgradeModeBusy { to: enabled, from }.into());
    };
    let before = parts.cluster.now();
    if before.standing.upgrade_mode == enabled {
        return Ok(());
    }
    let had_tasks = !before.tasks.is_empty() || !before.blocked.is_empty();
    // The flag and the assignments change together: a writer that still runs has lost its right to write by then, so
    // that isolating the datafeeds and unassigning the tasks one by one is one step here.
    let version = parts
        .cluster
        .update(|metadata, _| {
            metadata.standing.upgrade_mode = enabled;
            metadata.reassign();
            Ok(metadata.version + 1)
        })
        .await?;
    if !had_tasks {
        return Ok(());
    }
    if enabled { writers_ended(parts, version, timeout_ms).await } else { tasks_assigned(parts, timeout_ms).await }
}

/// Waits until this node has acted on the change and runs no ML task any more.
async fn writers_ended(parts: &Parts, version: u64, timeout_ms: i64) -> Result<(), ApiError> {
    let mut running = parts.local.subscribe();
    let ended = running.wait_for(|running| running.seen_version >= version && running.tasks.is_empty());
    if within(timeout_ms, ended).await.is_some_and(|seen| seen.is_ok()) {
        return Ok(());
    }
    let tasks: Vec<String> = parts.local.now().tasks.keys().map(TaskKey::to_string).collect();
    let node = parts.cluster.core().identity.node_id.clone();
    Err(Problem::StillRunning { node, tasks: tasks.join(", ") }.into())
}

async fn tasks_assigned(parts: &Parts, timeout_ms: i64) -> Result<(), ApiError> {
    let assigned = parts.cluster.wait(timeout_ms, |metadata| {
        metadata.tasks.values().all(|task| task.assignment != Assignment::AwaitingUpgrade)
    });
    if assigned.await { Ok(()) } else { Err(Problem::TasksTimedOut(timeout_ms).into()) }
}
