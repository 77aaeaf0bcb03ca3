use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, results};
use crate::node::ml::persistent::AWAITING_UPGRADE;
use crate::node::ml::routes;

async fn enable(bench: &Bench) {
    let answer = bench.done("POST /_ml/set_upgrade_mode?enabled=true&timeout=1m", Value::Null).await;
    assert_eq!(answer, json!({"acknowledged": true}));
}

#[tokio::test]
async fn upgrade_mode_holds_a_running_datafeed_and_lets_it_go_on_without_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.clock.set(START_MS + 50 * MINUTE_MS);
    bench.index(documents(0, 300)).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
    bench.until("j", |stats| stats["data_counts"]["processed_record_count"].as_u64() > Some(30)).await;
    enable(&bench).await;

    let held = bench.job_stats("j").await;
    let before = bench.node.core.store.state("ml/progress/j").unwrap();
    assert_eq!((&held["state"], held.get("node")), (&json!("opened"), None));
    assert_eq!(held["assignment_explanation"], AWAITING_UPGRADE);
    let feed = bench.datafeed_stats("j").await;
    assert_eq!((&feed["state"], feed.get("node")), (&json!("started"), None));
    assert_eq!(feed["assignment_explanation"], AWAITING_UPGRADE);
    assert_eq!(bench.done("GET /_tasks?actions=xpack/ml/*", Value::Null).await, json!({"nodes": {}}));
    assert_eq!(bench.done("GET /_ml/info", Value::Null).await["upgrade_mode"], true);

    bench.clock.set(START_MS + 200 * MINUTE_MS);
    bench.index(documents(100, 300)).await;
    assert_eq!(
        bench.node.core.store.state("ml/progress/j").unwrap(),
        before,
        "nothing is written after the acknowledgement"
    );
    enable(&bench).await;

    assert_eq!(bench.done("POST /_ml/set_upgrade_mode", Value::Null).await, json!({"acknowledged": true}));
    assert_eq!(bench.done("GET /_ml/info", Value::Null).await["upgrade_mode"], false);
    let stats = bench.until_counted("j", 600).await;
    assert_eq!((&stats["state"], &stats["assignment_explanation"]), (&json!("opened"), &json!("")));
    bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    assert_eq!(bench.job_stats("j").await["data_counts"]["input_record_count"], 600);
    let events: u64 = results(&bench, "j").await.0["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| bucket["event_count"].as_u64().unwrap())
        .sum();
    assert!(events >= 597, "{events}: all but the partial bucket");
}

#[tokio::test]
async fn upgrade_mode_refuses_what_elasticsearch_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.job_with_datafeed("j").await;
    enable(&bench).await;
    #[rustfmt::skip] // a table: one request a line
    let cases = [
        ("PUT /_ml/anomaly_detectors/n", super::harness::job("count", None), "cluster:admin/xpack/ml/job/put"),
        ("POST /_ml/anomaly_detectors/j/_update", json!({}), "cluster:admin/xpack/ml/job/update"),
        ("DELETE /_ml/anomaly_detectors/j", Value::Null, "cluster:admin/xpack/ml/job/delete"),
        ("POST /_ml/anomaly_detectors/j/_open", Value::Null, "cluster:admin/xpack/ml/job/open"),
        ("POST /_ml/anomaly_detectors/missing/_open", Value::Null, "cluster:admin/xpack/ml/job/open"),
        ("POST /_ml/anomaly_detectors/_all/_close", Value::Null, "cluster:admin/xpack/ml/job/close"),
        ("POST /_ml/anomaly_detectors/j/_flush", Value::Null, "cluster:admin/xpack/ml/job/flush"),
        ("POST /_ml/anomaly_detectors/j/_data", json!({"time": 1}), "cluster:admin/xpack/ml/job/data/post"),
        ("POST /_ml/anomaly_detectors/j/_forecast", Value::Null, "cluster:admin/xpack/ml/job/forecast"),
        ("DELETE /_ml/anomaly_detectors/j/_forecast", Value::Null, "cluster:admin/xpack/ml/job/forecast/delete"),
        ("POST /_ml/anomaly_detectors/j/model_snapshots/1/_revert", Value::Null, "cluster:admin/xpack/ml/job/model_snapshots/revert"),
        ("POST /_ml/anomaly_detectors/j/model_snapshots/1/_update", json!({}), "cluster:admin/xpack/ml/job/model_snapshots/update"),
        ("POST /_ml/anomaly_detectors/j/model_snapshots/1/_upgrade", Value::Null, "cluster:admin/xpack/ml/job/model_snapshots/upgrade"),
        ("DELETE /_ml/anomaly_detectors/j/model_snapshots/1", Value::Null, "cluster:admin/xpack/ml/job/model_snapshots/delete"),
        ("DELETE /_ml/_delete_expired_data", Value::Null, "cluster:admin/xpack/ml/delete_expired_data"),
        ("PUT /_ml/filters/f", json!({}), "cluster:admin/xpack/ml/filters/put"),
        ("POST /_ml/filters/f/_update", json!({}), "cluster:admin/xpack/ml/filters/update"),
        ("DELETE /_ml/filters/f", Value::Null, "cluster:admin/xpack/ml/filters/delete"),
        ("PUT /_ml/calendars/c", Value::Null, "cluster:admin/xpack/ml/calendars/put"),
        ("DELETE /_ml/calendars/c", Value::Null, "cluster:admin/xpack/ml/calendars/delete"),
        ("PUT /_ml/calendars/c/jobs/j", Value::Null, "cluster:admin/xpack/ml/calendars/jobs/update"),
        ("POST /_ml/calendars/c/events", json!({"events": [{"description": "", "start_time": 1, "end_time": 2}]}), "cluster:admin/xpack/ml/calendars/events/post"),
        ("DELETE /_ml/calendars/c/events/e", Value::Null, "cluster:admin/xpack/ml/calendars/events/delete"),
        ("PUT /_ml/datafeeds/n", json!({"job_id": "j", "indices": ["logs"]}), "cluster:admin/xpack/ml/datafeeds/put"),
        ("POST /_ml/datafeeds/j/_update", json!({}), "cluster:admin/xpack/ml/datafeeds/update"),
        ("DELETE /_ml/datafeeds/j", Value::Null, "cluster:admin/xpack/ml/datafeeds/delete"),
        ("POST /_ml/datafeeds/j/_start", Value::Null, "cluster:admin/xpack/ml/datafeed/start"),
        ("POST /_ml/datafeeds/_all/_stop", Value::Null, "cluster:admin/xpack/ml/datafeed/stop"),
    ];
    let mut seen = BTreeSet::new();
    for (line, body, action) in cases {
        let reason = format!("Cannot perform {action} action while upgrade mode is enabled");
        assert_eq!(bench.refused(line, body).await, (429, reason), "{line}");
        seen.insert(action);
    }
    assert_eq!(
        bench.refused("POST /_ml/anomaly_detectors/j/_reset", Value::Null).await,
        (409, "cannot reset job while indices are being upgraded".to_owned())
    );
    for line in [
        "GET /_ml/anomaly_detectors/j",
        "GET /_ml/anomaly_detectors/j/_stats",
        "GET /_ml/datafeeds/_all",
        "GET /_ml/info",
        "GET /_cat/ml/anomaly_detectors",
        "GET /_ml/anomaly_detectors/j/results/buckets",
    ] {
        bench.done(line, Value::Null).await;
    }
    let allowed = ["preview", "validate", "detector", "upgrade_mode", "reset", "estimate_model_memory"];
    let reads = ["cluster:admin/xpack/ml/filters/get"];
    for route in routes().iter().filter(|route| route.action.starts_with("cluster:admin/xpack/ml/")) {
        let last = route.action.rsplit('/').next().unwrap();
        let covered = seen.contains(route.action) || allowed.contains(&last) || reads.contains(&route.action);
        assert!(covered, "{} has no case", route.action);
    }
}

#[tokio::test]
async fn one_switch_at_a_time_and_the_flag_is_not_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let turn = bench.node.ml.parts.switching.lock().await;
    let (status, busy) = bench.call("POST /_ml/set_upgrade_mode?enabled=true", Value::Null).await;
    assert_eq!(status, 429);
    assert_eq!(
        busy["error"]["reason"],
        "Cannot change [upgrade_mode] for feature name [ml-set-upgrade-mode]. Previous request is still being processed."
    );
    assert_eq!(
        busy["error"]["caused_by"]["reason"],
        "Attempted to set [upgrade_mode] for feature name [ml-set-upgrade-mode] to [true] from [false] while previous \
         request was processing."
    );
    drop(turn);

    // A writer that does not end: a task in the table that nobody runs.
    bench.index(documents(0, 3)).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let stuck = bench.node.ml.parts.local.now().tasks.into_iter().next().unwrap().1;
    let key = crate::node::ml::persistent::TaskKey::Job("stuck".to_owned());
    let entry = bench.node.ml.parts.local.enter(key, stuck);
    let (status, late) = bench.call("POST /_ml/set_upgrade_mode?enabled=true&timeout=0", Value::Null).await;
    assert_eq!((status, &late["error"]["type"]), (500, &json!("failed_node_exception")));
    assert_eq!(late["error"]["caused_by"]["type"], "timeout_exception");
    assert_eq!(bench.done("GET /_ml/info", Value::Null).await["upgrade_mode"], true);
    enable(&bench).await;
    let tasks = bench.done("GET /_tasks?actions=xpack/ml/job*", Value::Null).await;
    assert_ne!(tasks, json!({"nodes": {}}), "the retry was acknowledged early, as in Elasticsearch");
    drop(entry);
}

#[tokio::test]
async fn upgrade_mode_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 30)).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
    enable(&bench).await;
    bench.stop().await;
    let bench = Bench::start(folder.path()).await;
    let stats = bench.job_stats("j").await;
    assert_eq!((&stats["state"], stats.get("node")), (&json!("opened"), None));
    bench.done("POST /_ml/set_upgrade_mode?enabled=false", Value::Null).await;
    bench.until_counted("j", 30).await;
}
