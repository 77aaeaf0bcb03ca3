//! Opening and closing jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::feeding;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;
use crate::node::ml::metadata::Metadata;
use crate::node::ml::notification::{self, Level};
use crate::node::ml::persistent::{Assignment, PersistentTask, Phase, TaskKey, TimeRange};
use crate::node::ml::problem::Problem;

const TIMEOUT_DEFAULT_MS: i64 = 1_800_000;
/// Elasticsearch's default of `xpack.ml.max_open_jobs`.
const OPEN_JOBS_MAX: usize = 512;

/// How tasks are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Orderly,
    Forced,
}

impl Manner {
    /// What is told of a job that is closed so.
    const fn closing(self) -> &'static str {
        match self {
            Self::Orderly => "Job is closing",
            Self::Forced => "Job is closing (forced)",
        }
    }
}

impl From<bool> for Manner {
    fn from(force: bool) -> Self {
        if force { Self::Forced } else { Self::Orderly }
    }
}

pub(super) async fn open(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["timeout"])?;
    let fields = Fields::new("open_job_request", &options).only(&["timeout", "job_id"], &[])?;
    let timeout_ms = fields.duration_ms("timeout")?.unwrap_or(TIMEOUT_DEFAULT_MS);
    call.permit()?;
    let id = call.expression("job_id");
    let now_ms = call.node.core.clock.now_ms();
    call.change(|metadata, _| {
        metadata.job(&id)?;
        if let Some(blocked) = metadata.blocked.get(&id) {
            return Err(Problem::Blocked { job: id.clone(), action: blocked.operation.name() }.into());
        }
        if metadata.job_task(&id).is_some() {
            return Err(Problem::AlreadyOpened(id.clone()).into());
        }
        if metadata.tasks.keys().filter(|key| matches!(key, TaskKey::Job(_))).count() >= OPEN_JOBS_MAX {
            return Err(Problem::NoCapacity { open: OPEN_JOBS_MAX }.into());
        }
        let unfinished = metadata.job(&id)?.with(&[("finished_time", Value::Null)])?;
        metadata.jobs.insert(id.clone(), Arc::new(unfinished));
        metadata.add_task(TaskKey::Job(id.clone()), TimeRange::default(), now_ms);
        Ok(())
    })
    .await?;
    let settled = |metadata: &Metadata| {
        metadata.job_task(&id).is_none_or(|task| task.phase != Phase::Starting || task.assignment != Assignment::Node)
    };
    if !call.parts().cluster.wait(timeout_ms, settled).await {
        return Err(Problem::OpeningTimedOut { job: id, timeout_ms }.into());
    }
    let metadata = call.metadata();
    match metadata.job_task(&id) {
        Some(task) if task.assignment == Assignment::AwaitingUpgrade => Err(Problem::OpenInUpgradeMode.into()),
        Some(task) if matches!(task.phase, Phase::Failed { .. }) => Err(Problem::OpenFailed.into()),
        _ => Ok(Reply::json(json!({"opened": true, "node": call.node.core.identity.node_id}))),
    }
}

pub(super) async fn close(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["force", "timeout", "allow_no_match", "allow_no_jobs"])?;
    let fields = Fields::new("close_job_request", &options)
        .only(&["force", "timeout", "allow_no_match", "allow_no_jobs", "job_id"], &[])?;
    let manner = Manner::from(fields.flag("force")?.unwrap_or(false));
    let timeout_ms = fields.duration_ms("timeout")?.unwrap_or(TIMEOUT_DEFAULT_MS);
    let no_match = fields.flag("allow_no_match")?.or(fields.flag("allow_no_jobs")?).unwrap_or(true).into();
    call.permit()?;
    let ids = call.metadata().expand_jobs(&call.expression("job_id"), no_match)?;
    close_jobs(&call, &ids, manner, timeout_ms).await?;
    Ok(Reply::json(json!({"closed": true})))
}

/// Closes jobs; their datafeeds are stopped first.
///
/// # Errors
/// 409 before anything is closed, 500 when the time is up.
pub(super) async fn close_jobs(call: &Call, ids: &[String], manner: Manner, timeout_ms: i64) -> Result<(), ApiError> {
    let metadata = call.metadata();
    check_failed(&metadata, ids, manner)?;
    let datafeeds: Vec<String> = ids
        .iter()
        .filter_map(|id| metadata.datafeed_of(id))
        .filter(|datafeed| metadata.datafeed_task(&datafeed.id).is_some())
        .map(|datafeed| datafeed.id.clone())
        .collect();
    feeding::stop_datafeeds(call, &datafeeds, manner, timeout_ms).await.map_err(|problem| {
        let cause = problem.reason().to_owned();
        Problem::DatafeedsNotStopped { datafeeds: datafeeds.join(","), cause }
    })?;
    let keys: Vec<TaskKey> = ids.iter().cloned().map(TaskKey::Job).collect();
    end_tasks(call, &keys, manner, timeout_ms).await
}

fn check_failed(metadata: &Metadata, ids: &[String], manner: Manner) -> Result<(), ApiError> {
    let failed: Vec<&String> = ids.iter().filter(|id| metadata.job_state(id) == "failed").collect();
    match failed.as_slice() {
        _ if manner == Manner::Forced => Ok(()),
        [] => Ok(()),
        [one] => Err(Problem::CloseFailed((*one).clone()).into()),
        _ => Err(Problem::CloseSeveralFailed.into()),
    }
}

/// Ends tasks: in order by the tasks themselves, else by removing them. Waits until they are gone.
///
/// # Errors
/// 500 when the time is up; the tasks go on ending.
pub(super) async fn end_tasks(call: &Call, keys: &[TaskKey], manner: Manner, timeout_ms: i64) -> Result<(), ApiError> {
    let awaited: BTreeMap<TaskKey, u64> = call
        .change(|metadata, batch| {
            let mut awaited = BTreeMap::new();
            for key in keys {
                let Some(task) = metadata.tasks.get_mut(key) else { continue };
                if let TaskKey::Job(id) = key
                    && task.phase != Phase::Ending
                {
                    notification::put(&call.node.core, id, Level::Info, manner.closing(), batch)?;
                }
                if manner == Manner::Forced || task.assignment != Assignment::Node {
                    metadata.tasks.remove(key);
                } else {
                    task.phase = Phase::Ending;
                    awaited.insert(key.clone(), task.allocation);
                }
            }
            Ok(awaited)
        })
        .await?;
    // A task that upgrade mode has reassigned is still to end; one that was started anew is another.
    let other = |task: &PersistentTask, allocation| task.allocation != allocation && task.phase != Phase::Ending;
    let gone = |metadata: &Metadata| {
        awaited.iter().all(|(key, allocation)| metadata.tasks.get(key).is_none_or(|task| other(task, *allocation)))
    };
    if call.parts().cluster.wait(timeout_ms, gone).await {
        Ok(())
    } else {
        Err(Problem::TasksTimedOut(timeout_ms).into())
    }
}
