//! `_tasks`: the ML tasks that run on this node.
//!
//! Source: elasticsearch, `TransportListTasksAction.java`, `TransportGetTaskAction.java`.

mod cancel;
mod cat;
mod listing;

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::elasticsearch::error_body::Exception;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::cluster::within;
use crate::node::ml::duration::{to_ms, written};
use crate::node::ml::identifier::wildcard;
use crate::node::ml::local::{LocalTask, Running};
use crate::node::ml::operation::TASKS_INDEX;
use crate::node::ml::persistent::TaskKey;
use crate::node::ml::problem::Problem;
pub(super) use cancel::cancel;
pub(super) use cat::cat;
use listing::{Grouping, Listing};

const TIMEOUT_DEFAULT_MS: i64 = 30_000;

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let query = &call.request.query;
    let detailed = query.flag("detailed")?.unwrap_or(false);
    let grouping = Grouping::of(query)?;
    let waits = query.flag("wait_for_completion")?.unwrap_or(false);
    let timeout_ms = query.duration("timeout")?.map_or(TIMEOUT_DEFAULT_MS, to_ms);
    let mut listing = Listing::default();
    if waits {
        let mut running = call.parts().local.subscribe();
        let ended = running.wait_for(|running| matching(&call, running).is_empty());
        if within(timeout_ms, ended).await.is_none() {
            listing.node_failed(&call.node.core.identity.node_id, timed_out(timeout_ms));
            return Ok(listing.reply(&call, grouping));
        }
    }
    for (key, task) in matching(&call, &call.parts().local.now()) {
        listing.tasks.insert(name(&call, &task), described(&call, &key, &task, detailed).into());
    }
    Ok(listing.reply(&call, grouping))
}

fn timed_out(timeout_ms: i64) -> Exception {
    Exception::new("timeout_exception", format!("timed out after [{}/{timeout_ms}ms]", written(timeout_ms)))
}

/// The running tasks that `actions`, `nodes` and `parent_task_id` let through.
fn matching(call: &Call, running: &Running) -> Vec<(TaskKey, LocalTask)> {
    let query = &call.request.query;
    let identity = &call.node.core.identity;
    let own = [identity.node_id.as_str(), identity.node_name.as_str(), "_local", "_all", "_master"];
    let any = |list: Option<&str>, matches: &dyn Fn(&str) -> bool| {
        list.filter(|list| !list.is_empty()).is_none_or(|list| list.split(',').map(str::trim).any(matches))
    };
    let here = any(query.text("nodes").or(query.text("node_id")), &|part| own.iter().any(|name| wildcard(part, name)));
    let tasks = running.tasks.iter().filter(|(key, task)| {
        here && any(query.text("actions"), &|part| wildcard(part, key.action()))
            && query.text("parent_task_id").is_none_or(|parent| Some(parent) == parent_of(key, task).as_deref())
    });
    tasks.map(|(key, task)| (key.clone(), task.clone())).collect()
}

fn name(call: &Call, task: &LocalTask) -> String {
    format!("{}:{}", call.node.core.identity.node_id, task.id)
}

/// The persistent task that the node's task belongs to.
fn parent_of(key: &TaskKey, task: &LocalTask) -> Option<String> {
    (key.kind() == "persistent").then(|| format!("cluster:{}", task.allocation))
}

fn described(call: &Call, key: &TaskKey, task: &LocalTask, detailed: bool) -> Map<String, Value> {
    let running_ms = call.node.core.clock.now_ms().saturating_sub(task.started_ms).max(0);
    let mut shown = Map::new();
    shown.insert("node".to_owned(), json!(call.node.core.identity.node_id));
    shown.insert("id".to_owned(), json!(task.id));
    shown.insert("type".to_owned(), json!(key.kind()));
    shown.insert("action".to_owned(), json!(key.action()));
    if detailed {
        shown.insert("description".to_owned(), json!(key.to_string()));
    }
    shown.insert("start_time_in_millis".to_owned(), json!(task.started_ms));
    shown.insert("running_time_in_nanos".to_owned(), json!(running_ms.saturating_mul(1_000_000)));
    shown.insert("cancellable".to_owned(), json!(key.cancellable()));
    if key.cancellable() {
        shown.insert("cancelled".to_owned(), json!(false));
    }
    if let Some(parent) = parent_of(key, task) {
        shown.insert("parent_task_id".to_owned(), json!(parent));
    }
    shown.insert("headers".to_owned(), json!({}));
    shown
}

/// `node:number`.
struct TaskId<'a> {
    node: &'a str,
    number: i64,
}

impl<'a> TaskId<'a> {
    /// # Errors
    /// 400.
    fn parse(text: &'a str) -> Result<Self, ApiError> {
        let malformed = || ApiError::illegal_argument(format!("malformed task id {text}"));
        let (node, number) = text.split_once(':').ok_or_else(malformed)?;
        Ok(Self { node, number: number.parse().map_err(|_| malformed())? })
    }

    fn is_here(&self, call: &Call) -> bool {
        self.node == call.node.core.identity.node_id
    }

    /// The task, if it runs on this node.
    fn find(&self, call: &Call, running: &Running) -> Option<(TaskKey, LocalTask)> {
        let is = |task: &LocalTask| self.is_here(call) && i64::try_from(task.id) == Ok(self.number);
        running.tasks.iter().find(|(_, task)| is(task)).map(|(key, task)| (key.clone(), task.clone()))
    }
}

/// A task that runs, one that was waited for, or the outcome of an operation that nobody waited for.
pub(super) async fn get(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let waits = call.request.query.flag("wait_for_completion")?.unwrap_or(false);
    let timeout_ms = call.request.query.duration("timeout")?.map_or(TIMEOUT_DEFAULT_MS, to_ms);
    let text = call.expression("task_id");
    let id = TaskId::parse(&text)?;
    let mut running = call.parts().local.subscribe();
    let found = id.find(&call, &running.borrow_and_update());
    let shown = found.map(|(key, task)| described(&call, &key, &task, true));
    if let Some(task) = shown.as_ref().filter(|_| !waits) {
        return Ok(Reply::json(json!({"completed": false, "task": task})));
    }
    if shown.is_some() {
        let ended = running.wait_for(|running| id.find(&call, running).is_none());
        if within(timeout_ms, ended).await.is_none() {
            return Err(ApiError::new(429, timed_out(timeout_ms)));
        }
    }
    match (outcome(&call, &text).await?, shown) {
        (Some(outcome), _) => Ok(Reply::json(outcome)),
        (None, Some(task)) => Ok(Reply::json(json!({"completed": true, "task": task}))),
        (None, None) if id.is_here(&call) => Err(Problem::UnknownTask(text).into()),
        (None, None) => Err(Problem::TaskOfUnknownNode { node: id.node.to_owned(), task: text }.into()),
    }
}

async fn outcome(call: &Call, id: &str) -> Result<Option<Value>, ApiError> {
    if call.node.core.store.catalogue().write_target(TASKS_INDEX).is_none() {
        return Ok(None);
    }
    Ok(call.node.core.documents.get(TASKS_INDEX, id).await?.map(|document| document.source))
}
