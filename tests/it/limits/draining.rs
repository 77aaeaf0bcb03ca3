//! The end of a gateway: what is under way is finished, nothing new begins.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::harness::upstream::OK;
use crate::harness::{Client, Gateway, Setup, Upstream};

#[test]
fn an_idle_connection_is_closed_and_the_gateway_ends() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    assert_eq!(client.simple("GET /", "").status, 200);
    gateway.stop();
    assert!(client.is_closed());
    gateway.join();
}

#[test]
fn a_request_under_way_is_answered_and_its_connection_closed() {
    let (go, went) = channel::<()>();
    let went = Mutex::new(went);
    let node = Upstream::scripted(move |exchange| {
        exchange.request();
        went.lock().unwrap().recv().unwrap();
        exchange.send(OK);
        exchange.rest();
    });
    let gateway = Gateway::before(node.address);
    let mut idle = Client::connect(gateway.address);
    let mut client = Client::connect(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    node.next_request();
    gateway.stop();
    // The other one has been told by now, so the worker drains.
    assert!(idle.is_closed());
    go.send(()).unwrap();
    let response = client.response(false);
    assert_eq!((response.status, response.value("connection")), (200, Some("close")));
    assert!(client.is_closed());
    gateway.join();
}

#[test]
fn what_waits_in_the_accept_queue_is_answered() {
    let node = Upstream::answering();
    let mut waiting = Vec::new();
    let gateway = Gateway::start_after(Setup::of(&[node.address]), |address| {
        waiting.extend((0..50).map(|_| Client::connect(address)));
        for client in &mut waiting {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        true
    });
    for client in &mut waiting {
        assert_eq!(client.response(false).status, 200);
        assert!(client.is_closed());
    }
    gateway.join();
}

#[test]
fn the_time_to_drain_is_bounded() {
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.rest();
    });
    let mut setup = Setup::of(&[node.address]);
    setup.timeouts.drain = Duration::from_millis(50);
    let gateway = Gateway::start(setup);
    let mut client = Client::connect(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    node.next_request();
    gateway.join();
    assert!(client.is_closed());
}
