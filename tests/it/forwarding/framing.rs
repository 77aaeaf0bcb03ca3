//! Bodies of requests, in all framings.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::harness::{Client, Gateway, Upstream};

use super::usual;

/// Sends `body` framed by `lines` with every method, and expects the node to get exactly `framed`.
fn check(lines: &str, body: &str, framing: (&str, &str), framed: &str) {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    for method in ["GET", "DELETE", "POST", "PUT", "PATCH", "HEAD", "OPTIONS"] {
        let response = client.ask(format!("{method} /idx/_search HTTP/1.1\r\nHost: x\r\n{lines}\r\n{body}"));
        assert_eq!(response.status, 200, "{method}: {}", response.head);
        let request = node.next_request();
        assert_eq!(request.value(framing.0), Some(framing.1), "{method}: {}", request.head);
        assert_eq!(String::from_utf8(request.body).unwrap(), framed, "{method}");
    }
}

#[test]
fn a_body_of_known_length_keeps_its_length() {
    check("Content-Length: 8\r\n", "{\"a\": 1}", ("content-length", "8"), "{\"a\": 1}");
}

#[test]
fn an_empty_body_keeps_its_length() {
    check("Content-Length: 0\r\n", "", ("content-length", "0"), "");
}

#[test]
fn a_chunked_body_stays_chunked() {
    let chunked = "8\r\n{\"a\": 1}\r\n0\r\n\r\n";
    check("Transfer-Encoding: chunked\r\n", chunked, ("transfer-encoding", "chunked"), chunked);
}

#[test]
fn an_empty_chunked_body_stays_one() {
    check("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n", ("transfer-encoding", "chunked"), "0\r\n\r\n");
}

#[test]
fn no_body_stays_none() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    for method in ["GET", "DELETE", "POST", "HEAD"] {
        assert_eq!(client.simple(&format!("{method} /idx"), "").status, 200);
        let request = node.next_request();
        assert_eq!(request.value("transfer-encoding"), None, "{method}");
        assert!(request.value("content-length").is_none_or(|length| length == "0"), "{method}");
    }
}

#[test]
fn announced_trailers_of_a_request_arrive() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let response = client.ask(
        "POST /idx/_doc HTTP/1.1\r\nHost: x\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    assert_eq!(response.status, 200);
    let request = node.next_request();
    assert_eq!(request.value("trailer"), Some("X-Sum"));
    assert_eq!(String::from_utf8(request.body).unwrap(), "3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n");
}

#[test]
fn a_large_body_passes_whole() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let body: Vec<u8> = (0..3_000_000_u32).map(|index| u8::try_from(index % 251).unwrap()).collect();
    let mut request =
        format!("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(&body);
    assert_eq!(client.ask(request).status, 200);
    assert!(node.next_request().body == body);
}

#[test]
fn a_body_streams_before_it_is_whole() {
    const FIRST: &[u8] = b"3\r\nabc\r\n";
    let (told, arrived) = channel();
    let told = Mutex::new(told);
    let node = Upstream::scripted(move |exchange| {
        exchange.head();
        let first = exchange.take(FIRST.len()).unwrap();
        told.lock().unwrap().send(first).unwrap();
        if exchange.take(5).is_some() {
            exchange.send(crate::harness::upstream::OK);
        }
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    client.send("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    // Only when the node has the first part is the second one sent.
    assert_eq!(arrived.recv_timeout(crate::harness::PATIENCE).unwrap(), FIRST);
    client.send("3\r\ndef\r\n0\r\n\r\n");
    assert_eq!(client.response(false).status, 200);
}

#[test]
fn the_go_ahead_is_given_after_the_policy_only() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let head =
        |target: &str| format!("PUT {target} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    client.send(head("/idx/_doc/1"));
    assert_eq!(client.response(false).status, 100);
    client.send("{}");
    assert_eq!(client.response(false).status, 200);
    let request = node.next_request();
    assert_eq!(request.value("expect"), None);
    assert_eq!(request.body, b"{}");

    client.send(head("/_ml/anomaly_detectors/j"));
    assert_eq!(client.response(false).status, 401);
    assert!(node.has_nothing());
}

#[test]
fn another_expectation_is_refused() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let response = client.simple("GET /", "Expect: 200-ok\r\n");
    assert_eq!(response.status, 417);
    assert_eq!(response.json()["error"]["type"], "status_exception");
    assert!(node.has_nothing());
}
