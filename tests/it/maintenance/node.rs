//! The operator commands against the embedded node.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::cli::mlgate;
use crate::harness::Process;

/// One request on a connection of its own.
pub(super) fn call(address: SocketAddr, line: &str, body: Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    call_with(address, line, "application/json", &body)
}

/// The same with a body of another type.
pub(super) fn call_with(address: SocketAddr, line: &str, content_type: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 2"), "{line}: {answer}");
    serde_json::from_str(body).unwrap()
}

#[test]
fn an_orderly_stop_an_upgrade_and_a_resume() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut node = Process::start(&["node", "--address", "127.0.0.1:0", "--data", "data"], here);
    let address = node.listening();
    call(address, "PUT /web/_doc/1?refresh=true", json!({"@timestamp": "2026-01-01T00:00:00Z", "ms": 1}));
    let job = json!({
        "analysis_config": {"bucket_span": "10m", "detectors": [{"function": "mean", "field_name": "ms"}]},
        "data_description": {"time_field": "@timestamp"},
        "datafeed_config": {"datafeed_id": "web-feed", "indices": ["web"]},
    });
    call(address, "PUT /_ml/anomaly_detectors/web", job);
    call(address, "POST /_ml/anomaly_detectors/web/_open", Value::Null);
    call(address, "POST /_ml/datafeeds/web-feed/_start?start=0", Value::Null);

    let url = format!("http://{address}");
    let run = |arguments: &[&str]| {
        let done = mlgate(here, &[arguments, &["--url", &url, "--json"]].concat(), "");
        assert_eq!(done.status, 0, "{arguments:?}: {}", done.stderr);
        serde_json::from_str::<Value>(&done.stdout).unwrap()
    };
    let states = || {
        let status = run(&["ml", "status"]);
        (status["jobs"][0]["state"].clone(), status["datafeeds"][0]["state"].clone())
    };
    let enabled = run(&["upgrade-mode", "enable"]);
    assert_eq!((&enabled["acknowledged"], &enabled["upgrade_mode"]), (&json!(true), &json!(true)));
    assert_eq!(run(&["upgrade-mode", "status"])["tasks"], json!({"running": []}));
    assert_eq!(run(&["upgrade-mode", "disable"])["upgrade_mode"], false);
    assert_eq!(states(), (json!("opened"), json!("started")));
    let stopped = run(&["ml", "stop"]);
    assert_eq!((&stopped["left"], &stopped["jobs"][0]["closed"]), (&json!([]), &json!(true)));
    assert_eq!(states(), (json!("closed"), json!("stopped")));
    assert_eq!(run(&["ml", "resume"])["left"], json!([]));
    assert_eq!(states(), (json!("opened"), json!("started")));
}
