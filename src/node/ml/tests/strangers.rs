use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::harness::{Bench, job};

/// Requests that take a body or options; `*` is replaced by options.
#[rustfmt::skip] // a table: one request a line
const LINES: [&str; 37] = [
    "PUT /_ml/anomaly_detectors/k",
    "POST /_ml/anomaly_detectors/j/_update",
    "POST /_ml/anomaly_detectors/_validate",
    "POST /_ml/anomaly_detectors/_validate/detector",
    "POST /_ml/anomaly_detectors/_estimate_model_memory",
    "DELETE /_ml/anomaly_detectors/k?*",
    "POST /_ml/anomaly_detectors/j/_reset?*",
    "POST /_ml/anomaly_detectors/j/_forecast",
    "POST /_ml/anomaly_detectors/j/_forecast?*",
    "DELETE /_ml/anomaly_detectors/j/_forecast/a,*?*",
    "GET /_ml/anomaly_detectors/j/results/buckets?*",
    "POST /_ml/anomaly_detectors/j/results/buckets",
    "POST /_ml/anomaly_detectors/j/results/buckets/0",
    "POST /_ml/anomaly_detectors/j/results/records",
    "POST /_ml/anomaly_detectors/j/results/influencers",
    "GET /_ml/anomaly_detectors/_all/results/overall_buckets?*",
    "POST /_ml/anomaly_detectors/_all/results/overall_buckets",
    "POST /_ml/anomaly_detectors/j/results/categories",
    "POST /_ml/anomaly_detectors/j/model_snapshots",
    "POST /_ml/anomaly_detectors/j/model_snapshots/empty/_revert",
    "POST /_ml/anomaly_detectors/j/model_snapshots/1/_update",
    "POST /_ml/anomaly_detectors/j/model_snapshots/1/_upgrade?*",
    "DELETE /_ml/_delete_expired_data",
    "DELETE /_ml/_delete_expired_data?*",
    "PUT /_ml/filters/g",
    "POST /_ml/filters/f/_update",
    "GET /_ml/filters?*",
    "DELETE /_ml/filters/g",
    "PUT /_ml/calendars/d",
    "POST /_ml/calendars",
    "DELETE /_ml/calendars/d",
    "POST /_ml/calendars/c/events",
    "GET /_ml/calendars/_all/events?*",
    "PUT /_ml/calendars/c/jobs/j,,k",
    "GET /_tasks/node-id:1?*",
    "POST /_tasks/_cancel?*",
    "POST /_tasks/node-id:1/_cancel?*",
];

#[rustfmt::skip] // a list of words
const NAMES: [&str; 54] = [
    "job_id", "description", "groups", "analysis_config", "analysis_limits", "data_description", "custom_settings", "allow_lazy_open",
    "model_memory_limit", "model_snapshot_retention_days", "daily_model_snapshot_retention_after_days", "results_retention_days",
    "detectors", "detector_index", "custom_rules", "scope", "conditions", "actions", "filter_id", "function", "field_name",
    "partition_field_name", "bucket_span", "overall_cardinality", "retain", "delete_intervening_results", "requests_per_second",
    "duration", "expires_in", "max_model_memory", "allow_no_forecasts", "model_plot_config", "terms",
    "items", "add_items", "remove_items", "calendar_id", "job_ids", "events", "start_time", "end_time", "skip_result",
    "from", "size", "page", "start", "end", "sort", "desc", "top_n", "overall_score", "exclude_interim", "expand", "anomaly_score",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2..12_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "j",
            "f",
            "count",
            "mean",
            "1m",
            "-1",
            "5",
            "now-1d",
            "2026-01-01T00:00:00Z",
            "time",
            "_all",
            "*",
            ""
        ])
        .prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            members(inner, 3).prop_map(Value::Object)
        ]
    })
}

fn members(value: impl Strategy<Value = Value>, most: usize) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    prop::collection::vec((name, value), 0..=most).prop_map(Map::from_iter)
}

/// What is well-formed but for one member, so that the inner checks are reached.
fn body() -> impl Strategy<Value = Value> {
    let event = json!({"description": "e", "start_time": 1, "end_time": 2});
    let whole = prop::sample::select(vec![
        Value::Null,
        json!({}),
        job("mean", Some("value")),
        json!({"events": [event]}),
        json!({"detectors": [{"detector_index": 0}]}),
        json!({"items": ["a"]}),
    ]);
    (whole, members(value(), 1)).prop_map(|(mut whole, changed)| {
        if let Some(members) = whole.as_object_mut() {
            members.extend(changed);
        }
        whole
    })
}

/// Whatever is sent is answered, and what was accepted can be read by the next start.
#[test]
fn no_request_breaks_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(async {
        let bench = Bench::start(folder.path()).await;
        bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
        bench.done("PUT /_ml/filters/f", json!({})).await;
        bench.done("PUT /_ml/calendars/c", json!({"job_ids": ["j"]})).await;
        bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
        bench.done("POST /_ml/anomaly_detectors/j/_data", json!({"time": 1, "value": 1})).await;
        bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
        bench
    });
    let bench = RefCell::new(Some(bench));
    let query = prop::sample::select(vec![
        "from=5&size=9999",
        "from=-1",
        "size=x",
        "start=9&end=1",
        "timeout=0",
        "requests_per_second=1e-300",
        "top_n=9223372036854775807",
        "bucket_span=-1",
        "bucket_span=99999999999d",
        "wait_for_completion=false",
        "sort=%00",
        "job_id=j",
        "expand&desc=maybe",
    ]);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(300));
    let sent = runner.run(&(prop::sample::select(LINES.to_vec()), query, body()), |(line, query, body)| {
        let (line, body) = match line.strip_suffix('*') {
            Some(line) => (format!("{line}{query}"), Value::Null),
            None => (line.to_owned(), body),
        };
        let bench = bench.borrow();
        let (status, answer) = runtime.block_on(bench.as_ref().unwrap().call(&line, body));
        let reason = answer.pointer("/error/reason").and_then(Value::as_str).unwrap_or_default();
        prop_assert!(status < 500 || reason.starts_with("Timed out"), "{line}: {status} {answer}");
        Ok(())
    });
    sent.unwrap();
    runtime.block_on(async {
        bench.take().unwrap().stop().await;
        Bench::start(folder.path()).await;
    });
}
