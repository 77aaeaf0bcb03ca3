use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, results};
use crate::node::ml::local::LocalTask;
use crate::node::ml::persistent::{Operation, TaskKey};

async fn running(bench: &Bench, actions: &str) -> Vec<String> {
    let listed = bench.done(&format!("GET /_tasks?actions={actions}&group_by=parents"), Value::Null).await;
    listed["tasks"].as_object().unwrap().keys().cloned().collect()
}

/// A job that has read 300 documents with its datafeed, which waits for more.
async fn fed() -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start_at(folder.path(), START_MS + 100 * MINUTE_MS).await;
    bench.index(documents(0, 300)).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
    bench.until_counted("j", 300).await;
    (folder, bench)
}

#[tokio::test]
async fn a_cancelled_datafeed_is_stopped_and_its_job_stays_open() {
    let (_folder, bench) = fed().await;
    let task = running(&bench, "xpack/ml/datafeed*").await.remove(0);
    let line = format!("POST /_tasks/{task}/_cancel?wait_for_completion=true&group_by=none");
    let cancelled = bench.done(&line, Value::Null).await;
    assert_eq!(cancelled["tasks"].as_array().unwrap().len(), 1);
    for (name, value) in [
        ("action", json!("xpack/ml/datafeed[c]")),
        ("type", json!("persistent")),
        ("cancellable", json!(true)),
        ("cancelled", json!(true)),
    ] {
        assert_eq!(cancelled["tasks"][0][name], value, "{name}");
    }
    assert_eq!(running(&bench, "xpack/ml/*").await.len(), 1);
    assert_eq!(bench.datafeed_stats("j").await["state"], "stopped");
    assert_eq!(bench.job_stats("j").await["state"], "opened");
}

#[tokio::test]
async fn a_cancelled_job_is_closed_without_a_snapshot_and_loses_nothing() {
    let (_folder, bench) = fed().await;
    let cancelled =
        bench.done("POST /_tasks/_cancel?actions=xpack/ml/job*&wait_for_completion=true", Value::Null).await;
    assert_eq!(cancelled["nodes"]["node-id"]["tasks"].as_object().unwrap().len(), 1);
    let stats = bench.job_stats("j").await;
    assert_eq!((&stats["state"], &stats["data_counts"]["processed_record_count"]), (&json!("closed"), &json!(300)));
    let snapshots = bench.done("GET /_ml/anomaly_detectors/j/model_snapshots", Value::Null).await;
    assert_eq!(snapshots["count"], 0);
    bench.clock.set(START_MS + 200 * MINUTE_MS);
    bench.index(documents(100, 300)).await;
    bench.done("GET /_tasks?actions=xpack/ml/*&wait_for_completion=true&timeout=60s", Value::Null).await;
    assert_eq!(bench.datafeed_stats("j").await["state"], "stopped", "a datafeed ends with its job");
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start?end=now", Value::Null).await;
    let stats = bench.until_state("j", "closed").await;
    assert_eq!(stats["data_counts"]["processed_record_count"], 600);
    let buckets = results(&bench, "j").await.0;
    assert!(buckets["buckets"].as_array().unwrap().iter().all(|bucket| bucket["event_count"] == 3));
    // Without anything to choose by, everything is cancelled; nothing runs.
    assert_eq!(bench.done("POST /_tasks/_cancel", Value::Null).await, json!({"nodes": {}}));
}

/// Puts a task into the table that nobody runs.
fn stuck(bench: &Bench, key: TaskKey) -> (u64, impl Drop) {
    let local = &bench.node.ml.parts.local;
    let id = local.reserve();
    let (signal, _) = tokio::sync::watch::channel(crate::node::ml::local::Signal::Run);
    (id, local.enter(key, LocalTask { id, allocation: 0, started_ms: START_MS, signal, commands: None }))
}

#[tokio::test]
async fn what_cannot_be_cancelled_is_told_as_a_failure_of_its_node() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let (deletion, _deletion) = stuck(&bench, TaskKey::Operation(Operation::Delete, "gone".to_owned()));
    let (job, _job) = stuck(&bench, TaskKey::Job("stuck".to_owned()));
    let refused = |node: &str, cause: Value| {
        json!({
            "node_failures": [{
                "type": "failed_node_exception", "reason": format!("Failed node [{node}]"), "node_id": node,
                "caused_by": cause,
            }],
            "nodes": {},
        })
    };
    let argument = |reason: String| json!({"type": "illegal_argument_exception", "reason": reason});
    let missing = json!({"type": "resource_not_found_exception", "reason": "task [node-id:9999] is not found"});
    let elsewhere = json!({"type": "no_such_node_exception", "reason": "No such node [other]", "node_id": "other"});
    for (line, answer) in [
        ("POST /_tasks/node-id:9999/_cancel".to_owned(), refused("node-id", missing.clone())),
        ("POST /_tasks/_cancel?task_id=node-id:9999".to_owned(), refused("node-id", missing)),
        ("POST /_tasks/other:1/_cancel".to_owned(), refused("other", elsewhere)),
        (
            format!("POST /_tasks/node-id:{deletion}/_cancel"),
            refused("node-id", argument(format!("task [node-id:{deletion}] doesn't support cancellation"))),
        ),
        (
            format!("POST /_tasks/node-id:{job}/_cancel?actions=xpack/ml/datafeed*"),
            refused("node-id", argument(format!("task [node-id:{job}] doesn't support this operation"))),
        ),
        ("POST /_tasks/_cancel?actions=cluster:admin/xpack/ml/job/delete".to_owned(), json!({"nodes": {}})),
        ("POST /_tasks/_cancel?actions=unknown_action".to_owned(), json!({"nodes": {}})),
        ("POST /_tasks/_cancel?nodes=other".to_owned(), json!({"nodes": {}})),
    ] {
        assert_eq!(bench.done(&line, Value::Null).await, answer, "{line}");
    }
    for (line, reason) in [
        ("POST /_tasks/here/_cancel", "malformed task id here"),
        ("POST /_tasks/node-id:x/_cancel", "malformed task id node-id:x"),
        (
            "POST /_tasks/node-id:1/_cancel?nodes=node-id",
            "Validation Failed: 1: task id cannot be used together with node ids;",
        ),
        ("POST /_tasks/_cancel?group_by=kind", "group_by must be one of [nodes, parents, none] but was [kind]"),
    ] {
        assert_eq!(bench.refused(line, Value::Null).await, (400, reason.to_owned()), "{line}");
    }
    let listed = bench.done("GET /_tasks?group_by=none&actions=cluster:*", Value::Null).await;
    assert_eq!((&listed["tasks"][0]["cancellable"], listed["tasks"][0].get("cancelled")), (&json!(false), None));
}

#[tokio::test]
async fn waiting_for_a_task_ends_with_it_or_with_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let (id, entry) = stuck(&bench, TaskKey::Job("stuck".to_owned()));
    let (status, late) = bench.call("GET /_tasks?wait_for_completion=true&timeout=1ms", Value::Null).await;
    assert_eq!(status, 200);
    let cause = json!({"type": "timeout_exception", "reason": "timed out after [1ms/1ms]"});
    assert_eq!((&late["node_failures"][0]["caused_by"], &late["nodes"]), (&cause, &json!({})));
    let line = format!("GET /_tasks/node-id:{id}?wait_for_completion=true");
    let late = bench.refused(&format!("{line}&timeout=1ms"), Value::Null).await;
    assert_eq!(late, (429, "timed out after [1ms/1ms]".to_owned()));
    let (ended, ()) = tokio::join!(bench.done(&line, Value::Null), async {
        tokio::task::yield_now().await;
        drop(entry);
    });
    assert_eq!((&ended["completed"], &ended["task"]["description"]), (&json!(true), &json!("job-stuck")));
    let (status, gone) = bench.call("GET /_tasks/other:7", Value::Null).await;
    assert_eq!(
        (status, &gone["error"]["reason"]),
        (
            404,
            &json!(
                "task [other:7] belongs to the node [other] which isn't part of the cluster and there is no record of the task"
            )
        )
    );
    assert_eq!(gone["error"]["caused_by"]["reason"], "task [other:7] isn't running and hasn't stored its results");
}
