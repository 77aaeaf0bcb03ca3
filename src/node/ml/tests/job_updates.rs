use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, job};

#[tokio::test]
async fn every_member_that_can_change_changes() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut config = job("mean", Some("value"));
    config["description"] = json!("old");
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    let rules =
        json!([{"actions": ["skip_result"], "conditions": [{"applies_to": "actual", "operator": "gt", "value": 5.0}]}]);
    let body = json!({
        "job_id": "ignored",
        "description": null,
        "groups": ["g"],
        "custom_settings": {"a": [1]},
        "allow_lazy_open": true,
        "analysis_limits": {"model_memory_limit": "20mb"},
        "model_snapshot_retention_days": 7,
        "daily_model_snapshot_retention_after_days": 3,
        "results_retention_days": 30,
        "model_prune_window": "60d",
        "detectors": [{"detector_index": 0, "description": "mine", "custom_rules": rules}],
    });
    let updated = bench.done("POST /_ml/anomaly_detectors/j/_update", body).await;
    assert_eq!(updated["job_id"], "j");
    assert_eq!(updated.get("description"), None);
    for (pointer, value) in [
        ("/groups/0", json!("g")),
        ("/custom_settings/a/0", json!(1)),
        ("/allow_lazy_open", json!(true)),
        ("/analysis_limits/model_memory_limit", json!("20mb")),
        ("/model_snapshot_retention_days", json!(7)),
        ("/daily_model_snapshot_retention_after_days", json!(3)),
        ("/results_retention_days", json!(30)),
        ("/analysis_config/model_prune_window", json!("60d")),
        ("/analysis_config/detectors/0/detector_description", json!("mine")),
        ("/analysis_config/detectors/0/custom_rules", rules),
    ] {
        assert_eq!(updated.pointer(pointer), Some(&value), "{pointer}");
    }
    bench.stop().await;
    let bench = Bench::start(folder.path()).await;
    assert_eq!(bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await["jobs"][0], updated);
    let scoped = json!([{"detector_index": 0, "custom_rules": [{"scope": {"value": {"filter_id": "f"}}}]}]);
    #[rustfmt::skip] // a table: one body a line
    let cases = [
        (json!({"nonsense": 1}), 400, "[job_update] unknown field [nonsense]"),
        (json!({"detectors": [{}]}), 400, "Required [detector_index]"),
        (json!({"detectors": [{"detector_index": 1}]}), 400, "Supplied detector_index [1] is >= the number of detectors [1]"),
        (json!({"detectors": scoped}), 400, "Invalid detector rule: scope field 'value' is invalid; detector has no available fields for scoping"),
        (json!({"background_persist_interval": "1h"}), 400, "[job_update] [background_persist_interval] is not supported by the embedded node"),
        (json!({"model_prune_window": "90s"}), 400, "model_prune_window [90s] must be a multiple of bucket_span [1m] and at least [2] of it"),
        (json!({"groups": ["j"]}), 400, "job and group names must be unique but job [j] and group [j] have the same name"),
    ];
    for (body, status, reason) in cases {
        let refused = bench.refused("POST /_ml/anomaly_detectors/j/_update", body.clone()).await;
        assert_eq!(refused, (status, reason.to_owned()), "{body}");
    }
}

#[tokio::test]
async fn a_job_cannot_have_less_memory_than_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut config = job("mean", Some("value"));
    config["analysis_config"]["detectors"][0]["partition_field_name"] = json!("host");
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let lines = (0..8000)
        .map(|host| json!({"time": START_MS + host / 4000 * MINUTE_MS, "host": format!("{host:0200}"), "value": 1}));
    let lines: String = lines.map(|record| record.to_string()).collect();
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
    let limit = json!({"analysis_limits": {"model_memory_limit": "1mb"}});
    let refused = bench.refused("POST /_ml/anomaly_detectors/j/_update", limit.clone()).await;
    assert_eq!(refused, (400, "Cannot update analysis_limits while the job is open".to_owned()));
    bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    let used = bench.job_stats("j").await["model_size_stats"]["model_bytes"].as_u64().unwrap().div_ceil(1 << 20);
    let reason = format!(
        "Invalid update value for analysis_limits: model_memory_limit cannot be decreased below current usage; current usage \
         [{used}mb], update had [1mb]"
    );
    assert_eq!(bench.refused("POST /_ml/anomaly_detectors/j/_update", limit).await, (400, reason));
}

#[tokio::test]
async fn an_open_job_follows_its_rules() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let busy = async |first_minute: i64| {
        let record = |minute: i64| {
            let value = if minute == first_minute + 38 { 5000 } else { 100 + minute % 5 };
            json!({"time": START_MS + minute * MINUTE_MS, "value": value}).to_string()
        };
        let lines: String = (first_minute..first_minute + 40).map(record).collect();
        bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
        let from = START_MS + first_minute * MINUTE_MS;
        let line = format!("GET /_ml/anomaly_detectors/j/results/records?record_score=50&start={from}");
        bench.done(&line, Value::Null).await["count"].as_u64().unwrap()
    };
    assert_eq!(busy(0).await, 1);
    let rules = json!([{
        "actions": ["skip_result", "skip_model_update"],
        "conditions": [{"applies_to": "actual", "operator": "gt", "value": 1000.0}],
    }]);
    let body = json!({"detectors": [{"detector_index": 0, "custom_rules": rules}]});
    bench.done("POST /_ml/anomaly_detectors/j/_update", body).await;
    assert_eq!(busy(40).await, 0);
    bench
        .done(
            "POST /_ml/anomaly_detectors/j/_update",
            json!({"detectors": [{"detector_index": 0, "custom_rules": []}]}),
        )
        .await;
    assert_eq!(busy(80).await, 1);
}

#[tokio::test]
async fn model_memory_is_estimated_as_elasticsearch_does() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let line = "POST /_ml/anomaly_detectors/_estimate_model_memory";
    let detector = |function: &str, split: Value| {
        let mut detector = json!({"function": function, "field_name": "ms"});
        detector.as_object_mut().unwrap().extend(split.as_object().unwrap().clone());
        json!({"bucket_span": "1h", "detectors": [detector]})
    };
    for (config, overall, estimate) in [
        (detector("max", json!({})), json!({}), "11mb"),
        (detector("max", json!({"partition_field_name": "airline"})), json!({"airline": 50_000}), "3135mb"),
        (detector("max", json!({"by_field_name": "airline"})), json!({"airline": 50_000}), "2094mb"),
        (detector("max", json!({"over_field_name": "airline"})), json!({"airline": 50_000}), "35mb"),
    ] {
        let body = json!({"analysis_config": config, "overall_cardinality": overall});
        assert_eq!(bench.done(line, body).await, json!({"model_memory_estimate": estimate}));
    }
    let huge = json!({"analysis_config": detector("max", json!({"partition_field_name": "a", "by_field_name": "b"})), "overall_cardinality": {"a": u64::MAX, "b": u64::MAX}});
    assert_eq!(bench.done(line, huge).await, json!({"model_memory_estimate": "8796093022208mb"}));
    let refused = bench.refused(line, json!({})).await;
    assert_eq!(refused, (400, "Validation Failed: 1: [analysis_config] was not specified;".to_owned()));
    let negative = json!({"analysis_config": detector("max", json!({})), "overall_cardinality": {"a": -1}});
    assert_eq!(
        bench.refused(line, negative).await,
        (400, "[overall_cardinality] failed to parse field [a]".to_owned())
    );
}
