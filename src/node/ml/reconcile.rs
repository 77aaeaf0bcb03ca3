//! Starts and ends the node's tasks so that what runs is what the metadata says.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::Parts;
use super::local::{LocalTask, Signal};
use super::metadata::{Blocked, Metadata};
use super::persistent::{Assignment, PersistentTask, Phase, TaskKey};
use super::{feed, job, operation};

/// Commands that may wait at a job.
const COMMANDS_MAX: usize = 16;

/// Runs until `stop` is set; then it ends all tasks and returns when they have ended.
pub(crate) async fn run(parts: Arc<Parts>, mut stop: watch::Receiver<bool>) {
    let mut changes = parts.cluster.subscribe();
    let mut local = parts.local.subscribe();
    loop {
        let stopping = *stop.borrow_and_update();
        let metadata = Arc::clone(&changes.borrow_and_update());
        if stopping && local.borrow_and_update().tasks.is_empty() {
            return;
        }
        reconcile(&parts, &metadata, stopping);
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            changed = local.changed() => if changed.is_err() { return },
            _ = stop.changed() => {}
        }
    }
}

/// Starts what the metadata says at this moment.
pub(crate) fn take_up(parts: &Arc<Parts>) {
    reconcile(parts, &parts.cluster.now(), false);
}

fn reconcile(parts: &Arc<Parts>, metadata: &Metadata, stopping: bool) {
    let running = parts.local.now();
    for (key, task) in &running.tasks {
        let signal = signal(metadata, key, task).filter(|_| !stopping).unwrap_or(Signal::Vacate);
        task.signal.send_if_modified(|told| std::mem::replace(told, signal) != signal);
    }
    for (key, task) in metadata.tasks.iter().filter(|(key, _)| !running.tasks.contains_key(*key)) {
        let failed = matches!(task.phase, Phase::Failed { .. });
        if task.assignment == Assignment::Node && !failed && !stopping {
            spawn(parts, key, task);
        }
    }
    for (job_id, blocked) in metadata.blocked.iter().filter(|_| !stopping) {
        let key = TaskKey::Operation(blocked.operation, job_id.clone());
        // Upgrade mode waits for what was begun before it, and lets nothing be taken up again.
        let held = metadata.standing.upgrade_mode && blocked.task <= running.inherited;
        if !held && !running.tasks.contains_key(&key) {
            spawn_operation(parts, key, job_id, blocked);
        }
    }
    if running.seen_version != metadata.version {
        parts.local.saw(metadata.version);
    }
}

/// What a running task is to be told; `None` if it is not wanted any more.
fn signal(metadata: &Metadata, key: &TaskKey, task: &LocalTask) -> Option<Signal> {
    if let TaskKey::Operation(operation, job_id) = key {
        let blocked = metadata.blocked.get(job_id).is_some_and(|blocked| blocked.operation == *operation);
        return blocked.then_some(Signal::Run);
    }
    let wanted = metadata.tasks.get(key).filter(|wanted| wanted.allocation == task.allocation)?;
    Some(if wanted.phase == Phase::Ending { Signal::Finish } else { Signal::Run })
}

fn spawn_operation(parts: &Arc<Parts>, key: TaskKey, job_id: &str, blocked: &Blocked) {
    let (signal, told) = watch::channel(Signal::Run);
    let started_ms = blocked.since_ms;
    let entry =
        parts.local.enter(key, LocalTask { id: blocked.task, allocation: 0, started_ms, signal, commands: None });
    let (parts, job_id) = (Arc::clone(parts), job_id.to_owned());
    tokio::spawn(async move {
        operation::run(&parts, &job_id, told).await;
        drop(entry);
    });
}

fn spawn(parts: &Arc<Parts>, key: &TaskKey, task: &PersistentTask) {
    let first = if task.phase == Phase::Ending { Signal::Finish } else { Signal::Run };
    let (signal, told) = watch::channel(first);
    let started_ms = parts.cluster.core().clock.now_ms();
    let mut local = LocalTask { id: 0, allocation: task.allocation, started_ms, signal, commands: None };
    let (parts, allocation, range) = (Arc::clone(parts), task.allocation, task.range);
    match key {
        TaskKey::Job(id) => {
            let (sender, commands) = mpsc::channel(COMMANDS_MAX);
            local.commands = Some(sender);
            let entry = parts.local.enter(key.clone(), local);
            let task = job::Task { parts, job_id: id.clone(), allocation };
            tokio::spawn(async move {
                job::run(task, commands, told).await;
                drop(entry);
            });
        }
        TaskKey::Operation(..) => {}
        TaskKey::Datafeed(id) => {
            let entry = parts.local.enter(key.clone(), local);
            let task = feed::Task { parts, datafeed_id: id.clone(), allocation, range };
            tokio::spawn(async move {
                feed::run(task, told).await;
                drop(entry);
            });
        }
    }
}
