//! TLS on both sides, and HTTP/2 over it.

use std::time::Duration;

use http::Request;
use mlgate::gateway::HostPattern;

use crate::harness::gateway::basic;
use crate::harness::http2::{empty, with_http2};
use crate::harness::{Certificates, Client, ClusterSetup, Gateway, Setup, Upstream};

mod client_certificates;
mod http2;

const NAMES: [&str; 3] = ["localhost", "one.example", "two.example"];

fn secured(change: impl FnOnce(&mut Setup)) -> (Upstream, Gateway, Certificates) {
    let node = Upstream::answering();
    let certificates = Certificates::for_names(&NAMES);
    let mut setup = Setup::of(&[node.address]);
    setup.tls = Some(certificates.server(&["h2", "http/1.1"]));
    change(&mut setup);
    (node, Gateway::start(setup), certificates)
}

#[test]
fn http1_goes_over_tls_with_and_without_alpn() {
    let (node, gateway, certificates) = secured(|_| {});
    for protocols in [&["http/1.1"][..], &[]] {
        let mut client = Client::connect_tls(gateway.address, "localhost", certificates.client(protocols));
        for _ in 0..3 {
            assert_eq!(client.simple("GET /idx/_search", &basic("reader")).status, 200);
            let request = node.next_request();
            assert_eq!(request.value("x-forwarded-proto"), Some("https"));
            assert_eq!(request.value("via"), Some("1.1 mlgate"));
        }
    }
}

#[test]
fn a_body_goes_over_tls_both_ways() {
    let (node, gateway, certificates) = secured(|_| {});
    let mut client = Client::connect_tls(gateway.address, "localhost", certificates.client(&[]));
    let body = vec![b'x'; 1_000_000];
    let mut request =
        format!("POST /x/_doc HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(&body);
    assert_eq!(client.ask(request).status, 200);
    assert!(node.next_request().body == body);
}

#[test]
fn what_is_no_tls_gets_no_http() {
    let (node, gateway, _) = secured(|_| {});
    let mut client = Client::connect(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = client.rest();
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    assert!(node.has_nothing());
}

#[test]
fn a_handshake_that_does_not_come_closes_the_connection() {
    let (_node, gateway, _) = secured(|setup| setup.timeouts.header = Duration::from_millis(50));
    assert!(Client::connect(gateway.address).is_closed());
}

#[test]
fn the_name_of_the_handshake_and_the_host_must_mean_one_cluster() {
    let other = Upstream::answering();
    let (node, gateway, certificates) = secured(|setup| {
        setup.cluster().hosts = vec![HostPattern::Exact("one.example".to_owned())];
        let mut second = ClusterSetup::of(&[other.address]);
        second.name = "second";
        second.hosts = vec![HostPattern::Exact("two.example".to_owned())];
        setup.clusters.push(second);
    });
    let mut client = Client::connect_tls(gateway.address, "one.example", certificates.client(&[]));
    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: one.example\r\n\r\n").status, 200);
    node.next_request();
    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: two.example\r\n\r\n").status, 421);
    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: one.example\r\n\r\n").status, 200);
    assert!(other.has_nothing());
}

#[test]
fn the_same_holds_over_http2() {
    let other = Upstream::answering();
    let (node, gateway, certificates) = secured(|setup| {
        setup.cluster().hosts = vec![HostPattern::Exact("localhost".to_owned())];
        let mut second = ClusterSetup::of(&[other.address]);
        second.name = "second";
        second.hosts = vec![HostPattern::Exact("two.example".to_owned())];
        setup.clusters.push(second);
    });
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        for (host, status) in [("localhost", 200), ("two.example", 421), ("three.example", 421), ("localhost", 200)] {
            let request = Request::get(format!("https://{host}/")).body(empty()).unwrap();
            assert_eq!(sender.send_request(request).await.unwrap().status(), status, "{host}");
        }
    });
    node.next_request();
    node.next_request();
    assert!(node.has_nothing() && other.has_nothing());
}

#[test]
fn a_node_is_reached_over_tls_and_its_certificate_checked() {
    let (node, inner, certificates) = secured(|_| {});
    let name = ["127.0.0.1"];
    let right = Certificates::for_names(&name);
    let mut setup = Setup::of(&[node.address]);
    setup.tls = Some(right.server(&["http/1.1"]));
    let behind = Gateway::start(setup);

    let mut trusting = Setup::of(&[behind.address]);
    trusting.cluster().tls = Some(right.client(&[]));
    let gateway = Gateway::start(trusting);
    assert_eq!(Client::connect(gateway.address).simple("GET /", "").status, 200);
    node.next_request();

    // Known, but for other names; and not known at all.
    for (address, trusted) in [(inner.address, &certificates), (behind.address, &certificates)] {
        let mut setup = Setup::of(&[address]);
        setup.cluster().tls = Some(trusted.client(&[]));
        let gateway = Gateway::start(setup);
        assert_eq!(Client::connect(gateway.address).simple("GET /", "").status, 503);
    }
    assert!(node.has_nothing());
}
