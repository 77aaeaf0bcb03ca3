use serde_json::{Value, json};

use crate::node::documents::{QueryNode, SearchRequest};
use crate::node::indices::IndexExpression;
use crate::node::ml::local::{LocalTask, Signal};
use crate::node::ml::persistent::TaskKey;
use crate::node::security::Access;

use super::harness::{Bench, documents, job, killed, results};

async fn filled(bench: &Bench) {
    bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let lines: String = documents(0, 300).map(|(_, document)| format!("{document}\n")).collect();
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
}

#[tokio::test]
async fn what_nobody_waits_for_is_a_task_that_can_be_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    filled(&bench).await;
    bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    for (line, action) in [
        ("POST /_ml/anomaly_detectors/j/_reset", "cluster:admin/xpack/ml/job/reset"),
        ("DELETE /_ml/anomaly_detectors/j", "cluster:admin/xpack/ml/job/delete"),
    ] {
        let begun =
            bench.done(&format!("{line}?wait_for_completion=false&delete_user_annotations=true"), Value::Null).await;
        let task = begun["task"].as_str().unwrap();
        assert!(task.starts_with("node-id:"), "{begun}");
        let ended = bench.done(&format!("GET /_tasks/{task}?wait_for_completion=true&timeout=60s"), Value::Null).await;
        assert_eq!((&ended["completed"], &ended["response"]), (&json!(true), &json!({"acknowledged": true})));
        assert_eq!((&ended["task"]["action"], &ended["task"]["type"]), (&json!(action), &json!("transport")));
        if action.ends_with("reset") {
            assert_eq!(results(&bench, "j").await.0["count"], 0);
            assert_eq!(bench.job_stats("j").await["data_counts"]["processed_record_count"], 0);
        }
    }
    assert_eq!(bench.call("GET /_ml/anomaly_detectors/j", Value::Null).await.0, 404);
}

#[test]
fn a_deletion_that_was_begun_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let task = killed(path, async |bench| {
        filled(bench).await;
        let line = "DELETE /_ml/anomaly_detectors/j?force=true&wait_for_completion=false";
        bench.done(line, Value::Null).await["task"].as_str().unwrap().to_owned()
    });
    killed(path, async |bench| {
        let parts = &bench.node.ml.parts;
        assert!(parts.cluster.wait(60_000, |metadata| metadata.blocked.is_empty()).await);
        assert_eq!(bench.call("GET /_ml/anomaly_detectors/j", Value::Null).await.0, 404);
        let line = format!("GET /_tasks/{task}?wait_for_completion=true&timeout=60s");
        assert_eq!(bench.done(&line, Value::Null).await["completed"], true);
        bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
        assert_eq!(results(bench, "j").await.0["count"], 0);
    });
}

#[tokio::test]
async fn upgrade_mode_lets_nothing_be_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("count", None)).await;
    // A mark whose work never ends: its task is not of this process and upgrade mode holds it.
    bench
        .node
        .ml
        .parts
        .cluster
        .update(|metadata, _| {
            use crate::node::ml::metadata::Blocked;
            use crate::node::ml::persistent::Operation;
            metadata.standing.upgrade_mode = true;
            metadata
                .blocked
                .insert("j".to_owned(), Blocked { operation: Operation::Delete, task: 0, since_ms: 0, kept: false });
            Ok(())
        })
        .await
        .unwrap();
    let shown = bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await;
    assert_eq!(shown["jobs"][0]["blocked"], json!({"reason": "delete", "task_id": "node-id:0"}));
    assert_eq!(
        bench.refused("POST /_ml/anomaly_detectors/j/_reset", Value::Null).await,
        (409, "cannot reset job while indices are being upgraded".to_owned())
    );
    assert!(bench.node.ml.parts.local.now().tasks.is_empty(), "nothing is taken up in upgrade mode");
    bench
        .node
        .ml
        .parts
        .cluster
        .update(|metadata, _| {
            metadata.standing.upgrade_mode = false;
            Ok(())
        })
        .await
        .unwrap();
    assert!(bench.node.ml.parts.cluster.wait(60_000, |metadata| metadata.jobs.is_empty()).await);
}

async fn notifications(bench: &Bench) -> Vec<String> {
    let indices = IndexExpression::of(vec![".ml-notifications-000002".to_owned()]);
    let request = SearchRequest { size: 100, ..SearchRequest::new(indices, QueryNode::MatchAll) };
    let hits = bench.node.core.documents.search(request, &Access::Everything).await.unwrap().hits;
    hits.iter().map(|hit| hit.document.source["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_done_to_a_job_is_told_in_notifications() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    filled(&bench).await;
    bench
        .done("POST /_ml/anomaly_detectors/j/_update", json!({"groups": ["g"], "description": "d", "job_id": "j"}))
        .await;
    bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    bench.done("POST /_ml/anomaly_detectors/j/model_snapshots/empty/_revert", Value::Null).await;
    bench.done("DELETE /_ml/anomaly_detectors/j/model_snapshots/1767249600", Value::Null).await;
    bench.done("POST /_ml/anomaly_detectors/j/_reset", Value::Null).await;
    bench.done("DELETE /_ml/anomaly_detectors/j", Value::Null).await;
    let told = notifications(&bench).await;
    for message in [
        "Job created",
        "Job updated: [description, groups]",
        "Job model snapshot reverted to 'empty'",
        "Model snapshot [1767249600] with description 'State persisted due to job close at 2026-01-01T06:40:00.000Z' deleted",
        "Job has been reset",
        "Job deleted",
    ] {
        assert!(told.iter().any(|told| told == message), "{message}: {told:?}");
    }
    assert!(told.iter().any(|told| told.starts_with("Deleting job by task with id 'node-id:")));
}

#[tokio::test]
async fn upgrade_mode_waits_for_what_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("count", None)).await;
    let parts = &bench.node.ml.parts;
    // Stands for a job that still writes: its deletion waits for it.
    let (signal, _told) = tokio::sync::watch::channel(Signal::Run);
    let task = LocalTask { id: 0, allocation: 0, started_ms: 0, signal, commands: None };
    let writer = parts.local.enter(TaskKey::Job("j".to_owned()), task);
    let begun = bench.done("DELETE /_ml/anomaly_detectors/j?wait_for_completion=false", Value::Null).await;
    bench.done("PUT /_ml/datafeeds/late", json!({"job_id": "j", "indices": ["logs"]})).await;
    let running = bench.done(&format!("GET /_tasks/{}", begun["task"].as_str().unwrap()), Value::Null).await;
    assert_eq!((&running["completed"], &running["task"]["description"]), (&json!(false), &json!("delete-job-j")));
    let (status, answer) = bench.call("POST /_ml/set_upgrade_mode?enabled=true&timeout=1ms", Value::Null).await;
    assert_eq!(status, 500);
    assert!(answer.to_string().contains("delete-job-j"), "{answer}");
    drop(writer);
    assert!(parts.cluster.wait(60_000, |metadata| metadata.jobs.is_empty()).await, "what was begun is finished");
    assert!(parts.cluster.now().datafeeds.is_empty(), "no datafeed outlives its job");
}
