//! The PROXY protocol: whose connection a proxy in front passes on.

use crate::harness::{Certificates, Client, Gateway, Setup, Upstream};

const VERSION_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\x0a\0\0\x01\x30\x39\x24\x1b";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const CLAIMS: &str = "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: public\r\n";

fn expecting(change: impl FnOnce(&mut Setup)) -> (Upstream, Gateway) {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.proxy_protocol = true;
    setup.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    change(&mut setup);
    let gateway = Gateway::start(setup);
    (node, gateway)
}

fn line(origin: &str) -> String {
    format!("PROXY TCP4 {origin} 10.0.0.1 12345 9243\r\n")
}

fn connect(gateway: &Gateway, header: impl AsRef<[u8]>) -> Client {
    let mut client = Client::connect(gateway.address);
    client.send(header);
    client
}

#[test]
fn who_is_behind_the_proxy_is_the_caller() {
    let (node, gateway) = expecting(|_| {});
    let (one, trusted) = (line("203.0.113.7"), line("127.9.9.9"));
    let table: [(&[u8], &[&str]); 5] = [
        (one.as_bytes(), &["203.0.113.7"]),
        (VERSION_2, &["203.0.113.7"]),
        // What a caller says of itself stays only if the caller is a trusted proxy, whoever passes it on.
        (trusted.as_bytes(), &["1.2.3.4", "127.9.9.9"]),
        (LOCAL, &["1.2.3.4", "127.0.0.1"]),
        (b"PROXY UNKNOWN\r\n", &["1.2.3.4", "127.0.0.1"]),
    ];
    for (header, callers) in table {
        let mut client = connect(&gateway, header);
        for _ in 0..2 {
            assert_eq!(client.simple("GET /", CLAIMS).status, 200);
            let request = node.next_request();
            assert_eq!(request.values("x-forwarded-for"), callers, "{}", header.escape_ascii());
            assert_eq!(request.values("x-forwarded-host") == ["public"], callers.len() == 2);
        }
    }
    let split = line("203.0.113.8");
    let mut client = connect(&gateway, &split[..20]);
    client.send(format!("{}GET / HTTP/1.1\r\nHost: x\r\n\r\n", &split[20..]));
    assert_eq!(client.response(false).status, 200);
    assert_eq!(node.next_request().values("x-forwarded-for"), ["203.0.113.8"]);
}

#[test]
fn tls_begins_after_the_header() {
    let certificates = Certificates::for_names(&["localhost"]);
    let (node, gateway) = expecting(|setup| setup.tls = Some(certificates.server(&["h2", "http/1.1"])));
    for header in [&line("203.0.113.7").into_bytes(), VERSION_2] {
        let config = certificates.client(&["http/1.1"]);
        let mut client = Client::connect_tls_after(header, gateway.address, "localhost", config);
        assert_eq!(client.simple("GET /", "").status, 200);
        let request = node.next_request();
        assert_eq!(request.values("x-forwarded-for"), ["203.0.113.7"]);
        assert_eq!(request.values("x-forwarded-proto"), ["https"]);
    }
}

#[test]
fn nothing_is_served_without_the_header() {
    let (node, gateway) = expecting(|_| {});
    for bytes in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PROXY TCP4 203.0.113.7\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        assert_eq!(connect(&gateway, bytes).rest(), b"", "{bytes}");
    }
    assert_eq!(connect(&gateway, line("203.0.113.7")).simple("GET /only", "").status, 200);
    assert_eq!(node.next_request().line(), "GET /only HTTP/1.1");
}

#[test]
fn only_trusted_proxies_may_say_whose_it_is() {
    let (_node, gateway) = expecting(|setup| setup.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]);
    let request = format!("{}GET / HTTP/1.1\r\nHost: x\r\n\r\n", line("10.0.0.5"));
    let mut client = Client::connect(gateway.address);
    // It may be closed before all is sent.
    let _ = client.try_send(request);
    assert!(client.is_closed());
    // Without any, everybody may; nobody's own claims are kept.
    let (node, gateway) = expecting(|setup| setup.trusted_proxies.clear());
    assert_eq!(connect(&gateway, line("10.0.0.5")).simple("GET /", CLAIMS).status, 200);
    assert_eq!(node.next_request().values("x-forwarded-for"), ["10.0.0.5"]);
}

#[test]
fn connections_are_counted_for_who_is_behind_the_proxy() {
    let (_node, gateway) = expecting(|setup| setup.limits.max_connections_per_ip = 1);
    let mut one = connect(&gateway, line("203.0.113.7"));
    assert_eq!(one.simple("GET /", "").status, 200);
    let mut other = connect(&gateway, line("203.0.113.8"));
    assert_eq!(other.simple("GET /", "").status, 200);
    assert!(connect(&gateway, line("203.0.113.7")).is_closed());
    assert_eq!(one.simple("GET /", "").status, 200);
}
