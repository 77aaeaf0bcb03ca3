//! `_tasks` and `_cat/tasks`: the ML tasks that run on this node.

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::node::http::{ApiError, Cell, Column, Reply, Table};
use crate::node::ml::cluster::within;
use crate::node::ml::configuration::not_supported;
use crate::node::ml::duration::to_ms;
use crate::node::ml::identifier::wildcard;
use crate::node::ml::local::{LocalTask, Running};
use crate::node::ml::operation::TASKS_INDEX;
use crate::node::ml::persistent::TaskKey;
use crate::node::ml::problem::Problem;

const TIMEOUT_DEFAULT_MS: i64 = 30_000;

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let query = &call.request.query;
    let detailed = query.flag("detailed")?.unwrap_or(false);
    let grouping = query.text("group_by").unwrap_or("nodes").to_owned();
    let waits = query.flag("wait_for_completion")?.unwrap_or(false);
    let timeout_ms = query.duration("timeout")?.map_or(TIMEOUT_DEFAULT_MS, to_ms);
    if !matches!(grouping.as_str(), "nodes" | "none" | "parents") {
        return Err(ApiError::illegal_argument(format!(
            "group_by must be one of [nodes, parents, none] but was [{grouping}]"
        )));
    }
    if waits {
        let mut running = call.parts().local.subscribe();
        let ended = running.wait_for(|running| matching(&call, running).is_empty());
        // What is left when the time is up is shown as it is.
        let _ = within(timeout_ms, ended).await;
    }
    let running = call.parts().local.now();
    let tasks = matching(&call, &running);
    let shown = tasks.iter().map(|(key, task)| (name(&call, task), described(&call, key, task, detailed)));
    Ok(Reply::json(match grouping.as_str() {
        "none" => json!({"tasks": shown.map(|(_, task)| task).collect::<Vec<_>>()}),
        "parents" => json!({"tasks": shown.collect::<Map<_, _>>()}),
        _ => by_node(&call, shown.collect()),
    }))
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

fn described(call: &Call, key: &TaskKey, task: &LocalTask, detailed: bool) -> Value {
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
    shown.insert("cancellable".to_owned(), json!(true));
    shown.insert("cancelled".to_owned(), json!(false));
    if let Some(parent) = parent_of(key, task) {
        shown.insert("parent_task_id".to_owned(), json!(parent));
    }
    shown.insert("headers".to_owned(), json!({}));
    Value::Object(shown)
}

fn by_node(call: &Call, tasks: Map<String, Value>) -> Value {
    if tasks.is_empty() {
        return json!({"nodes": {}});
    }
    let identity = &call.node.core.identity;
    let mut nodes = Map::new();
    nodes.insert(
        identity.node_id.clone(),
        json!({
            "name": identity.node_name,
            "transport_address": identity.address.to_string(),
            "host": identity.address.ip().to_string(),
            "ip": identity.address.to_string(),
            "roles": crate::node::ROLES,
            "tasks": tasks,
        }),
    );
    json!({"nodes": nodes})
}

#[rustfmt::skip] // a table: one column a line
const COLUMNS: [Column; 10] = [
    Column { name: "id", aliases: &[], shown: false, right: false },
    Column { name: "action", aliases: &["ac"], shown: true, right: false },
    Column { name: "task_id", aliases: &["ti"], shown: true, right: false },
    Column { name: "parent_task_id", aliases: &["pti"], shown: true, right: false },
    Column { name: "type", aliases: &["ty"], shown: true, right: false },
    Column { name: "start_time", aliases: &["start"], shown: true, right: false },
    Column { name: "timestamp", aliases: &["ts", "hms", "hhmmss"], shown: true, right: false },
    Column { name: "running_time", aliases: &["time"], shown: true, right: false },
    Column { name: "ip", aliases: &["i"], shown: true, right: false },
    Column { name: "node", aliases: &["n"], shown: true, right: false },
];

pub(super) async fn cat(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    if call.request.query.flag("detailed")? == Some(true) {
        return Err(not_supported("_cat/tasks", "detailed"));
    }
    let identity = &call.node.core.identity;
    let now_ms = call.node.core.clock.now_ms();
    let mut table = Table::new(COLUMNS.to_vec());
    for (key, task) in matching(&call, &call.parts().local.now()) {
        let clock = crate::node::indices::dates::format(task.started_ms);
        let time_of_day = clock.split_once('T').and_then(|(_, time)| time.get(..8)).unwrap_or_default().to_owned();
        table.row(vec![
            name(&call, &task).into(),
            key.action().into(),
            name(&call, &task).into(),
            parent_of(&key, &task).unwrap_or_else(|| "-".to_owned()).into(),
            key.kind().into(),
            task.started_ms.into(),
            time_of_day.into(),
            Cell::Milliseconds(now_ms.saturating_sub(task.started_ms).max(1)),
            identity.address.ip().to_string().into(),
            identity.node_name.clone().into(),
        ]);
    }
    table.reply(&call.request)
}

/// A task that runs, or the outcome of an operation that nobody waited for.
pub(super) async fn get(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let waits = call.request.query.flag("wait_for_completion")?.unwrap_or(false);
    let timeout_ms = call.request.query.duration("timeout")?.map_or(TIMEOUT_DEFAULT_MS, to_ms);
    let id = call.expression("task_id");
    let malformed = || ApiError::illegal_argument(format!("malformed task id {id}"));
    let (node, number) = id.split_once(':').ok_or_else(malformed)?;
    let number: u64 = number.parse().map_err(|_| malformed())?;
    let own = node == call.node.core.identity.node_id;
    let find = |running: &Running| running.tasks.iter().find(|(_, task)| own && task.id == number).map(cloned);
    if waits {
        let mut running = call.parts().local.subscribe();
        let ended = running.wait_for(|running| find(running).is_none());
        // A task that still runs when the time is up is shown as it is.
        let _ = within(timeout_ms, ended).await;
    }
    let running = find(&call.parts().local.now());
    if let Some((key, task)) = running {
        return Ok(Reply::json(json!({"completed": false, "task": described(&call, &key, &task, true)})));
    }
    match outcome(&call, &id).await? {
        Some(outcome) => Ok(Reply::json(outcome)),
        None => Err(Problem::UnknownTask(id).into()),
    }
}

fn cloned((key, task): (&TaskKey, &LocalTask)) -> (TaskKey, LocalTask) {
    (key.clone(), task.clone())
}

async fn outcome(call: &Call, id: &str) -> Result<Option<Value>, ApiError> {
    if call.node.core.store.catalogue().write_target(TASKS_INDEX).is_none() {
        return Ok(None);
    }
    Ok(call.node.core.documents.get(TASKS_INDEX, id).await?.map(|document| document.source))
}
