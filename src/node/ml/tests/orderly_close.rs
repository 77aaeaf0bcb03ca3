//! What an orderly close promises, a test a promise: buffers are flushed, final results are calculated, the model is pruned, the
//! snapshot is saved, the job is closed; opened again it continues from that snapshot.

use std::sync::Arc;

use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, killed, results};
use crate::node::ml::persistent::{Phase, TaskKey};
use crate::node::store::Batch;

const OPEN: &str = "POST /_ml/anomaly_detectors/j/_open";
const CLOSE: &str = "POST /_ml/anomaly_detectors/j/_close";
const DATA: &str = "POST /_ml/anomaly_detectors/j/_data";
const FLUSH: &str = "POST /_ml/anomaly_detectors/j/_flush";

async fn open_job(bench: &Bench, config: Value) {
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    bench.done(OPEN, Value::Null).await;
}

/// Three records a minute, from minute `from` up to `until`, which is not part of it.
async fn post_minutes(bench: &Bench, from: i64, until: i64) {
    let lines: String = documents(from, (until - from) * 3).map(|(_, document)| document.to_string()).collect();
    bench.done(DATA, Value::String(lines)).await;
}

async fn buckets(bench: &Bench) -> Vec<Value> {
    results(bench, "j").await.0["buckets"].as_array().unwrap().clone()
}

async fn snapshots(bench: &Bench) -> Vec<Value> {
    let listed = bench.done("GET /_ml/anomaly_detectors/j/model_snapshots?desc=true", Value::Null).await;
    listed["model_snapshots"].as_array().unwrap().clone()
}

/// The snapshot that the job says it would be opened from.
async fn active(bench: &Bench) -> String {
    let shown = bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await;
    shown["jobs"][0]["model_snapshot_id"].as_str().unwrap().to_owned()
}

/// What a snapshot holds, as it is stored in `.ml-state`: learned, unfinished.
fn saved(bench: &Bench, snapshot_id: &str) -> (Value, Value) {
    let id = format!("j_model_state_{snapshot_id}#1");
    let document = bench.node.core.documents.document(".ml-state", &id).unwrap().unwrap_or_else(|| panic!("no {id}"));
    let state: Value = serde_json::from_str(document.source["state"].as_str().unwrap()).unwrap();
    (state["learned"].clone(), state["unfinished"].clone())
}

/// What an open job has in memory, as its next batch writes it: learned, unfinished.
async fn in_memory(bench: &Bench) -> (Value, Value) {
    bench.done(FLUSH, Value::Null).await;
    let read = |key: &str| serde_json::from_slice(&bench.node.core.store.state(key).unwrap().unwrap()).unwrap();
    (read("ml/learned/j"), read("ml/unfinished/j"))
}

/// Posts one record after another until the job takes none any more; gives how many it acknowledged.
async fn post_until_refused(bench: Arc<Bench>) -> u64 {
    let record = json!({"time": START_MS, "value": 1});
    for acknowledged in 0.. {
        match bench.call(DATA, record.clone()).await {
            (202, _) => {}
            (409, _) => return acknowledged,
            other => panic!("{other:?}"),
        }
    }
    unreachable!("a job is closed before so many")
}

async fn flush_until_refused(bench: Arc<Bench>) {
    while bench.call(FLUSH, Value::Null).await.0 == 200 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_while_the_job_closes_is_refused_or_in_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Arc::new(Bench::start(folder.path()).await);
    open_job(&bench, job("count", None)).await;
    let posters: Vec<_> = (0..6).map(|_| tokio::spawn(post_until_refused(Arc::clone(&bench)))).collect();
    let flusher = tokio::spawn(flush_until_refused(Arc::clone(&bench)));
    bench.until("j", |stats| stats["data_counts"]["processed_record_count"].as_u64() > Some(20)).await;
    bench.done(CLOSE, Value::Null).await;
    let mut acknowledged = 0;
    for poster in posters {
        acknowledged += poster.await.unwrap();
    }
    flusher.await.unwrap();
    assert_eq!(bench.job_stats("j").await["data_counts"]["processed_record_count"], acknowledged);
    bench.done(OPEN, Value::Null).await;
    bench.done(DATA, json!({"time": START_MS + MINUTE_MS, "value": 1})).await;
    assert_eq!(buckets(&bench).await[0]["event_count"], acknowledged, "and the partial bucket was saved with them");
}

#[tokio::test]
async fn a_close_makes_final_what_was_complete_and_leaves_nothing_interim() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut config = job("mean", Some("value"));
    config["analysis_config"]["latency"] = json!("5m");
    open_job(&bench, config).await;
    post_minutes(&bench, 0, 92).await;
    bench.done(&format!("{FLUSH}?calc_interim=true"), Value::Null).await;
    let before = buckets(&bench).await;
    let interim = |buckets: &[Value]| buckets.iter().filter(|bucket| bucket["is_interim"] == true).count();
    assert_eq!((before.len(), interim(&before)), (92, 6), "what the latency holds back, and the partial one");
    bench.done(CLOSE, Value::Null).await;
    let after = buckets(&bench).await;
    assert_eq!((after.len(), interim(&after)), (91, 0), "all but the partial one are final");
    assert!(after.iter().all(|bucket| bucket["event_count"] == 3));
    let records = results(&bench, "j").await.1["records"].clone();
    assert_eq!(records[0]["timestamp"], START_MS + 90 * MINUTE_MS, "the anomaly that the latency held back");
    assert_eq!(records[0]["is_interim"], false);
    assert_eq!(bench.job_stats("j").await["data_counts"]["latest_bucket_timestamp"], START_MS + 90 * MINUTE_MS);
}

#[tokio::test]
async fn a_close_prunes_the_models_and_the_snapshot_is_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut config = job("count", None);
    config["analysis_config"]["model_prune_window"] = json!("10m");
    config["analysis_config"]["detectors"][0]["partition_field_name"] = json!("host");
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let record = |minute: i64| {
        let host = if minute < 5 { "gone" } else { "here" };
        json!({"time": START_MS + minute * MINUTE_MS, "host": host}).to_string()
    };
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String((0..30).map(record).collect())).await;
    let hosts = |size: &Value| size["total_partition_field_count"].clone();
    let open = bench.job_stats("j").await["model_size_stats"].clone();
    assert_eq!(hosts(&open), 2);
    bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    let closed = bench.job_stats("j").await["model_size_stats"].clone();
    assert_eq!(hosts(&closed), 1, "nothing of the idle host is left");
    assert!(closed["model_bytes"].as_u64() < open["model_bytes"].as_u64());
    let snapshots = bench.done("GET /_ml/anomaly_detectors/j/model_snapshots", Value::Null).await;
    assert_eq!(hosts(&snapshots["model_snapshots"][0]["model_size_stats"]), 1);
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(record(31))).await;
    assert_eq!(hosts(&bench.job_stats("j").await["model_size_stats"]), 1);
}

#[tokio::test]
async fn a_close_saves_one_snapshot_with_its_time_and_none_if_nothing_came() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let now_ms = START_MS + 50 * MINUTE_MS;
    bench.clock.set(now_ms);
    open_job(&bench, job("mean", Some("value"))).await;
    post_minutes(&bench, 0, 20).await;
    assert_eq!(snapshots(&bench).await, Vec::<Value>::new());
    bench.done(CLOSE, Value::Null).await;
    let id = (now_ms / 1000).to_string();
    let listed = snapshots(&bench).await;
    assert_eq!(listed.len(), 1);
    for (name, value) in [
        ("job_id", json!("j")),
        ("snapshot_id", json!(id)),
        ("timestamp", json!(now_ms)),
        ("description", json!("State persisted due to job close at 2026-01-01T00:50:00.000Z")),
        ("latest_record_time_stamp", json!(START_MS + 19 * MINUTE_MS + 30_000)),
        ("latest_result_time_stamp", json!(START_MS + 18 * MINUTE_MS)),
        ("retain", json!(false)),
    ] {
        assert_eq!(listed[0][name], value, "{name}");
    }
    let shown = bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await["jobs"][0].clone();
    assert_eq!((&shown["model_snapshot_id"], &shown["finished_time"]), (&json!(id), &json!(now_ms)));
    saved(&bench, &id);

    bench.done(OPEN, Value::Null).await;
    bench.done(CLOSE, Value::Null).await;
    assert_eq!(snapshots(&bench).await, listed, "nothing came: nothing to save");
    bench.done(OPEN, Value::Null).await;
    post_minutes(&bench, 20, 21).await;
    bench.done(CLOSE, Value::Null).await;
    assert_eq!(active(&bench).await, (now_ms / 1000 + 1).to_string(), "within one second no id is given twice");
}

#[tokio::test]
async fn a_closed_job_has_no_task_no_working_state_and_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    open_job(&bench, job("mean", Some("value"))).await;
    post_minutes(&bench, 0, 20).await;
    bench.done(CLOSE, Value::Null).await;
    let stats = bench.job_stats("j").await;
    assert_eq!((&stats["state"], stats.get("node"), stats.get("open_time")), (&json!("closed"), None, None));
    assert_eq!(bench.done("GET /_tasks", Value::Null).await, json!({"nodes": {}}));
    let kept = bench.node.core.store.state_prefix("ml/").unwrap();
    let keys: Vec<&str> = kept.iter().map(|(key, _)| key.as_ref()).collect();
    assert_eq!(keys, ["ml/job/j", "ml/progress/j", "ml/standing"]);
    let closed = (409, "Cannot perform requested action because job [j] is not open".to_owned());
    for line in [DATA, FLUSH, "POST /_ml/anomaly_detectors/j/_forecast"] {
        assert_eq!(bench.refused(line, Value::Null).await, closed, "{line}");
    }
}

#[test]
fn an_opened_job_is_what_its_snapshot_holds_also_after_kills() {
    let folder = tempfile::tempdir().unwrap();
    let kept = killed(folder.path(), async |bench| {
        open_job(bench, job("mean", Some("value"))).await;
        post_minutes(bench, 0, 40).await;
        let before = in_memory(bench).await;
        bench.done(CLOSE, Value::Null).await;
        let kept = saved(bench, &active(bench).await);
        assert_eq!(kept, before, "40 minutes are far from being pruned");
        kept
    });
    // Killed with the job closed, then open and not written to yet, then written to.
    for _ in 0..3 {
        killed(folder.path(), async |bench| {
            let (status, answer) = bench.call(OPEN, Value::Null).await;
            assert!(matches!(status, 200 | 409), "{answer}");
            bench.until_state("j", "opened").await;
        });
        killed(folder.path(), async |bench| {
            bench.until_state("j", "opened").await;
            assert_eq!(in_memory(bench).await, kept);
        });
    }
}

#[tokio::test]
async fn after_a_restart_the_first_request_finds_an_open_job_open() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    open_job(&bench, job("count", None)).await;
    bench.stop().await;
    let bench = Bench::start(folder.path()).await;
    assert!(bench.node.ml.parts.local.commands("j").is_some(), "nothing else has had its turn yet");
    post_minutes(&bench, 0, 2).await;
    assert_eq!(buckets(&bench).await.len(), 1);
}

#[tokio::test]
async fn after_a_revert_an_opened_job_is_what_the_older_snapshot_holds() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    open_job(&bench, job("mean", Some("value"))).await;
    post_minutes(&bench, 0, 40).await;
    bench.done(CLOSE, Value::Null).await;
    let (older, half) = (active(&bench).await, buckets(&bench).await);
    bench.done(OPEN, Value::Null).await;
    post_minutes(&bench, 40, 80).await;
    bench.done(CLOSE, Value::Null).await;
    let newer = active(&bench).await;
    assert_ne!(saved(&bench, &older), saved(&bench, &newer));
    for target in [&older, &newer, &older] {
        let line =
            format!("POST /_ml/anomaly_detectors/j/model_snapshots/{target}/_revert?delete_intervening_results=true");
        bench.done(&line, Value::Null).await;
        bench.done(OPEN, Value::Null).await;
        assert_eq!(in_memory(&bench).await, saved(&bench, target));
        bench.done(CLOSE, Value::Null).await;
        assert_eq!(&active(&bench).await, target, "nothing came: it stays the job's snapshot");
    }
    assert_eq!(buckets(&bench).await, half);

    let mut batch = Batch::new();
    batch.delete(".ml-state", format!("j_model_state_{older}#1"));
    bench.node.core.store.commit(batch).await.unwrap().all().unwrap();
    bench.call(OPEN, Value::Null).await;
    assert_eq!(bench.job_stats("j").await["state"], "failed", "without its snapshot it does not begin anew");
}

#[test]
fn a_close_that_a_kill_cuts_off_comes_to_its_end_with_the_next_start() {
    for minutes in [2, 9, 40] {
        let folder = tempfile::tempdir().unwrap();
        killed(folder.path(), async |bench| {
            open_job(bench, job("mean", Some("value"))).await;
            post_minutes(bench, 0, minutes).await;
            let mut changes = bench.node.ml.parts.cluster.subscribe();
            let key = TaskKey::Job("j".to_owned());
            let closing =
                changes.wait_for(|metadata| metadata.tasks.get(&key).is_none_or(|task| task.phase == Phase::Ending));
            // Killed as soon as the mark is on disk, or a little later.
            tokio::select! {
                _ = closing => {}
                _ = bench.call(CLOSE, Value::Null) => {}
            }
        });
        killed(folder.path(), async |bench| {
            let stats = bench.until_state("j", "closed").await;
            assert_eq!(stats["data_counts"]["processed_record_count"], minutes * 3);
            assert_eq!(buckets(bench).await.len() as i64, minutes - 1);
            assert_eq!(snapshots(bench).await.len(), 1);
            bench.done(OPEN, Value::Null).await;
            assert_eq!(in_memory(bench).await, saved(bench, &active(bench).await));
        });
    }
}
