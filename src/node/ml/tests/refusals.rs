use serde_json::{Value, json};

use super::harness::{Bench, job};

/// Requests that are refused on a node with a closed job `j`, an open job `o`, their datafeeds `j` and `o`, the latter started.
#[tokio::test]
async fn refusals_have_elasticsearchs_texts() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.index(super::harness::documents(0, 3)).await;
    bench.job_with_datafeed("j").await;
    bench.job_with_datafeed("o").await;
    bench.done("POST /_ml/anomaly_detectors/o/_open", Value::Null).await;
    bench.done("POST /_ml/datafeeds/o/_start", Value::Null).await;
    let none = Value::Null;
    let with = |changes: Value| {
        let mut body = job("count", None);
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let analysis = |detector: Value| with(json!({"analysis_config": {"detectors": [detector]}}));
    #[rustfmt::skip] // a table: one refusal a line
    let cases: Vec<(&str, Value, u16, &str)> = vec![
        ("POST /_ml/anomaly_detectors/x/_open", none.clone(), 404, "No known job with id 'x'"),
        ("POST /_ml/anomaly_detectors/o/_open", none.clone(), 409, "Cannot open job [o] because it has already been opened"),
        ("POST /_ml/anomaly_detectors/x/_open?timeout=5", none.clone(), 400, "failed to parse setting [timeout] with value [5] as a time value: unit is missing or unrecognized"),
        ("POST /_ml/anomaly_detectors/o/_close?timeout=1m", json!({"force": true}), 400, "request [/_ml/anomaly_detectors/o/_close] contains unrecognized parameter: [timeout]"),
        ("POST /_ml/anomaly_detectors/o/_close?force=maybe", none.clone(), 400, "Failed to parse value [maybe] as only [true] or [false] are allowed."),
        ("POST /_ml/anomaly_detectors/j/_flush", none.clone(), 409, "Cannot perform requested action because job [j] is not open"),
        ("POST /_ml/anomaly_detectors/j/_data", json!({"time": 1}), 409, "Cannot perform requested action because job [j] is not open"),
        ("DELETE /_ml/anomaly_detectors/o", none.clone(), 409, "Cannot delete datafeed [o] while its status is started"),
        ("POST /_ml/anomaly_detectors/o/_reset", none.clone(), 409, "Can only reset a job when it is closed."),
        ("PUT /_ml/anomaly_detectors/j", job("count", None), 400, "The job cannot be created with the Id 'j'. The Id is already used."),
        ("PUT /_ml/anomaly_detectors/J", job("count", None), 400, "Invalid job_id; 'J' can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must start and end with alphanumeric"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"job_id": "m"})), 400, "Inconsistent job_id; 'm' specified in the body differs from 'n' specified as a URL argument"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"groups": ["j"]})), 400, "job and group names must be unique but job [j] and group [j] have the same name"),
        ("PUT /_ml/anomaly_detectors/n", json!({"data_description": {}}), 400, "An analysis_config must be set"),
        ("PUT /_ml/anomaly_detectors/n", json!({"analysis_config": {"detectors": [{"function": "count"}]}}), 400, "A data_description must be set"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"analysis_config": {"detectors": []}})), 400, "No detectors configured"),
        ("PUT /_ml/anomaly_detectors/n", analysis(json!({"function": "nonsense"})), 400, "Unknown function 'nonsense'"),
        ("PUT /_ml/anomaly_detectors/n", analysis(json!({"function": "freq_rare", "by_field_name": "a", "over_field_name": "b"})), 400, "[detector] [function freq_rare] is not supported by the embedded node"),
        ("PUT /_ml/anomaly_detectors/n", analysis(json!({"function": "count", "field_name": "a"})), 400, "field_name cannot be used with function 'count'"),
        ("PUT /_ml/anomaly_detectors/n", analysis(json!({"function": "count", "custom_rules": [{}]})), 400, "Invalid detector rule: at least scope or a condition is required"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"model_plot_config": {"terms": "a"}})), 400, "Required [enabled]"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"model_plot_config": {"enabled": true, "annotations_enabled": true}})), 400, "[model_plot_config] [annotations_enabled] is not supported by the embedded node"),
        ("POST /_ml/anomaly_detectors/j/_forecast", json!({"duration": "-1"}), 400, "[duration] must be positive: [-1]"),
        ("POST /_ml/anomaly_detectors/j/_forecast", json!({"duration": "3651d"}), 400, "[duration] must be 3650d or less: [3651d]"),
        ("POST /_ml/anomaly_detectors/j/_forecast", json!({"expires_in": "-1"}), 400, "[expires_in] must be non-negative: [-1]"),
        ("POST /_ml/anomaly_detectors/j/_forecast", json!({"max_model_memory": "999kb"}), 400, "[max_model_memory] must be at least 1mb."),
        ("POST /_ml/anomaly_detectors/j/_forecast", json!({"max_model_memory": "500mb"}), 400, "[max_model_memory] must be less than 500mb"),
        ("POST /_ml/anomaly_detectors/j/_forecast", none.clone(), 409, "Cannot perform requested action because job [j] is not open"),
        ("POST /_ml/anomaly_detectors/none/_forecast", none.clone(), 404, "No known job with id 'none'"),
        ("DELETE /_ml/anomaly_detectors/j/_forecast/a,b*", none.clone(), 404, "No forecast(s) [a,b*] exists for job [j]"),
        ("DELETE /_ml/anomaly_detectors/j/_forecast?allow_no_forecasts=false", none.clone(), 404, "No forecast(s) [_all] exists for job [j]"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"results_retention_days": -1})), 400, "results_retention_days cannot be less than 0. Value = -1"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"daily_model_snapshot_retention_after_days": 11})), 400, "The value of 'daily_model_snapshot_retention_after_days' [11] cannot be greater than 'model_snapshot_retention_days' [10]"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"background_persist_interval": "1h"})), 400, "[job_details] [background_persist_interval] is not supported by the embedded node"),
        ("GET /_tasks/here", none.clone(), 400, "malformed task id here"),
        ("GET /_tasks/node-id:99", none.clone(), 404, "task [node-id:99] isn't running and hasn't stored its results"),
        ("PUT /_ml/anomaly_detectors/n", with(json!({"nonsense": 3})), 400, "[job_details] unknown field [nonsense]"),
        ("POST /_ml/datafeeds/j/_start", none.clone(), 409, "cannot start datafeed [j] because job [j] is closed"),
        ("POST /_ml/datafeeds/o/_start", none.clone(), 409, "cannot start datafeed [o] because it has already been started"),
        ("POST /_ml/datafeeds/x/_start", none.clone(), 404, "No datafeed with id [x] exists"),
        ("POST /_ml/datafeeds/x/_stop", none.clone(), 404, "No datafeed with id [x] exists"),
        ("POST /_ml/datafeeds/o/_start?start=10&end=10", none.clone(), 400, "Validation Failed: 1: start [10] must be earlier than end [10];"),
        ("POST /_ml/datafeeds/o/_start?start=soon", none.clone(), 400, "Query param [start] with value [soon] cannot be parsed as a date or converted to a number (epoch)."),
        ("DELETE /_ml/datafeeds/o", none.clone(), 409, "Cannot delete datafeed [o] while its status is started"),
        ("POST /_ml/datafeeds/o/_update", json!({"scroll_size": 5}), 409, "Cannot update datafeed [o] while its status is started"),
        ("PUT /_ml/datafeeds/o", json!({"job_id": "o", "indices": ["logs"]}), 400, "A datafeed with id [o] already exists"),
        ("PUT /_ml/datafeeds/p", json!({"job_id": "o", "indices": ["logs"]}), 409, "A datafeed [o] already exists for job [o]"),
        ("PUT /_ml/datafeeds/p", json!({"job_id": "x", "indices": ["logs"]}), 404, "No known job with id 'x'"),
        ("PUT /_ml/datafeeds/p", json!({"job_id": "x", "indices": ["logs"], "aggregations": {}}), 400, "[datafeed_config] [aggregations] is not supported by the embedded node"),
        ("PUT /_ml/datafeeds/p", json!({"job_id": "x", "indices": ["logs"], "runtime_mappings": {}}), 400, "[datafeed_config] [runtime_mappings] is not supported by the embedded node"),
        ("PUT /_ml/datafeeds/p", json!({"job_id": "x", "indices": []}), 400, "Invalid indices value '[]' in datafeed configuration"),
        ("GET /_ml/anomaly_detectors/j/results/buckets/5", none.clone(), 404, "No known bucket with timestamp [5]"),
        ("GET /_ml/anomaly_detectors/x/results/records", none.clone(), 404, "No known job with id 'x'"),
        ("POST /_ml/set_upgrade_mode", json!({}), 400, "request [POST /_ml/set_upgrade_mode] does not support having a body"),
        ("POST /_ml/set_upgrade_mode?enabled=yes", none.clone(), 400, "Failed to parse value [yes] as only [true] or [false] are allowed."),
    ];
    for (line, body, status, reason) in cases {
        assert_eq!(bench.refused(line, body).await, (status, reason.to_owned()), "{line}");
    }
}

#[tokio::test]
async fn a_job_whose_snapshot_is_lost_fails_and_needs_force() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    for id in ["a", "b"] {
        bench.done(&format!("PUT /_ml/anomaly_detectors/{id}"), job("count", None)).await;
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_open"), Value::Null).await;
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_data"), json!({"time": 5})).await;
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_close"), Value::Null).await;
        let snapshots = bench.done(&format!("GET /_ml/anomaly_detectors/{id}/model_snapshots"), Value::Null).await;
        let snapshot = snapshots["model_snapshots"][0]["snapshot_id"].as_str().unwrap();
        let mut batch = crate::node::store::Batch::new();
        batch.delete(".ml-state", format!("{id}_model_state_{snapshot}#1"));
        bench.node.core.store.commit(batch).await.unwrap();
        let (status, _) = bench.refused(&format!("POST /_ml/anomaly_detectors/{id}/_open"), Value::Null).await;
        assert_eq!(status, 500);
        assert_eq!(bench.job_stats(id).await["state"], "failed");
    }
    assert_eq!(
        bench.refused("POST /_ml/anomaly_detectors/a/_close", Value::Null).await,
        (409, "cannot close job [a] because it failed, use force close".to_owned())
    );
    assert_eq!(
        bench.refused("POST /_ml/anomaly_detectors/_all/_close", Value::Null).await,
        (409, "one or more jobs have state failed, use force close".to_owned())
    );
    bench.done("POST /_ml/anomaly_detectors/_all/_close?force=true", Value::Null).await;
    assert_eq!(bench.job_stats("a").await["state"], "closed");
}

/// Durations and counts at the ends of what can be said.
fn odd_values() -> [Value; 8] {
    [
        json!(-5),
        json!(0),
        json!("-1"),
        json!("1ms"),
        json!(90_061),
        json!(9_223_372_036_854_775_i64),
        json!("200000d"),
        json!(i64::MAX),
    ]
}

#[tokio::test]
async fn what_is_accepted_can_be_read_by_the_next_start() {
    const SETTINGS: [(&str, &str); 7] = [
        ("analysis_config", "bucket_span"),
        ("analysis_config", "latency"),
        ("analysis_config", "model_prune_window"),
        ("analysis_limits", "model_memory_limit"),
        ("retention", "results_retention_days"),
        ("datafeed_config", "query_delay"),
        ("datafeed_config", "frequency"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    for (number, (part, name)) in SETTINGS.iter().enumerate() {
        for (at, value) in odd_values().into_iter().enumerate() {
            let mut config = job("count", None);
            match *part {
                "retention" => config[name] = value,
                "datafeed_config" => config[part] = json!({"indices": ["logs"], *name: value}),
                part => config[part][name] = value,
            }
            let (status, answer) = bench.call(&format!("PUT /_ml/anomaly_detectors/j{number}-{at}"), config).await;
            assert!(matches!(status, 200 | 400), "{answer}");
        }
    }
    let line = "GET /_ml/anomaly_detectors";
    let before = bench.done(line, Value::Null).await;
    assert!(before["count"].as_u64() > Some(10), "{before}");
    bench.stop().await;
    let bench = Bench::start(folder.path()).await;
    assert_eq!(bench.done(line, Value::Null).await, before);
}
