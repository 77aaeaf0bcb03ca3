//! `_bulk` of the embedded node is written as it comes: what has come is on disk before the end is sent.

use std::net::SocketAddr;
use std::time::Instant;

use mlgate::node::{RunningNode, Security, Settings, start};
use serde_json::{Value, json};

use super::harness::{Client, PATIENCE};

/// More than a node holds of one bulk before it writes.
const STEP_BYTES: usize = 4 * 1024 * 1024;

fn node(folder: &tempfile::TempDir) -> RunningNode {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let data = folder.path().to_owned();
    start(Settings { address, data, cluster_name: "it".to_owned(), security: Security::Off }).expect("a node")
}

fn head(line: &str, framing: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n{framing}\r\n\r\n")
}

fn action(id: &str, text_bytes: usize) -> String {
    format!("{}\n{}\n", json!({"index": {"_id": id}}), json!({"text": "x".repeat(text_bytes)}))
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn found(address: SocketAddr) -> Vec<String> {
    let answer =
        Client::connect(address).simple("GET /logs/_search?_source=false&sort=_id&ignore_unavailable=true", "");
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let hits = answer["hits"]["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_owned()).collect()
}

fn until_found(address: SocketAddr, ids: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    while found(address) != ids {
        assert!(Instant::now() < deadline, "not {ids:?} but {:?}", found(address));
    }
}

fn answered(client: &mut Client) -> (u16, Value) {
    let response = client.response(false);
    (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
}

#[test]
fn what_has_come_is_written_before_the_end_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut client = Client::connect(node.address());
    client.send(head("POST /logs/_bulk", "Transfer-Encoding: chunked"));
    client.send(chunk(&action("1", STEP_BYTES)));
    until_found(node.address(), &["1"]);
    // Cut anywhere, within a line too.
    let second = action("2", 10);
    client.send(chunk(&second[..9]));
    client.send(chunk(&second[9..]));
    client.send("0\r\n\r\n");
    let (status, answer) = answered(&mut client);
    assert_eq!((status, &answer["errors"]), (200, &json!(false)));
    assert_eq!(answer["items"].as_array().map(Vec::len), Some(2));
    until_found(node.address(), &["1", "2"]);
    node.stop();
}

#[test]
fn a_malformed_line_is_heard_by_a_caller_who_still_sends() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let body = action("1", STEP_BYTES) + "{\"upsert\":{}}\n" + &action("2", 2 * STEP_BYTES);
    let mut client = Client::connect(node.address());
    client.send(head("POST /logs/_bulk", &format!("Content-Length: {}", body.len())) + &body);
    let (status, answer) = answered(&mut client);
    let reason =
        "Malformed action/metadata line [3], expected field [create], [delete], [index] or [update] but found [upsert]";
    assert_eq!((status, answer["error"]["reason"].as_str()), (400, Some(reason)));
    assert_eq!(found(node.address()), ["1"], "what came before it was written, as in Elasticsearch");
    // The connection goes on.
    assert_eq!(client.simple("GET /logs/_doc/1?_source=false", "").status, 200);
    node.stop();
}

#[test]
fn a_small_body_with_a_malformed_line_or_an_action_without_index_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    for (line, end, reason) in [
        ("/logs/_bulk", "{\"upsert\":{}}\n", "Malformed action/metadata line [3]"),
        ("/logs/_bulk", "{\"index\":{}}\n", "Malformed action/metadata line, expected a source"),
        ("/logs/_bulk", "{\"index\":{}}\n{}", "The bulk request must be terminated by a newline"),
        ("/_bulk", "{\"index\":{\"_index\":\"logs\"}}\n{}\n", "Validation Failed: 1: index is missing;"),
        ("/logs/_bulk?colour=red", "", "request [/logs/_bulk] contains unrecognized parameter: [colour]"),
    ] {
        let body = action("1", 10) + end;
        let mut client = Client::connect(node.address());
        client.send(head(&format!("POST {line}"), &format!("Content-Length: {}", body.len())) + &body);
        let (status, answer) = answered(&mut client);
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"]["reason"].as_str().unwrap().starts_with(reason), "{answer}");
        assert_eq!(client.simple("GET /logs", "").status, 404, "no index was made");
    }
    let mut client = Client::connect(node.address());
    client.send(head("POST /logs/_bulk", "Content-Length: 104857601"));
    assert_eq!(client.response(false).status, 413);
    node.stop();
}

#[test]
fn a_bulk_that_is_cut_off_leaves_whole_documents_only() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut client = Client::connect(node.address());
    client.send(head("POST /logs/_bulk", "Transfer-Encoding: chunked"));
    client.send(chunk(&action("1", STEP_BYTES)));
    client.send(chunk(&action("2", 10)));
    until_found(node.address(), &["1"]);
    drop(client);
    // The node ends only when every request has ended.
    node.stop();
    let node = self::node(&folder);
    assert_eq!(found(node.address()), ["1"]);
    node.stop();
}
