//! Headers on their way to the node and back.

use std::sync::Arc;

use crate::harness::{Client, Gateway, Setup, Upstream};

use super::usual;

#[test]
fn hop_headers_of_a_request_end_here() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let response = client.simple(
        "GET /",
        "Connection: keep-alive, X-Secret-Hop\r\nX-Secret-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n\
         Proxy-Authorization: Basic eA==\r\nTE: deflate\r\nX-Kept: yes\r\nx_under_score: yes\r\n",
    );
    assert_eq!(response.status, 200);
    let request = node.next_request();
    for name in ["connection", "x-secret-hop", "keep-alive", "proxy-connection", "proxy-authorization", "te"] {
        assert_eq!(request.value(name), None, "{}", request.head);
    }
    assert_eq!(request.value("x-kept"), Some("yes"));
    assert_eq!(request.value("x_under_score"), Some("yes"));
}

#[test]
fn hop_headers_of_an_answer_end_here() {
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(
            b"HTTP/1.1 200 Fine\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\n\
              Trailer: X-Sum\r\nX-Kept: a\r\nX-Kept: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
        );
        exchange.rest();
    });
    let gateway = Gateway::before(node.address);
    let response = Client::connect(gateway.address).simple("GET /", "");
    assert!(response.head.starts_with("HTTP/1.1 200 Fine\r\n"), "{}", response.head);
    for name in ["connection", "x-hop", "keep-alive", "proxy-authenticate", "upgrade"] {
        assert_eq!(response.value(name), None, "{}", response.head);
    }
    assert_eq!(response.values("x-kept"), ["a", "b"]);
    assert_eq!(response.values("set-cookie"), ["a=1", "b=2"]);
}

#[test]
fn the_way_is_told_from_what_the_gateway_sees() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    let forged = "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.2.3.4\r\n\
                  X-Forwarded-For: 5.6.7.8\r\nVia: 1.0 before\r\n";
    client.simple("GET /", forged);
    let request = node.next_request();
    assert_eq!(request.values("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(request.values("x-forwarded-proto"), ["http"]);
    assert_eq!(request.values("x-forwarded-host"), ["localhost"]);
    assert_eq!(request.values("forwarded"), ["for=127.0.0.1;host=\"localhost\";proto=http"]);
    assert_eq!(request.values("via"), ["1.0 before", "1.1 mlgate"]);
    assert_eq!(request.value("host"), Some(node.address.to_string().as_str()));
}

#[test]
fn a_trusted_proxy_is_believed() {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let gateway = Gateway::start(setup);
    let mut client = Client::connect(gateway.address);
    client.simple("GET /", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: public\r\n");
    let request = node.next_request();
    assert_eq!(request.values("x-forwarded-for"), ["1.2.3.4", "127.0.0.1"]);
    assert_eq!(request.values("x-forwarded-proto"), ["https"]);
    assert_eq!(request.values("x-forwarded-host"), ["public"]);
    client.simple("GET /", "");
    assert_eq!(node.next_request().values("x-forwarded-host"), ["localhost"]);
}

#[test]
fn what_is_between_us_and_our_node_never_comes_from_a_caller() {
    let (node, gateway) = usual();
    let mut client = Client::connect(gateway.address);
    client.simple("GET /", "X-Mlgate-Node-Secret: x\r\nx-mlgate-anything: y\r\nX-MLGATE-Wait: join\r\n");
    assert!(!node.next_request().head.to_lowercase().contains("x-mlgate"));
}

#[test]
fn an_opaque_id_is_passed_on_and_what_comes_back_too() {
    let node = Upstream::scripted(|exchange| {
        while let Some(request) = exchange.request() {
            let id = request.value("x-opaque-id").unwrap().to_owned();
            exchange.send(format!("HTTP/1.1 200 OK\r\nX-Opaque-Id: {id}\r\nContent-Length: 0\r\n\r\n").as_bytes());
        }
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    let response = client.simple("GET /", "X-Opaque-Id: job-7\r\n");
    assert_eq!(response.value("x-opaque-id"), Some("job-7"));
    let first = response.value("x-request-id").unwrap().to_owned();
    let refused = client.simple("GET /_ml/unknown", "X-Opaque-Id: job-8\r\n");
    assert_eq!((refused.status, refused.value("x-opaque-id")), (400, Some("job-8")));
    assert_ne!(refused.value("x-request-id").unwrap(), first);
}

#[test]
fn one_caller_never_sees_the_host_of_another() {
    let (node, gateway) = usual();
    let gateway = Arc::new(gateway);
    let mut one = Client::connect(gateway.address);
    for host in ["a.example", "b.example:9200", "a.example"] {
        one.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        let request = node.next_request();
        assert_eq!(request.value("x-forwarded-host"), Some(host));
        assert_eq!(request.value("forwarded"), Some(format!("for=127.0.0.1;host=\"{host}\";proto=http").as_str()));
    }
}
