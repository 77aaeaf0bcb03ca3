use serde_json::{Value, json};

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
        let begun = bench.done(&format!("{line}?wait_for_completion=false&delete_user_annotations=true"), Value::Null).await;
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
        assert_eq!(bench.done(&format!("GET /_tasks/{task}"), Value::Null).await["completed"], true);
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
    bench.node.ml.parts.cluster
        .update(|metadata, _| {
            use crate::node::ml::metadata::Blocked;
            use crate::node::ml::persistent::Operation;
            metadata.standing.upgrade_mode = true;
            metadata.blocked.insert(
                "j".to_owned(),
                Blocked { operation: Operation::Delete, task: 0, since_ms: 0, kept: false },
            );
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
    bench.node.ml.parts.cluster
        .update(|metadata, _| {
            metadata.standing.upgrade_mode = false;
            Ok(())
        })
        .await
        .unwrap();
    assert!(bench.node.ml.parts.cluster.wait(60_000, |metadata| metadata.jobs.is_empty()).await);
}
