use proptest::prelude::*;
use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, killed, killed_at, results};

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

/// What happens to a datafeed on its way.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Documents of so many minutes come, and the clock moves on by as many.
    Documents(i64),
    Stop,
    ForceStop,
    Close,
    ForceClose,
    UpgradeMode,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1..40_i64).prop_map(Event::Documents),
        1 => Just(Event::Stop),
        1 => Just(Event::ForceStop),
        1 => Just(Event::Close),
        1 => Just(Event::ForceClose),
        1 => Just(Event::UpgradeMode),
    ]
}

/// Opens the job and starts its datafeed unless they are; the answers tell.
async fn resume(bench: &Bench) {
    for line in ["POST /_ml/anomaly_detectors/j/_open", "POST /_ml/datafeeds/j/_start"] {
        let (status, answer) = bench.call(line, Value::Null).await;
        assert!(matches!(status, 200 | 409), "{line}: {answer}");
    }
}

async fn happen(bench: &Bench, event: Event, minutes: &mut i64) {
    match event {
        Event::Documents(more) => {
            // In this order: what comes after its time has been read is late.
            bench.index(documents(*minutes, more * 3)).await;
            *minutes += more;
            bench.clock.set(START_MS + *minutes * MINUTE_MS);
        }
        Event::UpgradeMode => {
            for enabled in [true, false] {
                bench.done(&format!("POST /_ml/set_upgrade_mode?enabled={enabled}&timeout=1m"), Value::Null).await;
            }
        }
        Event::Stop => drop(bench.done("POST /_ml/datafeeds/j/_stop", Value::Null).await),
        Event::ForceStop => drop(bench.done("POST /_ml/datafeeds/j/_stop?force=true", Value::Null).await),
        Event::Close => drop(bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await),
        Event::ForceClose => drop(bench.done("POST /_ml/anomaly_detectors/j/_close?force=true", Value::Null).await),
    }
}

/// Reads to the clock's time, closes, and gives the buckets: what was counted, minute by minute.
async fn finished(bench: &Bench) -> Value {
    bench.call("POST /_ml/datafeeds/j/_stop", Value::Null).await;
    bench.call("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start?end=now", Value::Null).await;
    bench.until_state("j", "closed").await;
    results(bench, "j").await.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 8, ..ProptestConfig::default() })]

    /// Each round ends with a kill.
    #[test]
    fn whatever_happens_no_document_is_lost_or_given_twice(
        rounds in prop::collection::vec(prop::collection::vec(event(), 1..5), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut minutes = 20;
        killed_at(folder.path(), START_MS + minutes * MINUTE_MS, async |bench| {
            bench.index(documents(0, minutes * 3)).await;
            bench.job_with_datafeed("j").await;
        });
        for round in rounds {
            killed_at(folder.path(), START_MS + minutes * MINUTE_MS, async |bench| {
                for event in round {
                    resume(bench).await;
                    happen(bench, event, &mut minutes).await;
                }
            });
        }
        killed_at(folder.path(), START_MS + minutes * MINUTE_MS, async |bench| {
            let buckets = finished(bench).await;
            let counted: Vec<_> = buckets["buckets"].as_array().unwrap().iter().map(|one| &one["event_count"]).collect();
            // Every minute but the last, whose bucket is not complete, and maybe it too.
            prop_assert!(counted.len() as i64 >= minutes - 1, "{} of {minutes}", counted.len());
            prop_assert!(counted.iter().all(|count| **count == json!(3)), "{counted:?}");
            let stats = bench.job_stats("j").await;
            prop_assert_eq!(&stats["data_counts"]["processed_record_count"], &json!(minutes * 3));
            prop_assert_eq!(&stats["data_counts"]["out_of_order_timestamp_count"], &json!(0));
            Ok(())
        })?;
    }
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
