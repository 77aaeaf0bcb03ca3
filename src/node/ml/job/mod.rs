//! A job that is open: one task that owns its model, takes records, writes results.

mod close;
mod command;
mod counts;
mod documents;
mod forecast;
mod progress;
pub(crate) mod retention;
pub(crate) mod revert;
pub(crate) mod snapshot;
mod staging;
mod surroundings;
mod timing;
mod work;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

pub(crate) use command::{Command, FeedPage, Flush};
pub(crate) use documents::model_size;
pub(crate) use progress::{Position, Progress};

use super::Parts;
use super::local::Signal;
use super::persistent::{Phase, TaskKey};
use crate::node::http::ApiError;
use work::{Stumble, Work};

/// Which job, and by which assignment.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) parts: Arc<Parts>,
    pub(crate) job_id: String,
    pub(crate) allocation: u64,
}

impl Task {
    pub(crate) fn key(&self) -> TaskKey {
        TaskKey::Job(self.job_id.clone())
    }

    /// Enters a phase, if the task is still ours.
    async fn enter(&self, phase: Phase) -> Result<(), ApiError> {
        let update = self.parts.cluster.update(|metadata, _| {
            if let Some(task) = metadata.held(&self.key(), self.allocation).filter(|task| task.phase != Phase::Ending) {
                task.phase = phase;
            }
            Ok(())
        });
        update.await
    }
}

/// Runs the job until it is told to end.
pub(crate) async fn run(task: Task, mut commands: mpsc::Receiver<Command>, mut told: watch::Receiver<Signal>) {
    let mut work = match Work::load(task.clone()).await {
        Ok(work) => work,
        Err(problem) => {
            tracing::error!(job = %task.job_id, reason = problem.reason(), "the job cannot be opened");
            // A failure to note the failure leaves the job opening; the next start of the node tries again.
            let _ = task.enter(Phase::Failed { reason: problem.reason().to_owned() }).await;
            hold(told).await;
            return;
        }
    };
    if let Err(problem) = task.enter(Phase::Running).await {
        tracing::warn!(job = %task.job_id, reason = problem.reason(), "the job's state is not on disk");
    }
    loop {
        let signal = *told.borrow_and_update();
        match signal {
            Signal::Vacate => return,
            Signal::Finish => break,
            Signal::Run => {}
        }
        tokio::select! {
            biased;
            changed = told.changed() => if changed.is_err() { return },
            command = commands.recv() => match command {
                None => return,
                Some(command) => if work.obey(command).await == Err(Stumble::Lost) { return },
            },
        }
    }
    commands.close();
    while let Some(command) = commands.recv().await {
        if work.obey(command).await == Err(Stumble::Lost) {
            return;
        }
    }
    work.look_around();
    close::close(work, told).await;
}

/// A failed job's task stays until the task is removed or unassigned.
async fn hold(mut told: watch::Receiver<Signal>) {
    while *told.borrow_and_update() == Signal::Run {
        if told.changed().await.is_err() {
            return;
        }
    }
}
