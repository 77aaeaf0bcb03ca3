//! Bounds, what HTTP itself makes us refuse, and how a refusal looks.

use std::time::Duration;

use crate::harness::gateway::basic;
use crate::harness::{Client, Gateway, Response, Setup, Upstream};

mod connections;
mod draining;
mod refusals;
mod throttling;

fn with(change: impl FnOnce(&mut Setup)) -> (Upstream, Gateway) {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    change(&mut setup);
    let gateway = Gateway::start(setup);
    (node, gateway)
}

/// In Elasticsearch's full shape, with its product header.
fn assert_full_shape(response: &Response, status: u16, kind: &str) {
    assert_eq!(response.status, status, "{}", response.head);
    let body = response.json();
    assert_eq!(body["status"], status);
    assert_eq!(body["error"]["type"], kind, "{body}");
    assert_eq!(body["error"]["root_cause"][0]["type"], kind);
    assert_eq!(body["error"]["root_cause"][0]["reason"], body["error"]["reason"]);
    assert_eq!(response.value("x-elastic-product"), Some("Elasticsearch"));
    assert_eq!(response.value("content-type"), Some("application/json"));
}

#[test]
fn a_declared_body_over_the_limit_is_413_at_once() {
    let (node, gateway) = with(|setup| setup.limits.max_content_length = 10);
    let mut client = Client::connect(gateway.address);
    let response = client.ask("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
    assert_full_shape(&response, 413, "status_exception");
    assert_eq!(response.value("connection"), Some("close"));
    assert!(client.is_closed());
    assert!(node.has_nothing());
    let response = Client::connect(gateway.address)
        .ask("POST /x/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789");
    assert_eq!(response.status, 200);
}

#[test]
fn a_chunked_body_over_the_limit_is_413_and_never_completed() {
    let (told, ended) = std::sync::mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let node = Upstream::scripted(move |exchange| {
        exchange.head();
        told.lock().unwrap().send(exchange.rest()).unwrap();
    });
    let mut setup = Setup::of(&[node.address]);
    setup.limits.max_content_length = 10;
    let gateway = Gateway::start(setup);
    let mut client = Client::connect(gateway.address);
    client.send("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n");
    node.next_connection();
    client.send("6\r\nghijkl\r\n0\r\n\r\n");
    assert_full_shape(&client.response(false), 413, "status_exception");
    let got = ended.recv_timeout(crate::harness::PATIENCE).unwrap();
    assert!(!got.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&got));
}

#[test]
fn the_answer_to_a_body_too_large_is_seen_although_it_is_still_being_sent() {
    let (_node, gateway) = with(|setup| setup.limits.max_content_length = 10);
    let mut client = Client::connect(gateway.address);
    let mut request = b"POST /idx/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n".to_vec();
    request.extend(std::iter::repeat_n(b'x', 400_000));
    let _ = client.try_send(request);
    assert_eq!(client.response(false).status, 413);
}

#[test]
fn a_body_that_stops_coming_is_408() {
    let (node, gateway) = with(|setup| setup.timeouts.body = Duration::from_millis(50));
    let mut client = Client::connect(gateway.address);
    client.send("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    assert_full_shape(&client.response(false), 408, "timeout_exception");
    assert!(client.is_closed());
    assert!(node.has_nothing());
}

#[test]
fn a_head_over_the_limit_is_431_and_a_line_over_it_414() {
    let (node, gateway) = with(|setup| setup.limits.max_header_bytes = 8192);
    let mut client = Client::connect(gateway.address);
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "y".repeat(9000)));
    assert_full_shape(&client.response(false), 431, "status_exception");
    assert!(client.is_closed());
    let mut client = Client::connect(gateway.address);
    client.send(format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(9000)));
    assert_full_shape(&client.response(false), 414, "status_exception");
    assert!(client.is_closed());
    // Nothing of it is mistaken for an answer to a request that came before.
    let mut client = Client::connect(gateway.address);
    assert_eq!(client.simple("GET /", "").status, 200);
    node.next_request();
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "y".repeat(9000)));
    assert_full_shape(&client.response(false), 431, "status_exception");
    assert!(node.has_nothing());
}

#[test]
fn what_is_no_http_is_400() {
    let (node, gateway) = with(|_| {});
    for head in [
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/3.7\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "\x16\x03\x01\x02\x00\r\n\r\n",
    ] {
        let mut client = Client::connect(gateway.address);
        client.send(head);
        let response = client.response(false);
        assert_full_shape(&response, 400, "illegal_argument_exception");
        assert!(client.is_closed(), "{head}");
    }
    assert!(node.has_nothing());
}

#[test]
fn a_head_that_does_not_come_closes_the_connection() {
    let (_node, gateway) = with(|setup| setup.timeouts.header = Duration::from_millis(50));
    let mut silent = Client::connect(gateway.address);
    let mut slow = Client::connect(gateway.address);
    slow.send("GET / HTTP/1.1\r\nHost:");
    assert!(silent.is_closed());
    assert!(slow.is_closed());
    let mut second = Client::connect(gateway.address);
    assert_eq!(second.simple("GET /", "").status, 200);
    second.send("GET ");
    assert!(second.is_closed());
}

#[test]
fn an_idle_connection_is_closed() {
    let (_node, gateway) = with(|setup| setup.timeouts.idle = Duration::from_millis(50));
    let mut client = Client::connect(gateway.address);
    assert_eq!(client.simple("GET /", "").status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_head_answer_has_no_body_and_the_headers_of_one() {
    let (_node, gateway) = with(|_| {});
    let mut client = Client::connect(gateway.address);
    let refused = client.simple("HEAD /_ml/info", &basic("elastic"));
    assert_eq!(refused.status, 405);
    assert!(refused.value("content-length").unwrap().parse::<usize>().unwrap() > 0);
    assert_eq!(client.simple("GET /", "").status, 200, "the connection has not lost its place");
}
