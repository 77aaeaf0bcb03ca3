//! The embedded node's ML over its own HTTP, and over a restart.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use mlgate::node::{RunningNode, Security, Settings, start};
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z
const START_MS: i64 = 1_767_225_600_000;

fn node(folder: &Path) -> RunningNode {
    let settings = Settings {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        data: folder.to_owned(),
        cluster_name: "test".to_owned(),
        security: Security::Off,
    };
    start(settings).expect("a node")
}

/// One request on a connection of its own: status and body.
fn call(node: &RunningNode, line: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(node.address()).expect("a connection");
    let kind = if line.contains("_bulk") { "application/x-ndjson" } else { "application/json" };
    let typed = if body.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{typed}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).expect("a request sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned())))
}

fn done(node: &RunningNode, line: &str, body: Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = call(node, line, &body);
    assert!(status < 300, "{line}: {status} {answer}");
    answer
}

fn fill(node: &RunningNode) {
    let mut lines = String::new();
    for number in 0..360_i64 {
        let value = if number == 300 { 900 } else { 100 + number * 7 % 11 };
        lines.push_str("{\"index\":{\"_index\":\"logs\"}}\n");
        lines.push_str(&format!("{}\n", json!({"time": START_MS + number * 20_000, "value": value})));
    }
    let (status, answer) = call(node, "POST /_bulk", &lines);
    assert_eq!((status, &answer["errors"]), (200, &json!(false)));
}

#[test]
fn a_spike_is_found_over_http_and_still_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = node(folder.path());
    fill(&first);
    let job = json!({
        "analysis_config": {"bucket_span": "1m", "detectors": [{"function": "max", "field_name": "value"}]},
        "data_description": {"time_field": "time", "time_format": "epoch_ms"},
        "datafeed_config": {"datafeed_id": "feed", "indices": ["logs"], "query": {"match_all": {}}},
    });
    done(&first, "PUT /_ml/anomaly_detectors/job", job);
    assert_eq!(done(&first, "POST /_ml/anomaly_detectors/job/_open", Value::Null)["opened"], true);
    done(&first, "POST /_ml/datafeeds/feed/_start?end=2026-01-01T02:00:00Z", Value::Null);
    let left = done(&first, "GET /_tasks?actions=xpack/ml/*&wait_for_completion=true&timeout=60s", Value::Null);
    assert_eq!(left, json!({"nodes": {}}), "the datafeed ends at its end time and closes its job");
    let seen = done(&first, "GET /_ml/anomaly_detectors/job/results/records?record_score=75", Value::Null);
    assert_eq!((&seen["count"], &seen["records"][0]["actual"]), (&json!(1), &json!([900.0])));
    done(&first, "POST /_xpack/ml/anomaly_detectors/_all/_close", Value::Null);
    done(&first, "POST /_ml/anomaly_detectors/job/_open", Value::Null);
    first.stop();

    let second = node(folder.path());
    assert_eq!(done(&second, "GET /_ml/anomaly_detectors/job/results/records?record_score=75", Value::Null), seen);
    assert_eq!(done(&second, "GET /_ml/anomaly_detectors/job/_stats", Value::Null)["jobs"][0]["state"], "opened");
    done(&second, "POST /_ml/set_upgrade_mode?enabled=true", Value::Null);
    let (status, refused) = call(&second, "POST /_ml/anomaly_detectors/job/_close", "");
    assert_eq!(status, 429);
    assert_eq!(
        refused["error"]["reason"],
        "Cannot perform cluster:admin/xpack/ml/job/close action while upgrade mode is enabled"
    );
    done(&second, "POST /_xpack/ml/set_upgrade_mode?enabled=false", Value::Null);
    done(&second, "POST /_ml/anomaly_detectors/_all/_close", Value::Null);
    second.stop();
}
