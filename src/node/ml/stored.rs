//! How the metadata is stored: state keys, which are the truth, and documents that show the configurations.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::configuration::{Calendar, Datafeed, Event, Filter, Job};
use super::indices::{CONFIG_INDEX, META_INDEX};
use super::metadata::{Blocked, Metadata};
use super::persistent::{Assignment, PersistentTask, TaskKey};
use super::problem::Problem;
use super::state_key;
use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::store::{Batch, Source};

/// Reads the metadata as the last change left it.
///
/// # Errors
/// The store cannot be read, or holds what this program did not write.
pub(crate) fn load(core: &Core) -> Result<Metadata, ApiError> {
    let mut metadata =
        Metadata { standing: read(core, state_key::STANDING)?.unwrap_or_default(), ..Metadata::default() };
    metadata.jobs = all(core, &JOBS)?;
    metadata.datafeeds = all(core, &DATAFEEDS)?;
    metadata.filters = all(core, &FILTERS)?;
    metadata.calendars = all(core, &CALENDARS)?;
    metadata.events = Arc::new(all(core, &EVENTS)?);
    for (key, value) in core.store.state_prefix(state_key::TASKS)? {
        let (task_key, task): (TaskKey, PersistentTask) = parse(&key, &value)?;
        metadata.tasks.insert(task_key, task);
    }
    for (key, value) in core.store.state_prefix(state_key::BLOCKED)? {
        let (job_id, blocked): (String, Blocked) = parse(&key, &value)?;
        metadata.blocked.insert(job_id, blocked);
    }
    Ok(metadata)
}

/// Puts what has changed into the batch.
///
/// # Errors
/// A value that JSON cannot hold.
pub(crate) fn write_difference(before: &Metadata, after: &Metadata, batch: &mut Batch) -> Result<(), ApiError> {
    if before.standing != after.standing {
        batch.put_state(state_key::STANDING, bytes(&after.standing)?);
    }
    write_all(&before.jobs, &after.jobs, batch, &JOBS)?;
    write_all(&before.datafeeds, &after.datafeeds, batch, &DATAFEEDS)?;
    write_all(&before.filters, &after.filters, batch, &FILTERS)?;
    write_all(&before.calendars, &after.calendars, batch, &CALENDARS)?;
    if !Arc::ptr_eq(&before.events, &after.events) {
        write_all(&before.events, &after.events, batch, &EVENTS)?;
    }
    write_blocked(before, after, batch)?;
    write_tasks(before, after, batch)
}

fn write_tasks(before: &Metadata, after: &Metadata, batch: &mut Batch) -> Result<(), ApiError> {
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

/// How a kind of configuration is stored.
struct Kind<C> {
    /// Of the state keys; the id follows.
    prefix: &'static str,
    index: &'static str,
    /// Of the documents' ids.
    document: &'static str,
    /// The member of the document that says of what kind it is, and what it says.
    kind: (&'static str, &'static str),
    source: fn(&C) -> Map<String, Value>,
    read: fn(Map<String, Value>) -> Result<C, ApiError>,
    id: fn(&C) -> &str,
}

const JOBS: Kind<Job> = Kind {
    prefix: state_key::JOBS,
    index: CONFIG_INDEX,
    document: "anomaly_detector-",
    kind: ("config_type", "anomaly_detector"),
    source: |job| job.source().clone(),
    read: Job::read,
    id: |job| &job.id,
};
const DATAFEEDS: Kind<Datafeed> = Kind {
    prefix: state_key::DATAFEEDS,
    index: CONFIG_INDEX,
    document: "datafeed-",
    kind: ("config_type", "datafeed"),
    source: |datafeed| datafeed.source().clone(),
    read: Datafeed::read,
    id: |datafeed| &datafeed.id,
};
const FILTERS: Kind<Filter> = Kind {
    prefix: state_key::FILTERS,
    index: META_INDEX,
    document: "filter_",
    kind: ("type", "filter"),
    source: |filter| filter.source().clone(),
    read: |source| Filter::read(&source),
    id: |filter| &filter.id,
};
const CALENDARS: Kind<Calendar> = Kind {
    prefix: state_key::CALENDARS,
    index: META_INDEX,
    document: "calendar_",
    kind: ("type", "calendar"),
    source: |calendar| calendar.source().clone(),
    read: |source| Calendar::read(&source),
    id: |calendar| &calendar.id,
};
const EVENTS: Kind<Event> = Kind {
    prefix: state_key::EVENTS,
    index: META_INDEX,
    document: "event_",
    kind: ("type", "scheduled_event"),
    source: Event::source,
    read: |source| Event::read(&source),
    id: |event| &event.id,
};

fn all<C>(core: &Core, kind: &Kind<C>) -> Result<BTreeMap<String, Arc<C>>, ApiError> {
    let mut found = BTreeMap::new();
    for (key, value) in core.store.state_prefix(kind.prefix)? {
        let config = (kind.read)(parse(&key, &value)?).map_err(|problem| unreadable(&key, problem.reason()))?;
        found.insert((kind.id)(&config).to_owned(), Arc::new(config));
    }
    Ok(found)
}

fn write_all<C: PartialEq>(
    before: &BTreeMap<String, Arc<C>>,
    after: &BTreeMap<String, Arc<C>>,
    batch: &mut Batch,
    kind: &Kind<C>,
) -> Result<(), ApiError> {
    for id in before.keys().filter(|id| !after.contains_key(*id)) {
        batch.delete_state(format!("{}{id}", kind.prefix));
        batch.delete(kind.index, format!("{}{id}", kind.document));
    }
    for (id, config) in after {
        if before.get(id).is_some_and(|old| Arc::ptr_eq(old, config) || old == config) {
            continue;
        }
        let mut document = (kind.source)(config);
        batch.put_state(format!("{}{id}", kind.prefix), bytes(&document)?);
        document.insert(kind.kind.0.to_owned(), json!(kind.kind.1));
        batch.index(kind.index, format!("{}{id}", kind.document), Source::from_value(Value::Object(document))?);
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

/// Reads all state keys that begin so, as JSON.
///
/// # Errors
/// As [`read`].
pub(crate) fn all_of<T: DeserializeOwned>(core: &Core, prefix: &str) -> Result<Vec<T>, ApiError> {
    core.store.state_prefix(prefix)?.iter().map(|(key, value)| parse(key, value)).collect()
}

/// # Errors
/// A value that JSON cannot hold.
pub(crate) fn bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|problem| unreadable("new state", &problem.to_string()))
}

fn parse<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(value).map_err(|problem| unreadable(key, &problem.to_string()))
}

fn unreadable(key: &str, problem: &str) -> ApiError {
    Problem::StateUnreadable { key: key.to_owned(), problem: problem.to_owned() }.into()
}
