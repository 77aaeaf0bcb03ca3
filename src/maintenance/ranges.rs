//! From when to when a datafeed was started: only the cluster state tells.
//!
//! Source: elasticsearch, `StartDatafeedAction.DatafeedParams.toXContent`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::look_deadline;
use super::status::text;
use crate::elasticsearch::client::{Client, ClientError};

const TASKS: &str = "/_cluster/state/metadata?filter_path=metadata.persistent_tasks.tasks";

/// What a datafeed was started with; milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: Option<i64>,
    /// `None`: it goes on in real time.
    pub(super) end: Option<i64>,
}

/// The ranges of started datafeeds by id; empty where the caller may not see the cluster state (`monitor`).
///
/// # Errors
/// The cluster does not answer at all.
pub(super) async fn read(client: &Client) -> Result<BTreeMap<String, Range>, ClientError> {
    match client.get(TASKS, look_deadline()).await {
        Ok(state) => Ok(ranges(&state)),
        Err(failure) if failure.may_pass() => Err(failure),
        Err(_) => Ok(BTreeMap::new()),
    }
}

fn ranges(state: &Value) -> BTreeMap<String, Range> {
    let tasks = state.pointer("/metadata/persistent_tasks/tasks").and_then(Value::as_array);
    let params =
        tasks.into_iter().flatten().filter_map(|task| task.get("task")?.get("xpack/ml/datafeed")?.get("params"));
    params.filter_map(|params| Some((text(params, "datafeed_id")?, range(params)))).collect()
}

fn range(params: &Value) -> Range {
    Range { start: time(params.get("start")), end: time(params.get("end")) }
}

/// Elasticsearch writes these numbers as text.
fn time(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_are_found_among_other_tasks() {
        let state = json!({"metadata": {"persistent_tasks": {"last_allocation_id": 3, "tasks": [
            {"id": "job-web", "task": {"xpack/ml/job": {"params": {"job_id": "web"}}}},
            {"id": "datafeed-a", "task": {"xpack/ml/datafeed": {"params": {"datafeed_id": "a", "start": "0", "end": "1700000000000"}}}},
            {"id": "datafeed-b", "task": {"xpack/ml/datafeed": {"params": {"datafeed_id": "b", "start": 5}}}},
            {"id": "datafeed-c", "task": {"xpack/ml/datafeed": {}}},
        ]}}});
        let expected = [
            ("a".to_owned(), Range { start: Some(0), end: Some(1_700_000_000_000) }),
            ("b".to_owned(), Range { start: Some(5), end: None }),
        ];
        assert_eq!(ranges(&state), BTreeMap::from(expected));
        assert!(ranges(&json!({})).is_empty());
    }
}
