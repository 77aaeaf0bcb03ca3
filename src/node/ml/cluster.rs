//! Changes the metadata one change at a time: on disk first, then visible to everybody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, watch};

use super::configuration::{Datafeed, Job};
use super::indices::CONFIG_INDEX;
use super::metadata::{Blocked, Metadata};
use super::persistent::{Assignment, PersistentTask, TaskKey};
use super::problem::Problem;
use super::state_key;
use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::store::{Batch, Source};

/// The metadata and the right to change it.
#[derive(Debug)]
pub(crate) struct Cluster {
    core: Core,
    current: watch::Sender<Arc<Metadata>>,
    turn: Mutex<()>,
}

impl Cluster {
    /// Reads the metadata; the tasks get new allocations, as nothing runs yet.
    ///
    /// # Errors
    /// The store cannot be read or written, or holds what this program did not write.
    pub(crate) async fn load(core: Core) -> Result<Self, ApiError> {
        let mut metadata =
            Metadata { standing: read(&core, state_key::STANDING)?.unwrap_or_default(), ..Metadata::default() };
        for (key, value) in core.store.state_prefix(state_key::JOBS)? {
            let job = Job::read(object(&key, &value)?).map_err(|problem| unreadable(&key, problem.reason()))?;
            metadata.jobs.insert(job.id.clone(), Arc::new(job));
        }
        for (key, value) in core.store.state_prefix(state_key::DATAFEEDS)? {
            let datafeed =
                Datafeed::read(object(&key, &value)?).map_err(|problem| unreadable(&key, problem.reason()))?;
            metadata.datafeeds.insert(datafeed.id.clone(), Arc::new(datafeed));
        }
        for (key, value) in core.store.state_prefix(state_key::TASKS)? {
            let (task_key, task): (TaskKey, PersistentTask) = parse(&key, &value)?;
            metadata.tasks.insert(task_key, task);
        }
        for (key, value) in core.store.state_prefix(state_key::BLOCKED)? {
            let (job_id, blocked): (String, Blocked) = parse(&key, &value)?;
            metadata.blocked.insert(job_id, blocked);
        }
        let cluster = Self { core, current: watch::channel(Arc::new(metadata)).0, turn: Mutex::new(()) };
        cluster
            .update(|metadata, _| {
                metadata.reallocate();
                Ok(())
            })
            .await?;
        Ok(cluster)
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// The metadata as it is on disk.
    pub(crate) fn now(&self) -> Arc<Metadata> {
        Arc::clone(&self.current.borrow())
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Metadata>> {
        self.current.subscribe()
    }

    /// Makes a change. What it puts into the batch is written with it; the metadata's own keys follow from the difference.
    ///
    /// To be awaited to its end: a change that is on disk must become visible.
    ///
    /// # Errors
    /// What the change itself refuses; then, and when the store fails, nothing has changed.
    pub(crate) async fn update<T>(
        &self,
        change: impl FnOnce(&mut Metadata, &mut Batch) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let _turn = self.turn.lock().await;
        let before = self.now();
        let mut after = Metadata::clone(&before);
        let mut batch = Batch::new();
        let answer = change(&mut after, &mut batch)?;
        after.version += 1;
        write_difference(&before, &after, &mut batch)?;
        if !batch.is_empty() {
            // The state keys are the truth: a document that was refused must not keep them from becoming visible.
            if let Err(problem) = self.core.store.commit(batch).await?.all() {
                tracing::error!(%problem, "a document of an ML index was refused");
            }
        }
        self.current.send_replace(Arc::new(after));
        Ok(answer)
    }

    /// Waits until the metadata is as wanted; `false` when `timeout_ms` has passed before that.
    pub(crate) async fn wait(&self, timeout_ms: i64, mut wanted: impl FnMut(&Metadata) -> bool) -> bool {
        let mut changes = self.subscribe();
        let reached = changes.wait_for(|metadata| wanted(metadata));
        within(timeout_ms, reached).await.is_some_and(|seen| seen.is_ok())
    }
}

/// Awaits for at most so many milliseconds.
pub(crate) async fn within<F: Future>(timeout_ms: i64, future: F) -> Option<F::Output> {
    // A year is longer than any process is waited for, and still a duration that timers can add to now.
    const LONGEST: Duration = Duration::from_secs(31_536_000);
    let timeout = Duration::from_millis(timeout_ms.max(0).unsigned_abs()).min(LONGEST);
    tokio::time::timeout(timeout, future).await.ok()
}

fn write_difference(before: &Metadata, after: &Metadata, batch: &mut Batch) -> Result<(), ApiError> {
    if before.standing != after.standing {
        batch.put_state(state_key::STANDING, bytes(&after.standing)?);
    }
    write_map(&before.jobs, &after.jobs, batch, &JOBS)?;
    write_map(&before.datafeeds, &after.datafeeds, batch, &DATAFEEDS)?;
    write_blocked(before, after, batch)?;
    for key in before.tasks.keys().filter(|key| !after.tasks.contains_key(*key)) {
        batch.delete_state(state_key::task(key));
        batch.delete_state(state_key::owner(key));
    }
    for (key, task) in after.tasks.iter().filter(|(key, task)| before.tasks.get(*key) != Some(*task)) {
        batch.put_state(state_key::task(key), bytes(&(key, task))?);
        match task.assignment {
            Assignment::Node => batch.put_state(state_key::owner(key), state_key::owner_value(task.allocation)),
            Assignment::AwaitingUpgrade => batch.delete_state(state_key::owner(key)),
        }
    }
    Ok(())
}

fn write_blocked(before: &Metadata, after: &Metadata, batch: &mut Batch) -> Result<(), ApiError> {
    for id in before.blocked.keys().filter(|id| !after.blocked.contains_key(*id)) {
        batch.delete_state(state_key::blocked(id));
    }
    for (id, blocked) in after.blocked.iter().filter(|(id, blocked)| before.blocked.get(*id) != Some(*blocked)) {
        batch.put_state(state_key::blocked(id), bytes(&(id, blocked))?);
    }
    Ok(())
}

/// How a kind of configuration is written.
struct Kind<C> {
    state: fn(&str) -> String,
    document: &'static str,
    config_type: &'static str,
    source: fn(&C) -> &Map<String, Value>,
}

const JOBS: Kind<Job> =
    Kind { state: state_key::job, document: "anomaly_detector-", config_type: "anomaly_detector", source: Job::source };
const DATAFEEDS: Kind<Datafeed> =
    Kind { state: state_key::datafeed, document: "datafeed-", config_type: "datafeed", source: Datafeed::source };

fn write_map<C: PartialEq>(
    before: &BTreeMap<String, Arc<C>>,
    after: &BTreeMap<String, Arc<C>>,
    batch: &mut Batch,
    kind: &Kind<C>,
) -> Result<(), ApiError> {
    for id in before.keys().filter(|id| !after.contains_key(*id)) {
        batch.delete_state((kind.state)(id));
        batch.delete(CONFIG_INDEX, format!("{}{id}", kind.document));
    }
    for (id, config) in after {
        if before.get(id).is_some_and(|old| Arc::ptr_eq(old, config) || old == config) {
            continue;
        }
        let source = (kind.source)(config);
        batch.put_state((kind.state)(id), bytes(source)?);
        let mut document = source.clone();
        document.insert("config_type".to_owned(), json!(kind.config_type));
        batch.index(CONFIG_INDEX, format!("{}{id}", kind.document), Source::from_value(Value::Object(document))?);
    }
    Ok(())
}

/// Reads a state key as JSON.
///
/// # Errors
/// The store cannot be read, or the value is of another shape.
pub(crate) fn read<T: DeserializeOwned>(core: &Core, key: &str) -> Result<Option<T>, ApiError> {
    core.store.state(key)?.map(|value| parse(key, &value)).transpose()
}

/// # Errors
/// A value that JSON cannot hold.
pub(crate) fn bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|problem| unreadable("new state", &problem.to_string()))
}

fn parse<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(value).map_err(|problem| unreadable(key, &problem.to_string()))
}

fn object(key: &str, value: &[u8]) -> Result<Map<String, Value>, ApiError> {
    parse(key, value)
}

fn unreadable(key: &str, problem: &str) -> ApiError {
    Problem::StateUnreadable { key: key.to_owned(), problem: problem.to_owned() }.into()
}
