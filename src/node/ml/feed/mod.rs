//! A datafeed that is started: one task that reads documents in time order and gives them to its job.
//!
//! Where it stands is part of the job's own state and is written in the same batch as what the job made of the documents, so
//! that none is given twice and none is left out, however the process ends.

mod average;
mod missing;
mod reader;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Parts;
use super::duration;
use super::local::Signal;
use super::notification::{self, Level};
use super::persistent::{Phase, TaskKey, TimeRange};
use super::state_key;
use crate::node::http::ApiError;
use crate::node::indices::dates;
use crate::node::store::{Batch, StoreError};
pub(crate) use average::HourlyAverage;
use reader::{Reader, Step};

/// How long a datafeed waits after a read or a job that failed.
const RETRY: Duration = Duration::from_secs(1);

/// Which datafeed, and by which assignment.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) parts: Arc<Parts>,
    pub(crate) datafeed_id: String,
    pub(crate) allocation: u64,
    pub(crate) range: TimeRange,
}

/// What becomes of the job when its datafeed ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobEnd {
    Close,
    Keep,
}

impl Task {
    fn key(&self) -> TaskKey {
        TaskKey::Datafeed(self.datafeed_id.clone())
    }

    async fn running(&self, reader: &Reader) -> Result<(), ApiError> {
        let update = self.parts.cluster.update(|metadata, batch| {
            if let Some(task) = metadata.held(&self.key(), self.allocation).filter(|task| task.phase == Phase::Starting)
            {
                task.phase = Phase::Running;
                let from = dates::format(self.range.start_ms.unwrap_or(0));
                let to = self.range.end_ms.map_or_else(|| "real-time".to_owned(), dates::format);
                let frequency = duration::written(reader.frequency_ms());
                let message = format!("Datafeed started (from: {from} to: {to}) with frequency [{frequency}]");
                notification::put(self.parts.cluster.core(), reader.job_id(), Level::Info, message, batch)?;
            }
            Ok(())
        });
        update.await
    }

    /// Writes a message about the job, if the task is still ours. That it cannot be written stops nobody: it is logged.
    pub(super) async fn tell(&self, job_id: &str, level: Level, message: impl Into<String>) {
        let core = self.parts.cluster.core();
        let mut batch = Batch::new();
        batch.expect_state(state_key::owner(&self.key()), Some(state_key::owner_value(self.allocation).into()));
        let written = match notification::put(core, job_id, level, message, &mut batch) {
            Ok(()) => match core.store.commit(batch).await {
                Ok(_) | Err(StoreError::Expectation { .. }) => Ok(()),
                Err(problem) => Err(problem.into()),
            },
            Err(problem) => Err(problem),
        };
        if let Err(problem) = written {
            tracing::warn!(job = %job_id, reason = problem.reason(), "a notification was not written");
        }
    }

    /// Removes the persistent task, if it is still ours.
    async fn remove(&self, job_end: JobEnd) -> Result<(), ApiError> {
        let update = self.parts.cluster.update(|metadata, batch| {
            if metadata.held(&self.key(), self.allocation).is_none() {
                return Ok(());
            }
            metadata.tasks.remove(&self.key());
            let Some(datafeed) = metadata.datafeeds.get(&self.datafeed_id) else { return Ok(()) };
            let job_id = datafeed.job_id.clone();
            notification::put(self.parts.cluster.core(), &job_id, Level::Info, "Datafeed stopped", batch)?;
            let job = metadata.tasks.get_mut(&TaskKey::Job(job_id));
            if let Some(job) = job.filter(|job| job_end == JobEnd::Close && job.phase == Phase::Running) {
                job.phase = Phase::Ending;
            }
            Ok(())
        });
        update.await
    }
}

/// Runs the datafeed until it is told to end or its range is done.
pub(crate) async fn run(task: Task, mut told: watch::Receiver<Signal>) {
    let Some(mut reader) = prepare(&task, &mut told).await else { return };
    let mut commits = task.parts.cluster.core().documents.subscribe();
    loop {
        let signal = *told.borrow_and_update();
        let ended = match signal {
            Signal::Vacate => return,
            Signal::Finish => Some(JobEnd::Keep),
            Signal::Run => None,
        };
        // Before the look at the clock, so that no commit after it is slept through.
        commits.borrow_and_update();
        let step = match ended {
            Some(job_end) => Step::Done(job_end),
            None => reader.step(&task).await,
        };
        let pause = match step {
            Step::Read => continue,
            Step::Done(job_end) => match task.remove(job_end).await {
                Ok(()) => return,
                Err(_) => RETRY,
            },
            Step::Wait(pause) => pause,
        };
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return },
            _ = commits.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Waits until the job is open; `None` if the datafeed is told to end before that.
async fn prepare(task: &Task, told: &mut watch::Receiver<Signal>) -> Option<Reader> {
    let mut changes = task.parts.cluster.subscribe();
    loop {
        let signal = *told.borrow_and_update();
        if signal == Signal::Vacate {
            return None;
        }
        if signal == Signal::Finish {
            // What is not on disk is tried again by the next start of the node, which finds the task stopping.
            let _ = task.remove(JobEnd::Keep).await;
            return None;
        }
        let metadata = Arc::clone(&changes.borrow_and_update());
        let job_id = metadata.datafeeds.get(&task.datafeed_id).map(|datafeed| datafeed.job_id.clone())?;
        match metadata.job_task(&job_id).map(|job| job.phase.clone()) {
            Some(Phase::Running) => {
                let prepared = match Reader::new(task, &metadata) {
                    Ok(reader) => task.running(&reader).await.map(|()| reader),
                    Err(problem) => Err(problem),
                };
                match prepared {
                    Ok(reader) => return Some(reader),
                    Err(problem) => {
                        tracing::warn!(datafeed = %task.datafeed_id, reason = problem.reason(), "the datafeed cannot start yet")
                    }
                }
                tokio::time::sleep(RETRY).await;
            }
            Some(Phase::Starting) => {
                tokio::select! {
                    changed = changes.changed() => changed.ok()?,
                    changed = told.changed() => changed.ok()?,
                }
            }
            Some(Phase::Ending | Phase::Failed { .. }) | None => {
                let _ = task.remove(JobEnd::Keep).await;
                return None;
            }
        }
    }
}
