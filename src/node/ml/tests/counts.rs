use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, job};

/// A job on the mean of `value` by `tags`.
async fn by_tags(bench: &Bench) {
    let mut config = job("mean", Some("value"));
    config["analysis_config"]["detectors"][0]["by_field_name"] = json!("tags");
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
}

#[tokio::test]
async fn fields_are_counted_without_the_time_and_by_what_the_job_reads() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    by_tags(&bench).await;
    let records = [
        json!({"time": START_MS, "value": 1, "tags": "a", "unused": true}),
        json!({"time": START_MS, "value": 1, "tags": null}),
        json!({"time": START_MS, "unused": 1}),
        json!({"time": "no", "value": 1}),
    ];
    let lines: String = records.iter().map(Value::to_string).collect();
    let counts = bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
    for (name, count) in [
        ("input_record_count", 4),
        ("processed_record_count", 3),
        ("input_field_count", 7),
        ("processed_field_count", 3),
        ("missing_field_count", 3),
        ("invalid_date_count", 1),
    ] {
        assert_eq!(counts[name], count, "{name}");
    }
}

#[tokio::test]
async fn a_list_is_one_value_of_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    by_tags(&bench).await;
    let tags = |minute: i64| if minute % 2 == 0 { json!(["a", "b"]) } else { json!("c") };
    let record = |minute| json!({"time": START_MS + minute * MINUTE_MS, "value": 1, "tags": tags(minute)});
    let lines: String = (0..10).map(|minute| record(minute).to_string()).collect();
    let counts = bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
    assert_eq!(counts["missing_field_count"], 0);
    assert_eq!(bench.job_stats("j").await["model_size_stats"]["total_by_field_count"], 2);
}

#[tokio::test]
async fn a_datafeed_counts_the_fields_of_its_job_and_its_own_buckets() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.job_with_datafeed("j").await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let record = |minute: i64| json!({"time": START_MS + minute * MINUTE_MS, "value": 1, "unused": 1});
    let posted: String = (0..6).map(|minute| record(minute).to_string()).collect();
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(posted)).await;
    assert_eq!(bench.datafeed_stats("j").await["timing_stats"]["bucket_count"], 0);
    bench.index((6..10).map(|minute| (minute.to_string(), record(minute)))).await;
    let end = START_MS + 10 * MINUTE_MS;
    bench.done(&format!("POST /_ml/datafeeds/j/_start?start=0&end={end}"), Value::Null).await;
    let stats = bench.until_state("j", "closed").await;
    assert_eq!(stats["data_counts"]["bucket_count"], 9);
    assert_eq!(stats["data_counts"]["input_field_count"], 6 * 2 + 4);
    assert_eq!(stats["data_counts"]["processed_field_count"], 10);
    assert_eq!(bench.datafeed_stats("j").await["timing_stats"]["bucket_count"], 4);
}

#[tokio::test]
async fn a_new_job_has_every_figure() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("count", None)).await;
    let sizes = bench.job_stats("j").await["model_size_stats"].clone();
    let zeros = [
        "model_bytes",
        "model_bytes_exceeded",
        "peak_model_bytes",
        "total_by_field_count",
        "total_over_field_count",
        "total_partition_field_count",
        "bucket_allocation_failures_count",
        "categorized_doc_count",
        "total_category_count",
        "frequent_category_count",
        "rare_category_count",
        "dead_category_count",
        "failed_category_count",
    ];
    for name in zeros {
        assert_eq!(sizes[name], 0, "{name}");
    }
    assert_eq!((&sizes["memory_status"], &sizes["categorization_status"]), (&json!("ok"), &json!("ok")));
    assert_eq!(sizes["model_bytes_memory_limit"], 1 << 30);
    assert!(sizes["log_time"].is_i64() && sizes.get("timestamp").is_none(), "{sizes}");
}
