//! The tasks that run on this node at this moment.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, watch};

use super::job::Command;
use super::persistent::TaskKey;

/// What a running task is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Run,
    /// Stop or close in order, then remove the persistent task.
    Finish,
    /// End after what is being done; the persistent task is no longer ours.
    Vacate,
}

/// One running task.
#[derive(Clone, Debug)]
pub(crate) struct LocalTask {
    /// The number of the task in `_tasks`.
    pub(crate) id: u64,
    pub(crate) allocation: u64,
    pub(crate) started_ms: i64,
    pub(crate) signal: watch::Sender<Signal>,
    /// Where a job takes its work.
    pub(crate) commands: Option<mpsc::Sender<Command>>,
}

/// All running tasks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running {
    pub(crate) tasks: BTreeMap<TaskKey, LocalTask>,
    /// The version of the metadata that was acted upon last.
    pub(crate) seen_version: u64,
    last_id: u64,
    /// Numbers up to this are of tasks that another process began.
    pub(crate) inherited: u64,
}

/// The table of running tasks; changes wake those who wait for tasks to end.
#[derive(Clone, Debug)]
pub(crate) struct LocalTasks(watch::Sender<Running>);

impl LocalTasks {
    /// `last_id` is the highest number of the tasks that another process began.
    pub(crate) fn new(last_id: u64) -> Self {
        Self(watch::channel(Running { last_id, inherited: last_id, ..Running::default() }).0)
    }

    /// The number of a task that is to be entered later.
    pub(crate) fn reserve(&self) -> u64 {
        let mut reserved = 0;
        self.0.send_if_modified(|running| {
            running.last_id += 1;
            reserved = running.last_id;
            false
        });
        reserved
    }

    pub(crate) fn now(&self) -> Running {
        self.0.borrow().clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Running> {
        self.0.subscribe()
    }

    /// Where the job takes its work, if it runs here.
    pub(crate) fn commands(&self, job_id: &str) -> Option<mpsc::Sender<Command>> {
        let running = self.0.borrow();
        running.tasks.get(&TaskKey::Job(job_id.to_owned())).and_then(|task| task.commands.clone())
    }

    /// Registers a task under its number, or under the next one if that is 0. Its entry goes when the returned guard is dropped, also if the task panics.
    pub(crate) fn enter(&self, key: TaskKey, task: LocalTask) -> Entry {
        let allocation = task.allocation;
        self.0.send_modify(|running| {
            running.last_id += u64::from(task.id == 0);
            let id = if task.id == 0 { running.last_id } else { task.id };
            running.tasks.insert(key.clone(), LocalTask { id, ..task });
        });
        Entry { table: self.0.clone(), key, allocation }
    }

    pub(crate) fn saw(&self, version: u64) {
        self.0.send_modify(|running| running.seen_version = version);
    }
}

/// A task's place in the table.
#[derive(Debug)]
pub(crate) struct Entry {
    table: watch::Sender<Running>,
    key: TaskKey,
    allocation: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.send_modify(|running| {
            if running.tasks.get(&self.key).is_some_and(|task| task.allocation == self.allocation) {
                running.tasks.remove(&self.key);
            }
        });
    }
}
