use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, results};

#[tokio::test]
async fn a_job_is_made_shown_opened_fed_flushed_closed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let made = bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
    assert_eq!(made["job_id"], "j");
    assert_eq!(made["results_index_name"], "shared");
    assert_eq!(made["analysis_config"]["detectors"][0]["detector_description"], "mean(value)");
    assert_eq!(made["analysis_limits"]["model_memory_limit"], "1024mb");
    assert_eq!(bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await, json!({"count": 1, "jobs": [made]}));
    let stats = bench.job_stats("j").await;
    assert_eq!(
        (&stats["state"], stats.get("node"), stats.get("assignment_explanation")),
        (&json!("closed"), None, None)
    );

    let opened = bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    assert_eq!(opened, json!({"opened": true, "node": "node-id"}));
    let stats = bench.job_stats("j").await;
    assert_eq!((&stats["state"], &stats["node"]["id"]), (&json!("opened"), &json!("node-id")));
    assert_eq!(stats["assignment_explanation"], "");

    let lines: String = documents(0, 360).map(|(_, document)| format!("{document}\n")).collect();
    let (status, counts) = bench.call("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
    assert_eq!(status, 202);
    assert_eq!(counts["processed_record_count"], 360);
    assert_eq!(counts["bucket_count"], 119);
    let flushed = bench.done("POST /_ml/anomaly_detectors/j/_flush?calc_interim", Value::Null).await;
    assert_eq!(flushed, json!({"flushed": true, "last_finalized_bucket_end": START_MS + 119 * MINUTE_MS}));
    let (buckets, records) = results(&bench, "j").await;
    assert_eq!(buckets["count"], 120);
    assert_eq!(buckets["buckets"][119]["is_interim"], true);
    assert_eq!(records["records"][0]["timestamp"], START_MS + 90 * MINUTE_MS);
    assert!(records["records"][0]["record_score"].as_f64().unwrap() > 75.0);

    assert_eq!(bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await, json!({"closed": true}));
    assert_eq!(bench.done("POST /_ml/anomaly_detectors/_all/_close", Value::Null).await, json!({"closed": true}));
    let (buckets, _) = results(&bench, "j").await;
    assert_eq!(buckets["count"], 119, "the interim bucket is gone and the partial one is not written");
    let snapshots = bench.done("GET /_ml/anomaly_detectors/j/model_snapshots", Value::Null).await;
    assert_eq!(snapshots["count"], 1);
    let shown = bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await;
    assert_eq!(shown["jobs"][0]["model_snapshot_id"], snapshots["model_snapshots"][0]["snapshot_id"]);

    assert_eq!(bench.done("DELETE /_ml/anomaly_detectors/j", Value::Null).await, json!({"acknowledged": true}));
    assert_eq!(
        bench.refused("GET /_ml/anomaly_detectors/j", Value::Null).await,
        (404, "No known job with id 'j'".to_owned())
    );
    bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
    assert_eq!(results(&bench, "j").await.0["count"], 0, "a deleted job leaves no results");
}

#[tokio::test]
async fn a_datafeed_looks_back_and_closes_its_job_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 360)).await;
    bench.job_with_datafeed("j").await;
    let preview = bench.done("GET /_ml/datafeeds/j/_preview", Value::Null).await;
    assert_eq!(preview.as_array().unwrap().len(), 37);
    assert_eq!(preview[0], json!({"time": START_MS + 10_000, "value": 100}));
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let end = START_MS + 100 * MINUTE_MS;
    let started =
        bench.done(&format!("POST /_ml/datafeeds/j/_start?start=2026-01-01T00:00:00Z&end={end}"), Value::Null).await;
    assert_eq!(started, json!({"started": true, "node": "node-id"}));
    let stats = bench.until_state("j", "closed").await;
    assert_eq!(stats["data_counts"]["processed_record_count"], 300);
    assert_eq!(bench.datafeed_stats("j").await["state"], "stopped");
    assert_eq!(results(&bench, "j").await.0["count"], 99);
}

#[tokio::test]
async fn a_datafeed_goes_on_in_real_time_by_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 30)).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.clock.set(START_MS + 5 * MINUTE_MS);
    bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
    bench.until_counted("j", 15).await;
    bench.clock.set(START_MS + 8 * MINUTE_MS);
    bench.index(documents(8, 3)).await;
    let stats = bench.until("j", |stats| stats["data_counts"]["bucket_count"] == 8).await;
    assert_eq!(stats["data_counts"]["processed_record_count"], 24, "the buckets before the clock's time are final");
    let feed = bench.datafeed_stats("j").await;
    assert_eq!(feed["running_state"]["real_time_configured"], true);
    assert_eq!(feed["running_state"]["real_time_running"], true);
    assert_eq!(feed["running_state"]["search_interval"]["end_ms"], START_MS + 8 * MINUTE_MS);
    assert_eq!(bench.done("POST /_ml/datafeeds/j/_stop", Value::Null).await, json!({"stopped": true}));
    assert_eq!(bench.job_stats("j").await["state"], "opened");
}

#[tokio::test]
async fn closing_stops_the_datafeed_first_and_stop_can_close_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 30)).await;
    bench.job_with_datafeed("j").await;
    for end in ["POST /_ml/anomaly_detectors/j/_close", "POST /_ml/datafeeds/j/_stop?close_job=true"] {
        bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
        bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
        bench.done(end, Value::Null).await;
        assert_eq!(bench.job_stats("j").await["state"], "closed");
        assert_eq!(bench.datafeed_stats("j").await["state"], "stopped");
    }
    assert_eq!(bench.job_stats("j").await["data_counts"]["processed_record_count"], 30);
}

#[tokio::test]
async fn running_tasks_are_listed_by_action() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 30)).await;
    bench.job_with_datafeed("j").await;
    assert_eq!(bench.done("GET /_tasks?actions=xpack/ml/*", Value::Null).await, json!({"nodes": {}}));
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start", Value::Null).await;
    let tasks = bench.done("GET /_tasks?actions=xpack/ml/job,xpack/ml/datafeed[c]&detailed", Value::Null).await;
    let tasks = tasks["nodes"]["node-id"]["tasks"].as_object().unwrap();
    let described: Vec<_> = tasks.values().map(|task| (&task["action"], &task["description"])).collect();
    assert_eq!(described, [(&json!("xpack/ml/datafeed[c]"), &json!("datafeed-j"))]);
    let all = bench.done("GET /_tasks?actions=xpack/ml/job*,xpack/ml/datafeed*&group_by=none", Value::Null).await;
    assert_eq!(all["tasks"].as_array().unwrap().len(), 2);
    let cat = bench.done("GET /_cat/ml/anomaly_detectors?v&h=id,state,dpr&s=id", Value::Null).await;
    let lines: Vec<Vec<&str>> = cat.as_str().unwrap().lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["id", "state", "dpr"]);
    assert_eq!(lines[1][..2], ["j", "opened"]);
    let cat = bench.done("GET /_cat/ml/datafeeds?format=json&h=id,s", Value::Null).await;
    assert_eq!(cat, json!([{"id": "j", "s": "started"}]));
    assert!(bench.done("GET /_cat/tasks", Value::Null).await.as_str().unwrap().contains("xpack/ml/job[c]"));
}

#[tokio::test]
async fn names_expand_over_ids_wildcards_and_groups() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    for id in ["web-1", "web-2", "db"] {
        let mut config = job("count", None);
        config["groups"] = if id == "db" { json!([]) } else { json!(["web"]) };
        bench.done(&format!("PUT /_ml/anomaly_detectors/{id}"), config).await;
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_open"), Value::Null).await;
    }
    bench.done("POST /_ml/anomaly_detectors/web/_close", json!({"timeout": "1m", "force": false})).await;
    assert_eq!(bench.job_stats("web-1").await["state"], "closed");
    assert_eq!(bench.job_stats("db").await["state"], "opened");
    assert_eq!(
        bench.refused("POST /_ml/anomaly_detectors/x,db,y/_close", Value::Null).await,
        (404, "No known job with id 'x,y'".to_owned())
    );
    assert_eq!(
        bench.refused("POST /_ml/anomaly_detectors/no*/_close?allow_no_match=false", Value::Null).await,
        (404, "No known job with id 'no*'".to_owned())
    );
    bench.done("POST /_ml/anomaly_detectors/no*/_close", Value::Null).await;
    bench.done("POST /_ml/anomaly_detectors/*/_close?force=true", Value::Null).await;
    assert_eq!(
        bench
            .done("GET /_cat/ml/anomaly_detectors?h=state", Value::Null)
            .await
            .as_str()
            .unwrap()
            .matches("closed")
            .count(),
        3
    );
}

#[tokio::test]
async fn figures_are_those_of_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(documents(0, 360)).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/j/_start?end=now", Value::Null).await;
    let stats = bench.until_state("j", "closed").await;
    let bytes: usize = documents(0, 360).map(|(_, document)| document.to_string().len()).sum();
    assert_eq!(stats["data_counts"]["input_bytes"], bytes);
    let timing = |name: &str| stats["timing_stats"][format!("{name}_bucket_processing_time_ms")].as_f64().unwrap();
    assert_eq!(timing("average"), timing("total") / stats["timing_stats"]["bucket_count"].as_f64().unwrap());
    for name in ["average", "exponential_average"] {
        assert!((timing("minimum")..=timing("maximum")).contains(&timing(name)), "{stats}");
    }
    let stored = bench.node.core.documents.document(".ml-anomalies-shared", "j_timing_stats").unwrap().unwrap().source;
    assert_eq!(stored["result_type"], "timing_stats");
    assert_eq!(stored["bucket_count"], stats["timing_stats"]["bucket_count"]);
}
