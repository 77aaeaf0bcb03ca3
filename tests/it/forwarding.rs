//! What goes to a node and what comes back, byte for byte.

use crate::harness::gateway::basic;
use crate::harness::{Client, Gateway, Upstream};

mod back;
mod breaking;
mod claims;
mod framing;
mod headers;
mod identity;
mod nodes;
mod proxy_protocol;

/// A gateway before a node that answers everything with 200.
fn usual() -> (Upstream, Gateway) {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    (node, gateway)
}

#[test]
fn the_bytes_that_were_classified_are_sent() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    for target in [
        "/",
        "/?",
        "/idx/_search?q=a+b&pretty",
        "/idx/_doc/%2E%2E",
        "/idx/_doc/a%2Fb",
        "/idx/_search///",
        "/idx//_doc/./1",
        "/idx/_doc/a%2fb%C3%A9?x=%zz".trim_end_matches("?x=%zz"),
        "/%3Clogstash-%7Bnow%2Fd%7D%3E/_count?x=a/b?c",
    ] {
        let response = client.simple(&format!("GET {target}"), "");
        assert_eq!(response.status, 200, "{target}: {}", response.head);
        assert_eq!(node.next_request().line(), format!("GET {target} HTTP/1.1"));
    }
}

#[test]
fn an_absolute_target_goes_on_in_origin_form_when_it_agrees_with_host() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let response = client.ask("GET http://Localhost:9200/a?b HTTP/1.1\r\nHost: localhost:9200\r\n\r\n");
    assert_eq!(response.status, 200);
    assert_eq!(node.next_request().line(), "GET /a?b HTTP/1.1");
    for (target, host) in
        [("http://other/a", "localhost"), ("http://u@localhost/a", "localhost"), ("http://localhost:1/a", "localhost")]
    {
        let mut client = Client::connect(gateway.address);
        let response = client.ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(response.status, 400, "{target}");
        assert!(client.is_closed());
    }
    assert!(node.has_nothing());
}

#[test]
fn connections_are_kept_on_both_sides() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    for _ in 0..5 {
        assert_eq!(client.simple("GET /", "").status, 200);
        assert_eq!(node.next_request().connection, 0);
    }
}

#[test]
fn credentials_are_passed_through() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let line = basic("reader");
    assert_eq!(client.simple("GET /idx/_search", &line).status, 200);
    assert_eq!(format!("Authorization: {}\r\n", node.next_request().value("authorization").unwrap()), line);
    assert_eq!(client.simple("GET /idx/_search", &basic("stranger")).status, 401);
    assert!(node.has_nothing());
}
