//! One side breaks off, waits or leaves.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::upstream::OK;
use crate::harness::{Client, Gateway, Setup, Upstream};

/// A node that answers the first request of the first connection with `answer` and closes.
fn breaks_with(answer: &'static [u8]) -> (Upstream, Gateway) {
    let node = Upstream::scripted(move |exchange| {
        exchange.request();
        exchange.send(answer);
        exchange.close();
    });
    let gateway = Gateway::before(node.address);
    (node, gateway)
}

#[test]
fn a_chunked_answer_that_breaks_off_is_not_ended() {
    let (_node, gateway) = breaks_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    let mut client = Client::connect(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let got = client.rest();
    let text = String::from_utf8_lossy(&got);
    assert!(text.contains("5\r\nhello\r\n"), "{text}");
    assert!(!text.ends_with("0\r\n\r\n"), "{text}");
}

#[test]
fn an_answer_shorter_than_its_length_is_not_filled_up() {
    let (_node, gateway) = breaks_with(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    let mut client = Client::connect(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let got = client.rest();
    assert!(got.ends_with(b"\r\n\r\nhello"), "{}", String::from_utf8_lossy(&got));
}

#[test]
fn an_answer_that_is_no_http_is_502() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ] {
        let (node, gateway) = breaks_with(answer);
        let response =
            Client::connect(gateway.address).ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
        assert_eq!(response.status, 502, "{}", String::from_utf8_lossy(answer));
        let body = response.json();
        assert_eq!(body["status"], 502);
        assert!(!body.to_string().contains(&node.address.to_string()), "{body}");
        assert_eq!(response.value("x-elastic-product"), Some("Elasticsearch"));
    }
}

#[test]
fn a_kept_connection_that_was_closed_is_replaced() {
    // Closes every connection after its first answer, without saying so.
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(OK);
        exchange.close();
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    for _ in 0..20 {
        assert_eq!(client.simple("GET /", "").status, 200);
    }
}

#[test]
fn a_safe_request_that_met_a_closing_connection_is_sent_once_more() {
    // The second request of a connection is read, and not answered.
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(OK);
        exchange.request();
        exchange.close();
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    assert_eq!(client.simple("GET /a", "").status, 200);
    assert_eq!(client.simple("GET /b?x", "X-Kept: 1\r\n").status, 200);
    assert_eq!(node.next_request().line(), "GET /a HTTP/1.1");
    let (first, second) = (node.next_request(), node.next_request());
    assert_eq!((first.connection, second.connection), (0, 1));
    assert_eq!(first.head, second.head);
    // Two of three are used up: the next may use the one that is left, and is lost with it.
    assert_eq!(client.simple("POST /c", "Content-Length: 0\r\n").status, 502);
    assert_eq!(node.next_request().line(), "POST /c HTTP/1.1");
    assert!(node.has_nothing(), "an unsafe request is never sent twice");
}

#[test]
fn a_caller_that_leaves_ends_the_request_at_the_node() {
    let (told, ended) = channel();
    let told = Mutex::new(told);
    let node = Upstream::scripted(move |exchange| {
        if exchange.request().is_some_and(|request| request.line().contains("/slow")) {
            let rest = exchange.rest();
            told.lock().unwrap().send(rest.is_empty()).unwrap();
        } else {
            exchange.send(OK);
        }
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    node.next_request();
    client.close();
    assert!(ended.recv_timeout(crate::harness::PATIENCE).unwrap());
    // The node is as good as before.
    assert_eq!(Client::connect(gateway.address).simple("GET /", "").status, 200);
}

#[test]
fn a_caller_that_breaks_its_body_off_does_not_complete_the_request() {
    let (told, ended) = channel();
    let told = Mutex::new(told);
    let node = Upstream::scripted(move |exchange| {
        exchange.head();
        told.lock().unwrap().send(exchange.rest()).unwrap();
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    client.send("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    node.next_connection();
    client.close();
    let got = ended.recv_timeout(crate::harness::PATIENCE).unwrap();
    assert!(!got.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&got));
}

#[test]
fn a_broken_chunk_is_refused() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    client.send("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n");
    let response = client.response(false);
    assert_eq!(response.status, 400);
    assert_eq!(response.json()["error"]["type"], "illegal_argument_exception");
    assert!(client.is_closed());
    assert!(node.has_nothing());
}

#[test]
fn an_answer_before_the_body_is_over_comes_through() {
    let node = Upstream::scripted(|exchange| {
        exchange.head();
        exchange.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}");
        exchange.rest();
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    client.send("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{}");
    let response = client.response(false);
    assert_eq!((response.status, response.body.as_slice()), (413, &b"{}"[..]));
}

#[test]
fn a_caller_that_does_not_read_holds_the_node_back() {
    const CHUNK: usize = 64 * 1024;
    const CHUNKS: usize = 1024;
    let sent = Arc::new(Mutex::new(0));
    let (counter, (full, stuck)) = (Arc::clone(&sent), channel());
    let full = Mutex::new(full);
    let node = Upstream::scripted(move |exchange| {
        exchange.request();
        exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", CHUNK * CHUNKS).as_bytes());
        exchange.no_wait();
        // Until nothing more is taken for a while: then the buffers are full.
        let mut left = CHUNKS * CHUNK;
        while left > 0 {
            let taken = exchange.send_some(&vec![b'x'; CHUNK.min(left)]);
            if taken == 0 {
                let _ = full.lock().unwrap().send(());
                exchange.wait_writable();
            }
            left -= taken;
            *counter.lock().unwrap() += taken;
        }
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect_slow(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    stuck.recv_timeout(crate::harness::PATIENCE).unwrap();
    let held = *sent.lock().unwrap();
    assert!(held < 24 * 1024 * 1024, "{held} bytes went to a caller that reads none");
    let response = client.response(false);
    assert_eq!(response.body.len(), CHUNK * CHUNKS);
}

#[test]
fn a_node_that_does_not_answer_is_504() {
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.rest();
    });
    let mut setup = Setup::of(&[node.address]);
    setup.cluster().response_timeout = Duration::from_millis(50);
    let gateway = Gateway::start(setup);
    let response = Client::connect(gateway.address).simple("GET /", "");
    assert_eq!(response.status, 504);
    assert_eq!(response.json()["error"]["type"], "timeout_exception");
}
