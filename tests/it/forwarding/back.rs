//! Answers of a node on their way to the caller.

use crate::harness::{Client, Gateway, Upstream};

/// What the caller gets when the node answers `sent` to `method`.
fn answered(method: &str, lines: &str, sent: &'static [u8]) -> crate::harness::Response {
    let node = Upstream::scripted(move |exchange| while exchange.request().is_some() && exchange.send(sent) {});
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    let first = client.simple(&format!("{method} /"), lines);
    // The connection has not lost its place.
    assert_eq!(client.simple(&format!("{method} /"), lines).status, first.status);
    first
}

#[test]
fn a_length_stays_a_length() {
    let response = answered("GET", "", b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((response.status, response.value("content-length")), (404, Some("5")));
    assert_eq!(response.body, b"hello");
}

#[test]
fn chunks_stay_chunks() {
    let response = answered(
        "GET",
        "",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    );
    assert_eq!(response.value("transfer-encoding"), Some("chunked"));
    assert_eq!(response.body, b"hello world");
}

#[test]
fn trailers_come_back_to_who_takes_them() {
    const SENT: &[u8] =
        b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n";
    let response = answered("GET", "TE: trailers\r\nConnection: TE\r\n", SENT);
    assert!(response.raw_body.ends_with(b"0\r\nx-sum: 7\r\n\r\n"), "{}", String::from_utf8_lossy(&response.raw_body));
    let response = answered("GET", "", SENT);
    assert!(response.raw_body.ends_with(b"\r\n0\r\n\r\n"));
}

#[test]
fn answers_without_a_body_have_none() {
    for sent in [&b"HTTP/1.1 204 No Content\r\n\r\n"[..], b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"] {
        let response = answered("GET", "", sent);
        assert!(response.body.is_empty());
        assert_eq!(response.value("transfer-encoding"), None, "{}", response.head);
    }
    let response = answered("HEAD", "", b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    assert_eq!(response.value("content-length"), Some("1234"));
}

#[test]
fn redirects_are_passed_on() {
    let response =
        answered("GET", "", b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((response.status, response.value("location")), (302, Some("http://elsewhere/")));
}

#[test]
fn an_answer_that_ends_with_its_connection_is_whole() {
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(b"HTTP/1.0 200 OK\r\n\r\nall of it");
        exchange.close();
    });
    let gateway = Gateway::before(node.address);
    let response = Client::connect(gateway.address).simple("GET /", "");
    assert_eq!(response.body, b"all of it");
    assert!(response.raw_body.ends_with(b"0\r\n\r\n"), "{}", response.head);
}

#[test]
fn an_answer_streams_before_it_is_whole() {
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        // Only when the caller has it does the rest follow.
        exchange.request();
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let second = Upstream::answering();
    let gateway = Gateway::before(node.address);
    let _other = Gateway::before(second.address);
    let mut client = Client::connect(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let at = client.fill_until(|buffer| buffer.windows(5).position(|window| window == b"first"));
    assert!(at.is_some());
}

#[test]
fn interim_answers_of_a_node_are_not_passed_on() {
    let response = answered(
        "GET",
        "",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    );
    assert_eq!(response.status, 200);
}
