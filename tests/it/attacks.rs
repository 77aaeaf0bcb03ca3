//! What a stranger or a caller without privileges tries.

mod two_routers;

use crate::harness::gateway::basic;
use crate::harness::{Client, Gateway, Setup, Upstream};
use mlgate::gateway::Identity;
use mlgate::secret::Secret;
use mlgate::upstream::Credentials;

/// A gateway that speaks to its node in its own name.
fn lending(identity: Identity) -> (Upstream, Gateway) {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.cluster().identity = identity;
    setup.cluster().credentials = Some(Credentials::ApiKey(Secret::new("b3Vycw==".to_owned())));
    (node, Gateway::start(setup))
}

#[test]
fn nobody_is_not_lent_the_credentials_of_the_gateway() {
    let (node, gateway) = lending(Identity::Service);
    let mut client = Client::connect(gateway.address);
    for request in ["GET /", "GET /_security/user", "DELETE /web", "POST /_security/api_key", "OPTIONS /web"] {
        let response = client.simple(request, "");
        assert_eq!(response.status, 401, "{request}: {}", response.head);
        assert!(!response.values("www-authenticate").is_empty(), "{request}");
    }
    assert!(node.has_nothing());
    assert_eq!(client.simple("GET /", &basic("reader")).status, 200);
}

#[test]
fn a_trailer_claims_no_identity() {
    let names = [
        "ES-Security-RunAs-User",
        "es-secondary-authorization",
        "ES-Client-Authentication",
        "X-Mlgate-Node-Caller",
        "X-Forwarded-For",
        "Authorization",
    ];
    for identity in [Identity::RunAs, Identity::Service, Identity::Passthrough, Identity::Vouched] {
        let (node, gateway) = lending(identity);
        let mut client = Client::connect(gateway.address);
        let trailers: String = names.iter().map(|name| format!("{name}: elastic\r\n")).collect();
        let response = client.ask(format!(
            "POST /web/_doc HTTP/1.1\r\nHost: x\r\n{}Trailer: X-Sum, {}\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\n{{}}\r\n0\r\nX-Sum: 7\r\n{trailers}\r\n",
            basic("reader"),
            names.join(", "),
        ));
        assert_eq!(response.status, 200, "{}", response.head);
        let body = String::from_utf8(node.next_request().body).unwrap();
        assert_eq!(body, "2\r\n{}\r\n0\r\nx-sum: 7\r\n\r\n", "{identity:?}");
    }
}

#[test]
fn connection_takes_no_identity_of_the_gateway_away() {
    let (node, gateway) = lending(Identity::RunAs);
    for name in ["authorization", "close, es-security-runas-user", "Host", "content-length", "x-mlgate-reason"] {
        let lines = format!("Connection: {name}\r\n{}", basic("reader"));
        let response = Client::connect(gateway.address).simple("GET /web/_search", &lines);
        assert_eq!(response.status, 400, "{name}");
        assert!(node.has_nothing());
    }
    let lines = format!("Connection: via, x-one\r\nX-One: 1\r\n{}", basic("reader"));
    assert_eq!(Client::connect(gateway.address).simple("GET /web/_search", &lines).status, 200);
    let request = node.next_request();
    assert_eq!(request.values("es-security-runas-user"), ["reader"]);
    assert_eq!(request.values("authorization"), ["ApiKey b3Vycw=="]);
    assert_eq!(request.values("host"), [node.address.to_string()]);
    assert!(request.values("x-one").is_empty());
}

#[test]
fn two_client_secrets_are_refused() {
    let (node, gateway) = lending(Identity::Passthrough);
    let lines = format!("ES-Client-Authentication: a\r\nes-client-authentication: b\r\n{}", basic("reader"));
    let response = Client::connect(gateway.address).simple("GET /web/_search", &lines);
    assert_eq!(response.status, 400, "{}", response.head);
    let reason = response.json()["error"]["reason"].to_string();
    assert!(reason.contains("multiple values for single-valued header [ES-Client-Authentication]."), "{reason}");
    assert!(node.has_nothing());
}

#[test]
fn several_credentials_are_none() {
    let (node, gateway) = lending(Identity::RunAs);
    let (low, high) = (basic("reader"), basic("elastic"));
    let joined = format!("{}, {}", low.trim_end(), high.trim_start_matches("Authorization: "));
    for lines in [format!("{low}{high}"), format!("{high}{low}"), format!("{low}authorization: \r\n"), joined] {
        let response = Client::connect(gateway.address).simple("GET /_ml/info", &lines);
        assert!(matches!(response.status, 400 | 401), "{}: {lines}", response.head);
    }
    assert!(node.has_nothing());
}

/// Whatever stands behind a refused head is not taken for a request.
#[test]
fn the_body_of_a_refused_request_is_no_request() {
    let (node, gateway) = lending(Identity::RunAs);
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nHost: x\r\n{}\r\n", basic("elastic"));
    let length = format!("Content-Length: {}\r\n", smuggled.len());
    for (request, lines) in [
        ("POST /_ml/anomaly_detectors/j/_open", length.clone()),
        ("POST /_ml/anomaly_detectors/j/_open", format!("{length}{}", basic("reader"))),
        ("POST /_ml/nothing", length.clone()),
        ("POST /web/_doc", format!("{length}Expect: everything\r\n{}", basic("reader"))),
        ("POST /web/_doc", format!("{length}Upgrade: h2c\r\n{}", basic("reader"))),
    ] {
        let mut client = Client::connect(gateway.address);
        client.send(format!("{request} HTTP/1.1\r\nHost: x\r\n{lines}\r\n{smuggled}"));
        let answer = client.response(false);
        assert!((400..500).contains(&answer.status), "{request}: {}", answer.head);
        let _ = client.try_send("GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let _ = client.try_response(false);
    }
    // `/next` may have gone on, by a caller that nobody knows; the other never.
    while let Some(request) = node.try_request() {
        assert!(!request.line().contains("smuggled"), "{}", request.line());
    }
}
