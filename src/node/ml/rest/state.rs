//! `GET /_cluster/state/metadata`: the persistent tasks, with what they were started with, and upgrade mode.
//!
//! Source: elasticsearch, `PersistentTasksCustomMetadata.toXContent`, `StartDatafeedAction.DatafeedParams.toXContent`.

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::metadata::Metadata;
use crate::node::ml::persistent::{Assignment, PersistentTask, Phase, TaskKey};

/// The part of a cluster state that the node can show.
const SHOWN: &str = "metadata";

pub(super) async fn metadata(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let asked = call.request.parameters.get("metric").map_or("", String::as_str);
    if let Some(other) = asked.split(',').find(|metric| *metric != SHOWN) {
        let text = format!("the embedded node shows the metric [{SHOWN}] of a cluster state only, not [{other}]");
        return Err(ApiError::illegal_argument(text));
    }
    let identity = &call.node.core.identity;
    let metadata = call.metadata();
    let tasks: Vec<Value> =
        metadata.tasks.iter().filter_map(|(key, task)| shown(key, task, &metadata, &identity.node_id)).collect();
    Ok(Reply::json(json!({
        "cluster_name": identity.cluster_name,
        "cluster_uuid": identity.cluster_uuid,
        "metadata": {
            "cluster_uuid": identity.cluster_uuid,
            "cluster_uuid_committed": true,
            "persistent_tasks": {"last_allocation_id": metadata.standing.last_allocation, "tasks": tasks},
            "ml": {"upgrade_mode": metadata.standing.upgrade_mode},
        },
    })))
}

fn shown(key: &TaskKey, task: &PersistentTask, metadata: &Metadata, node_id: &str) -> Option<Value> {
    let (name, params, state) = match key {
        TaskKey::Job(id) => ("xpack/ml/job", json!({"job_id": id}), Phase::of_job(Some(&task.phase))),
        TaskKey::Datafeed(id) => {
            ("xpack/ml/datafeed", datafeed(id, task, metadata), Phase::of_datafeed(Some(&task.phase)))
        }
        TaskKey::Operation(..) => return None,
    };
    let mut assignment = Map::new();
    let executor = (task.assignment == Assignment::Node).then_some(node_id);
    assignment.insert("executor_node".to_owned(), json!(executor));
    assignment.insert("explanation".to_owned(), json!(task.assignment.explanation()));
    Some(json!({
        "id": key.to_string(),
        "task": {(name): {
            "params": params,
            "state": {"state": state, "allocation_id": task.allocation},
        }},
        "allocation_id": task.allocation,
        "assignment": assignment,
    }))
}

/// Times are written as text, as there.
fn datafeed(id: &str, task: &PersistentTask, metadata: &Metadata) -> Value {
    let mut params = Map::new();
    params.insert("datafeed_id".to_owned(), json!(id));
    params.insert("start".to_owned(), json!(task.range.start_ms.unwrap_or(0).to_string()));
    if let Some(end) = task.range.end_ms {
        params.insert("end".to_owned(), json!(end.to_string()));
    }
    if let Ok(datafeed) = metadata.datafeed(id) {
        params.insert("job_id".to_owned(), json!(datafeed.job_id));
    }
    Value::Object(params)
}
