use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, killed, results};

/// What a job makes of the documents when nothing disturbs it.
async fn undisturbed(bench: &Bench) -> (Value, Value) {
    bench.index(documents(0, 600)).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start?end=now", Value::Null).await;
    bench.until_state("j", "closed").await;
    results(bench, "j").await
}

#[tokio::test]
async fn stopping_and_closing_on_the_way_changes_no_result() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = undisturbed(&Bench::start(folders.0.path()).await).await;
    let bench = Bench::start(folders.1.path()).await;
    bench.index(documents(0, 600)).await;
    bench.job_with_datafeed("j").await;
    for round in 1..=8 {
        bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
        bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
        bench.until("j", |stats| stats["data_counts"]["processed_record_count"].as_u64() >= Some(round * 70)).await;
        if round % 2 == 0 {
            bench.done("POST /_ml/datafeeds/j/_stop", Value::Null).await;
            bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
        }
        bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    }
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start?end=now", Value::Null).await;
    let stats = bench.until_state("j", "closed").await;
    assert_eq!(stats["data_counts"]["processed_record_count"], 600);
    assert_eq!(results(&bench, "j").await, expected);
}

#[test]
fn killed_at_any_moment_no_document_is_lost_or_given_twice() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = killed(folders.0.path(), async |bench| undisturbed(bench).await);
    let path = folders.1.path();
    killed(path, async |bench| {
        bench.index(documents(0, 600)).await;
        bench.job_with_datafeed("j").await;
        bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
        bench.done("POST /_ml/datafeeds/j/_start?end=now", Value::Null).await;
    });
    let mut kills = 0;
    // Each round is killed with the node in full work, after a varying number of commits.
    while !killed(path, async |bench| closed_after(bench, kills % 3).await) {
        kills += 1;
        assert!(kills < 500, "it never comes to its end");
    }
    assert!(kills > 3, "the kills hit the work");
    killed(path, async |bench| {
        assert_eq!(bench.job_stats("j").await["data_counts"]["processed_record_count"], 600);
        assert_eq!(results(bench, "j").await, expected);
    });
}

/// Lets the node commit so many times; whether the job has come to its end.
async fn closed_after(bench: &Bench, commits: u32) -> bool {
    let mut commits_seen = bench.node.core.store.subscribe();
    let mut changes = bench.node.ml.parts.cluster.subscribe();
    for _ in 0..commits {
        // A change becomes visible after it was committed: the last one is not followed by another commit.
        changes.borrow_and_update();
        if bench.job_stats("j").await["state"] == "closed" {
            return true;
        }
        tokio::select! {
            changed = commits_seen.changed() => changed.unwrap(),
            changed = changes.changed() => changed.unwrap(),
        }
    }
    bench.job_stats("j").await["state"] == "closed"
}

#[tokio::test]
async fn posted_data_goes_on_after_close_and_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
    for part in 0..4 {
        if part != 2 {
            bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
        }
        let lines: String =
            documents(0, 240).skip(part * 61).take(61).map(|(_, document)| document.to_string()).collect();
        bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
        if part == 1 {
            bench.stop().await;
            bench = Bench::start(folder.path()).await;
            bench.until_state("j", "opened").await;
        } else {
            bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
        }
    }
    let stats = bench.job_stats("j").await;
    assert_eq!(stats["data_counts"]["processed_record_count"], 240);
    assert_eq!(stats["data_counts"]["out_of_order_timestamp_count"], 0);
    let buckets = results(&bench, "j").await.0;
    assert_eq!(buckets["count"], 79);
    assert!(buckets["buckets"].as_array().unwrap().iter().all(|bucket| bucket["event_count"] == 3));
    assert_eq!(bench.done("GET /_ml/anomaly_detectors/j/model_snapshots", Value::Null).await["count"], 3);
}

#[tokio::test]
async fn a_restarted_node_runs_what_ran() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 30)).await;
    bench.job_with_datafeed("j").await;
    bench.done("PUT /_ml/anomaly_detectors/k", job("count", None)).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
    bench.until_counted("j", 30).await;
    bench.stop().await;
    let bench = Bench::start(folder.path()).await;
    assert_eq!(bench.job_stats("k").await["state"], "closed");
    bench.until("j", |stats| stats["state"] == "opened" && stats["node"]["id"] == json!("node-id")).await;
    bench.index(documents(400, 3)).await;
    bench.clock.set(START_MS + 410 * MINUTE_MS);
    bench.until_counted("j", 33).await;
    assert_eq!(bench.datafeed_stats("j").await["state"], "started");
}
