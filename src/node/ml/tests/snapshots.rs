use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, killed, results};

const DAY_MS: i64 = 86_400_000;

/// Runs the job's datafeed from where it stands up to a minute, and closes the job; gives the id of its snapshot.
async fn run_until(bench: &Bench, minute: i64) -> String {
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let end = START_MS + minute * MINUTE_MS;
    bench.done(&format!("POST /_ml/datafeeds/j/_start?end={end}"), Value::Null).await;
    bench.until_state("j", "closed").await;
    active(bench).await
}

async fn active(bench: &Bench) -> String {
    let shown = bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await;
    shown["jobs"][0]["model_snapshot_id"].as_str().unwrap().to_owned()
}

async fn ids(bench: &Bench) -> Vec<String> {
    let listed = bench.done("GET /_ml/anomaly_detectors/j/model_snapshots?desc=false", Value::Null).await;
    let snapshots = listed["model_snapshots"].as_array().unwrap().iter();
    snapshots.map(|snapshot| snapshot["snapshot_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_reverted_job_comes_to_the_same_results_again() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 600)).await;
    bench.job_with_datafeed("j").await;
    let first = run_until(&bench, 80).await;
    let half = results(&bench, "j").await;
    let second = run_until(&bench, 200).await;
    let whole = results(&bench, "j").await;
    assert_eq!(whole.0["count"], 199);

    for target in [first.as_str(), "empty"] {
        let line =
            format!("POST /_ml/anomaly_detectors/j/model_snapshots/{target}/_revert?delete_intervening_results=true");
        let reverted = bench.done(&line, Value::Null).await;
        assert_eq!(reverted["model"]["snapshot_id"], target);
        assert_eq!(active(&bench).await, target);
        let left = results(&bench, "j").await;
        if target == "empty" {
            assert_eq!(left.0["count"], 0)
        } else {
            assert_eq!(left, half)
        }
        let latest = bench.job_stats("j").await["data_counts"]["latest_record_timestamp"].clone();
        assert_eq!(latest, reverted["model"]["latest_record_time_stamp"]);
        let again = run_until(&bench, 200).await;
        assert!(again > second, "no id is given twice");
        assert_eq!(results(&bench, "j").await, whole, "after {target}");
    }
}

#[tokio::test]
async fn without_delete_intervening_results_the_job_goes_on_from_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 600)).await;
    bench.job_with_datafeed("j").await;
    let first = run_until(&bench, 80).await;
    run_until(&bench, 150).await;
    let before = results(&bench, "j").await;
    let records = bench.job_stats("j").await["data_counts"]["processed_record_count"].clone();
    bench.done(&format!("POST /_ml/anomaly_detectors/j/model_snapshots/{first}/_revert"), json!({})).await;
    assert_eq!(results(&bench, "j").await, before);
    assert_eq!(bench.job_stats("j").await["data_counts"]["processed_record_count"], records);
    let third = run_until(&bench, 200).await;
    assert!(third > first);
    let (buckets, _) = results(&bench, "j").await;
    assert_eq!(buckets["count"], 199);
    let events: Vec<_> =
        buckets["buckets"].as_array().unwrap().iter().map(|bucket| bucket["event_count"].clone()).collect();
    assert_eq!(events, vec![json!(3); 199], "nothing was read twice or left out");
}

#[test]
fn a_revert_that_a_kill_cuts_off_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let first = killed(path, async |bench| {
        bench.index(documents(0, 600)).await;
        bench.job_with_datafeed("j").await;
        let first = run_until(bench, 80).await;
        run_until(bench, 200).await;
        first
    });
    killed(path, async |bench| {
        let line =
            format!("POST /_ml/anomaly_detectors/j/model_snapshots/{first}/_revert?delete_intervening_results=true");
        let mut changes = bench.node.ml.parts.cluster.subscribe();
        let blocked = changes.wait_for(|metadata| !metadata.blocked.is_empty());
        // Killed as soon as the mark is on disk, or a little later.
        tokio::select! {
            _ = bench.call(&line, Value::Null) => {}
            _ = blocked => {}
        }
    });
    killed(path, async |bench| {
        let parts = &bench.node.ml.parts;
        assert!(parts.cluster.wait(60_000, |metadata| metadata.blocked.is_empty()).await);
        assert_eq!(active(bench).await, first);
        assert_eq!(results(bench, "j").await.0["count"], 79);
    });
}

#[tokio::test]
async fn snapshots_are_changed_deleted_and_never_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 300)).await;
    bench.job_with_datafeed("j").await;
    let first = run_until(&bench, 40).await;
    let second = run_until(&bench, 80).await;
    assert_eq!(ids(&bench).await, [first.clone(), second.clone()]);
    let one = format!("/_ml/anomaly_detectors/j/model_snapshots/{first}");
    let two = format!("/_ml/anomaly_detectors/j/model_snapshots/{second}");

    let updated = bench.done(&format!("POST {one}/_update"), json!({"description": "good", "retain": true})).await;
    assert_eq!((&updated["acknowledged"], &updated["model"]["retain"]), (&json!(true), &json!(true)));
    let listed = bench.done(&format!("GET {one}"), Value::Null).await;
    assert_eq!((&listed["count"], &listed["model_snapshots"][0]), (&json!(1), &updated["model"]));
    let both = format!("{first},{second}");
    for (ids, count) in [(both.as_str(), 2), (&format!("{first},x"), 1), ("1*", 2), ("_all", 2)] {
        let listed = bench.done(&format!("GET /_ml/anomaly_detectors/j/model_snapshots/{ids}"), Value::Null).await;
        assert_eq!(listed["count"], count, "{ids}");
    }
    let current =
        format!("Cannot upgrade job [j] snapshot [{second}] as it is already compatible with current version 9.1.0");
    let active = format!("Model snapshot '{second}' is the active snapshot for job 'j', so cannot be deleted");
    let none = "No model snapshot with id [x] exists for job [j]".to_owned();
    let x = "/_ml/anomaly_detectors/j/model_snapshots/x";
    for (line, body, status, reason) in [
        (format!("POST {two}/_upgrade"), Value::Null, 409, &current),
        (format!("DELETE {two}"), Value::Null, 400, &active),
        (format!("DELETE {x}"), Value::Null, 404, &none),
        (format!("POST {x}/_update"), json!({}), 404, &none),
        (format!("POST {x}/_revert"), Value::Null, 404, &none),
        (format!("POST {x}/_upgrade"), Value::Null, 404, &none),
        (
            "DELETE /_ml/anomaly_detectors/no/model_snapshots/1".to_owned(),
            Value::Null,
            404,
            &"No known job with id 'no'".to_owned(),
        ),
        (
            format!("POST {one}/_update"),
            json!({"a": 1}),
            400,
            &"[update_model_snapshot_request] unknown field [a]".to_owned(),
        ),
    ] {
        assert_eq!(bench.refused(&line, body).await, (status, reason.clone()), "{line}");
    }
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let (status, reason) = bench.refused(&format!("POST {one}/_revert"), Value::Null).await;
    assert_eq!((status, reason.as_str()), (409, "Can only revert to a model snapshot when the job is closed."));
    let (status, _) = bench.refused(&format!("POST {two}/_upgrade"), Value::Null).await;
    assert_eq!(status, 409);
    let upgrades = bench.done(&format!("GET {one}/_upgrade/_stats"), Value::Null).await;
    assert_eq!(upgrades, json!({"count": 0, "model_snapshot_upgrades": []}));
    assert_eq!(bench.done(&format!("DELETE {one}"), Value::Null).await, json!({"acknowledged": true}));
    assert_eq!(ids(&bench).await, [second]);
    let state = bench.node.core.documents.document(".ml-state", &format!("j_model_state_{first}#1")).unwrap();
    assert_eq!(state, None, "the state goes with its snapshot");
}

#[tokio::test]
async fn expired_snapshots_and_results_go_and_what_is_retained_stays() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut config = job("count", None);
    config["results_retention_days"] = json!(2);
    config["model_snapshot_retention_days"] = json!(3);
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    let now_ms = START_MS + 400 * MINUTE_MS;
    // Three snapshots a day for six days; the clock and the data go on together.
    for number in 0..18 {
        let time = now_ms + number * DAY_MS / 3;
        bench.clock.set(time);
        bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
        bench.done("POST /_ml/anomaly_detectors/j/_data", json!({"time": time})).await;
        bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
        if number == 1 {
            let line = format!("POST /_ml/anomaly_detectors/j/model_snapshots/{}/_update", active(&bench).await);
            bench.done(&line, json!({"retain": true})).await;
        }
    }
    let left: Vec<i64> =
        ids(&bench).await.iter().map(|id| (id.parse::<i64>().unwrap() - now_ms / 1000) * 3 / 86_400).collect();
    assert_eq!(left, [1, 9, 12, 14, 15, 16, 17], "the retained one, one a day, and those of the last day");

    let oldest = async || {
        let buckets = bench.done("GET /_ml/anomaly_detectors/j/results/buckets?size=1", Value::Null).await;
        buckets["buckets"][0]["timestamp"].as_i64().unwrap()
    };
    let begun = oldest().await;
    for timeless in ["?timeout=0", "?requests_per_second=0.001&timeout=1s"] {
        let cut = bench.done(&format!("DELETE /_ml/_delete_expired_data{timeless}"), Value::Null).await;
        assert_eq!(cut, json!({"deleted": false}), "{timeless}");
    }
    let done =
        bench.done("DELETE /_ml/_delete_expired_data/j", json!({"requests_per_second": -1, "timeout": "1h"})).await;
    assert_eq!(done, json!({"deleted": true}));
    let newest = now_ms + 17 * DAY_MS / 3;
    let cutoff = newest - newest.rem_euclid(MINUTE_MS) - MINUTE_MS - 2 * DAY_MS;
    assert!(begun < cutoff && oldest().await == cutoff, "{begun} {cutoff}");
    let refused = bench.refused("DELETE /_ml/_delete_expired_data?requests_per_second=0", Value::Null).await;
    assert_eq!(
        refused,
        (400, "Validation Failed: 1: [requests_per_second] must either be -1 or greater than 0;".to_owned())
    );
}
