use std::sync::Arc;

use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, killed, results};
use crate::node::ml::feed::Task;
use crate::node::ml::notification::Level;
use crate::node::ml::persistent::TimeRange;

const RESET: &str = "POST /_features/_reset";

/// A job with a snapshot, results, a forecast, a filter, a calendar with an event, and a datafeed that runs in real time.
async fn filled(bench: &Bench) {
    bench.clock.set(START_MS + 100 * MINUTE_MS);
    bench.index(documents(0, 300)).await;
    bench.done("PUT /_ml/filters/f", json!({"items": ["a"]})).await;
    bench.done("PUT /_ml/calendars/c", json!({"job_ids": ["j"]})).await;
    let event = json!({"description": "e", "start_time": START_MS, "end_time": START_MS + MINUTE_MS});
    bench.done("POST /_ml/calendars/c/events", json!({"events": [event]})).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done(&format!("POST /_ml/datafeeds/j/_start?end={}", START_MS + 90 * MINUTE_MS), Value::Null).await;
    bench.until_state("j", "closed").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/anomaly_detectors/j/_forecast?duration=10m", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
    bench.until_counted("j", 300).await;
}

/// What is left of ML: the keys of its state, and its indices with the number of their documents.
fn left(bench: &Bench) -> (Vec<String>, Vec<(String, u64)>) {
    let core = &bench.node.core;
    let keys = core.store.state_prefix("ml/").unwrap().into_iter().map(|(key, _)| key.to_string()).collect();
    let catalogue = core.store.catalogue();
    let indices = catalogue.indices().filter(|index| index.name.starts_with('.'));
    let count = |number| core.store.read(|reader| Ok(reader.counters(number)?.documents)).unwrap();
    let counted = indices.map(|index| (index.name.to_string(), count(index.number))).collect();
    (keys, counted)
}

fn nothing() -> (Vec<String>, Vec<(String, u64)>) {
    let own = [".ml-config", ".ml-meta", ".ml-notifications-000002", ".ml-state"];
    (vec!["ml/standing".to_owned()], own.map(|index| (index.to_owned(), 0)).into())
}

fn succeeded() -> Value {
    json!({"features": [
        {"feature_name": "machine_learning", "status": "SUCCESS"},
        {"feature_name": "tasks", "status": "SUCCESS"},
    ]})
}

#[tokio::test]
async fn a_reset_leaves_nothing_of_machine_learning_and_upgrade_mode_off() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let features = bench.done("GET /_features", Value::Null).await;
    let names: Vec<&Value> = features["features"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["machine_learning", "tasks"]);
    for held in [false, true] {
        filled(&bench).await;
        bench.done("PUT /_ml/anomaly_detectors/k", job("count", None)).await;
        bench.done("DELETE /_ml/anomaly_detectors/k?wait_for_completion=false", Value::Null).await;
        bench.done(&format!("POST /_ml/set_upgrade_mode?enabled={held}"), Value::Null).await;
        assert_eq!(bench.done(RESET, Value::Null).await, succeeded());
        assert_eq!(left(&bench), nothing(), "with upgrade mode {held}");
        assert_eq!(bench.done("GET /_ml/info", Value::Null).await["upgrade_mode"], false);
        assert_eq!(bench.done("GET /_tasks", Value::Null).await, json!({"nodes": {}}));
        for list in ["anomaly_detectors", "datafeeds", "filters", "calendars"] {
            assert_eq!(bench.done(&format!("GET /_ml/{list}"), Value::Null).await["count"], 0, "{list}");
        }
        assert_eq!(bench.done("GET /_ml/calendars/_all/events", Value::Null).await["count"], 0);
    }
    // What was there before is not taken up by what is made anew.
    filled(&bench).await;
    bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    let stats = bench.job_stats("j").await;
    assert_eq!(stats["data_counts"]["input_record_count"], 300);
    assert_eq!(results(&bench, "j").await.0["count"], 99);
    bench.stop().await;
    Bench::start(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_after_a_reset_by_what_ran_before() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 900)).await;
    for id in ["a", "b", "c", "d"] {
        bench.job_with_datafeed(id).await;
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_open"), Value::Null).await;
        bench.done(&format!("POST /_ml/datafeeds/{id}/_start"), Value::Null).await;
    }
    bench.until("d", |stats| stats["data_counts"]["processed_record_count"].as_u64() > Some(0)).await;
    assert_eq!(bench.done(RESET, Value::Null).await, succeeded());
    let mut commits = bench.node.core.store.subscribe();
    commits.borrow_and_update();
    assert_eq!(left(&bench), nothing());
    assert!(bench.node.ml.parts.local.now().tasks.is_empty());
    assert!(!commits.has_changed().unwrap());
}

#[tokio::test]
async fn a_datafeed_whose_task_was_taken_away_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    filled(&bench).await;
    let parts = &bench.node.ml.parts;
    let allocation = parts.cluster.now().datafeed_task("j").unwrap().allocation;
    let task = Task { parts: Arc::clone(parts), datafeed_id: "j".to_owned(), allocation, range: TimeRange::default() };
    let messages = || left(&bench).1.into_iter().find(|(index, _)| index.starts_with(".ml-notifications")).unwrap().1;
    let before = messages();
    task.tell("j", Level::Info, "ours").await;
    assert_eq!(messages(), before + 1);
    bench.done(RESET, Value::Null).await;
    task.tell("j", Level::Info, "not ours any more").await;
    assert_eq!(left(&bench), nothing());
}

#[tokio::test]
async fn a_reset_that_cannot_be_done_says_so_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("count", None)).await;
    bench.done("POST /_ml/set_upgrade_mode?enabled=true", Value::Null).await;
    let turn = bench.node.ml.parts.switching.lock().await;
    let (status, answer) = bench.call(RESET, Value::Null).await;
    drop(turn);
    let reason = "Cannot change [upgrade_mode] for feature name [ml-set-upgrade-mode]. Previous request is still being processed.";
    assert_eq!(status, 500);
    assert_eq!(answer["features"][1], succeeded()["features"][1]);
    let failed = &answer["features"][0];
    assert_eq!((&failed["feature_name"], &failed["status"]), (&json!("machine_learning"), &json!("FAILURE")));
    assert_eq!((&failed["exception"]["type"], &failed["exception"]["reason"]), (&json!("exception"), &json!(reason)));
    assert_eq!(failed["exception"]["caused_by"]["type"], "status_exception");
    assert_eq!(bench.done("GET /_ml/anomaly_detectors", Value::Null).await["count"], 1);
    assert_eq!(bench.done("GET /_ml/info", Value::Null).await["upgrade_mode"], true);
    for line in [RESET, "GET /_features"] {
        let refused = bench.refused(line, json!({})).await;
        assert!(refused.1.ends_with("does not support having a body"), "{refused:?}");
    }
}

#[test]
fn a_kill_finds_a_reset_done_or_not_begun() {
    for commits in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        killed(folder.path(), async |bench| {
            filled(bench).await;
            let mut seen = bench.node.core.store.subscribe();
            seen.borrow_and_update();
            let mut some = async || {
                for _ in 0..commits {
                    seen.changed().await.unwrap();
                }
            };
            tokio::select! {
                () = some() => {}
                _ = bench.call(RESET, Value::Null) => {}
            }
        });
        killed(folder.path(), async |bench| {
            let jobs = bench.done("GET /_ml/anomaly_detectors", Value::Null).await["count"].clone();
            if jobs == 0 {
                let (keys, indices) = left(bench);
                assert_eq!((&keys, &indices[..4]), (&nothing().0, &nothing().1[..]));
            } else {
                bench.until_counted("j", 300).await;
                bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
                assert_eq!(results(bench, "j").await.0["count"], 99);
            }
        });
    }
}
