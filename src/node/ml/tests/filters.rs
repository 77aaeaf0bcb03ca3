use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS};

#[tokio::test]
async fn filters_are_made_listed_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let made = bench.done("PUT /_ml/filters/safe", json!({"description": "d", "items": ["xyz", "abc", "abc"]})).await;
    assert_eq!(made, json!({"filter_id": "safe", "description": "d", "items": ["abc", "xyz"]}));
    bench.done("PUT /_ml/filters/other", json!({})).await;
    let listed = bench.done("GET /_ml/filters?from=1&size=1", Value::Null).await;
    assert_eq!(listed, json!({"count": 2, "filters": [made]}));
    let named = bench.done("GET /_ml/filters/saf*,other", Value::Null).await;
    assert_eq!((&named["count"], &named["filters"][0]), (&json!(2), &json!({"filter_id": "other", "items": []})));
    let body = json!({"add_items": ["c", "d"], "remove_items": ["abc", "d"], "description": "new"});
    let updated = bench.done("POST /_ml/filters/safe/_update", body).await;
    assert_eq!(updated, json!({"filter_id": "safe", "description": "new", "items": ["c", "xyz"]}));
    let stored = bench.done("POST /_ml/filters/safe/_update", json!({})).await;
    assert_eq!(stored, updated);
    bench.stop().await;

    let bench = Bench::start(folder.path()).await;
    let shown = bench.node.core.documents.document(".ml-meta", "filter_safe").unwrap().unwrap().source;
    assert_eq!(shown, json!({"filter_id": "safe", "description": "new", "items": ["c", "xyz"], "type": "filter"}));
    assert_eq!(bench.done("DELETE /_ml/filters/safe", Value::Null).await, json!({"acknowledged": true}));
    assert_eq!(bench.node.core.documents.document(".ml-meta", "filter_safe").unwrap(), None);
    let many: Vec<String> = (0..10_001).map(|item| item.to_string()).collect();
    #[rustfmt::skip] // a table: one request a line
    let cases = [
        ("PUT /_ml/filters/other", json!({}), 400, "A filter with id [other] already exists"),
        ("PUT /_ml/filters/Bad", json!({}), 400, "Invalid filter_id; 'Bad' can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must start and end with alphanumeric"),
        ("PUT /_ml/filters/a", json!({"filter_id": "b"}), 400, "Inconsistent filter_id; 'b' specified in the body differs from 'a' specified as a URL argument"),
        ("PUT /_ml/filters/a", json!({"items": many}), 400, "Filter [a] contains too many items; up to [10000] items are allowed"),
        ("PUT /_ml/filters/a", json!({"nonsense": 1}), 400, "[ml_filter] unknown field [nonsense]"),
        ("GET /_ml/filters/safe", Value::Null, 404, "No filter with id [safe] exists"),
        ("GET /_ml/filters?from=-1", Value::Null, 400, "Parameter [from] cannot be < 0"),
        ("DELETE /_ml/filters/safe", Value::Null, 404, "No filter with id [safe] exists"),
        ("POST /_ml/filters/safe/_update", json!({}), 404, "No filter with id [safe] exists"),
        ("POST /_ml/filters/other/_update", json!({"remove_items": ["no"]}), 400, "Cannot remove item [no] as it is not present in filter [other]"),
    ];
    for (line, body, status, reason) in cases {
        assert_eq!(bench.refused(line, body).await, (status, reason.to_owned()), "{line}");
    }
}

/// Half an hour of steady hosts, then one minute in which both are far too busy.
async fn busy_minute(bench: &Bench, first_minute: i64) -> Vec<String> {
    let mut lines = String::new();
    for minute in first_minute..first_minute + 40 {
        for host in ["a", "b"] {
            let value = if minute == first_minute + 38 { 5000 } else { 100 + minute % 5 };
            lines.push_str(&json!({"time": START_MS + minute * MINUTE_MS, "host": host, "value": value}).to_string());
        }
    }
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
    let from = START_MS + first_minute * MINUTE_MS;
    let line = format!("GET /_ml/anomaly_detectors/j/results/records?sort=timestamp&record_score=50&start={from}");
    let records = bench.done(&line, Value::Null).await;
    let hosts = records["records"].as_array().unwrap().iter();
    hosts.map(|record| record["partition_field_value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_open_job_follows_its_filter() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let config = json!({
        "analysis_config": {"bucket_span": "1m", "detectors": [{
            "function": "mean", "field_name": "value", "partition_field_name": "host",
            "custom_rules": [{
                "actions": ["skip_result", "skip_model_update"],
                "scope": {"host": {"filter_id": "safe"}},
                "conditions": [{"applies_to": "actual", "operator": "gt", "value": 1000.0}],
            }],
        }]},
        "data_description": {"time_field": "time", "time_format": "epoch_ms"},
    });
    let unknown = (404, "No filter with id [safe] exists".to_owned());
    assert_eq!(bench.refused("PUT /_ml/anomaly_detectors/j", config.clone()).await, unknown);
    bench.done("PUT /_ml/filters/safe", json!({"items": ["a"]})).await;
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    let used = (409, "Cannot delete filter [safe] currently used by jobs [j]".to_owned());
    assert_eq!(bench.refused("DELETE /_ml/filters/safe", Value::Null).await, used);
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    assert_eq!(busy_minute(&bench, 0).await, ["b"]);
    bench.done("POST /_ml/filters/safe/_update", json!({"add_items": ["b*"]})).await;
    assert_eq!(busy_minute(&bench, 40).await, Vec::<String>::new());
    bench.done("POST /_ml/filters/safe/_update", json!({"remove_items": ["a"]})).await;
    assert_eq!(busy_minute(&bench, 80).await, ["a"]);
}
