//! Several nodes, and none.

use std::net::TcpListener;
use std::time::Duration;

use crate::harness::{Client, Gateway, Setup, Upstream};

#[test]
fn nodes_take_turns() {
    let (one, two) = (Upstream::answering(), Upstream::answering());
    let gateway = Gateway::start(Setup::of(&[one.address, two.address]));
    let mut client = Client::connect(gateway.address);
    for _ in 0..4 {
        assert_eq!(client.simple("GET /", "").status, 200);
    }
    for _ in 0..2 {
        one.next_request();
        two.next_request();
    }
    assert!(one.has_nothing() && two.has_nothing());
}

#[test]
fn a_node_that_is_down_is_passed_over() {
    let (one, two) = (Upstream::answering(), Upstream::answering());
    let gateway = Gateway::start(Setup::of(&[one.address, two.address]));
    gateway.health[0].set(0, false);
    let mut client = Client::connect(gateway.address);
    for _ in 0..4 {
        assert_eq!(client.simple("GET /", "").status, 200);
        two.next_request();
    }
    assert!(one.has_nothing());
    gateway.health[0].set(0, true);
    gateway.health[0].set(1, false);
    client.simple("GET /", "");
    one.next_request();
}

#[test]
fn a_node_that_refuses_connections_is_passed_over_with_the_same_request() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let node = Upstream::answering();
    let gateway = Gateway::start(Setup::of(&[gone, node.address]));
    let mut client = Client::connect(gateway.address);
    for _ in 0..4 {
        let response = client.ask("POST /idx/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
        assert_eq!(response.status, 200);
        assert_eq!(node.next_request().body, b"abc");
    }
}

#[test]
fn without_a_node_it_is_503_and_says_when_to_come_back() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut setup = Setup::of(&[gone]);
    setup.cluster().connect_timeout = Duration::from_secs(1);
    let gateway = Gateway::start(setup);
    let mut client = Client::connect(gateway.address);
    for _ in 0..2 {
        let response = client.simple("GET /", "");
        assert_eq!(response.status, 503);
        assert_eq!(response.value("retry-after"), Some("1"));
        let body = response.json();
        assert_eq!(body["error"]["type"], "no_node_available_exception");
        assert!(!body.to_string().contains(&gone.port().to_string()), "{body}");
    }
}

#[test]
fn a_cluster_that_comes_back_is_used_again() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    gateway.health[0].set(0, false);
    let mut client = Client::connect(gateway.address);
    assert_eq!(client.simple("GET /", "").status, 503);
    gateway.health[0].set(0, true);
    assert_eq!(client.simple("GET /", "").status, 200);
}
