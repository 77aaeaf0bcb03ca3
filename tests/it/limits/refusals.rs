//! Requests that never reach a node, and Elasticsearch's words for it.

use mlgate::gateway::HostPattern;
use mlgate::policy::upgrade_mode::GateState;
use serde_json::json;

use super::{assert_full_shape, with};
use crate::harness::gateway::basic;
use crate::harness::{Client, ClusterSetup, Gateway, Setup, Upstream};

#[test]
fn methods_that_nobody_serves_are_405() {
    let (node, gateway) = with(|_| {});
    for (line, method) in [("CONNECT localhost:443", "CONNECT"), ("TRACE /", "TRACE")] {
        let response = Client::connect(gateway.address).simple(line, "");
        assert_eq!(response.status, 405);
        assert_eq!(response.json(), json!({"error": format!("Unexpected http method: {method}"), "status": 405}));
    }
    assert!(node.has_nothing());
}

#[test]
fn upgrades_are_refused() {
    let (node, gateway) = with(|_| {});
    for protocol in ["websocket", "h2c"] {
        let lines = format!("Connection: Upgrade\r\nUpgrade: {protocol}\r\n");
        let response = Client::connect(gateway.address).simple("GET /", &lines);
        assert_full_shape(&response, 400, "illegal_argument_exception");
    }
    assert!(node.has_nothing());
}

#[test]
fn a_host_must_be_there_once_and_be_one() {
    let (node, gateway) = with(|_| {});
    for lines in
        ["", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a,b\r\n", "Host: u@a\r\n", "Host:\r\n", "Host: a/b\r\n"]
    {
        let mut client = Client::connect(gateway.address);
        let response = client.ask(format!("GET / HTTP/1.1\r\n{lines}\r\n"));
        assert_full_shape(&response, 400, "illegal_argument_exception");
        assert!(client.is_closed(), "{lines}");
    }
    assert!(node.has_nothing());
    let response = Client::connect(gateway.address).ask("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(response.status, 200, "HTTP/1.0 has no need of it");
}

#[test]
fn the_host_chooses_the_cluster() {
    let (one, two) = (Upstream::answering(), Upstream::answering());
    let mut setup = Setup::of(&[one.address]);
    setup.cluster().hosts = vec![HostPattern::Exact("one.example".to_owned())];
    let mut second = ClusterSetup::of(&[two.address]);
    second.name = "second";
    second.hosts = vec![HostPattern::Suffix(".two.example".to_owned())];
    setup.clusters.push(second);
    let gateway = Gateway::start(setup);
    let mut client = Client::connect(gateway.address);
    let mut ask = |host: &str| client.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert_eq!(ask("ONE.example:9243").status, 200);
    one.next_request();
    assert_eq!(ask("a.two.example").status, 200);
    two.next_request();
    assert_full_shape(&ask("two.example"), 421, "status_exception");
    assert_eq!(ask("one.example").status, 200);
    one.next_request();
    assert!(one.has_nothing() && two.has_nothing());
}

#[test]
fn an_unknown_ml_path_never_reaches_the_node() {
    let (node, gateway) = with(|_| {});
    let mut client = Client::connect(gateway.address);
    for (method, target) in [
        ("POST", "/_ml/_bulk"),
        ("GET", "/_ml"),
        ("PUT", "/_ml/_doc/1"),
        ("POST", "/_ml/anomaly_detectors/j/_open/x"),
        ("GET", "/_ml/unknown?x=1"),
        ("POST", "/_xpack/ml/_bulk"),
    ] {
        let response = client.simple(&format!("{method} {target}"), &basic("elastic"));
        assert_eq!(response.status, 400, "{target}");
        assert_eq!(
            response.json(),
            json!({"error": format!("no handler found for uri [{target}] and method [{method}]")})
        );
    }
    assert!(node.has_nothing());
}

#[test]
fn ambiguous_targets_are_refused() {
    let (node, gateway) = with(|_| {});
    for target in ["/%5Fml/info", "//_ml/info", "/x/../_ml/info", "/_ML/info", "/_ml/info;x", "/_ml/info#x", "/a%zz"] {
        let response = Client::connect(gateway.address).simple(&format!("GET {target}"), &basic("elastic"));
        assert_eq!(response.status, 400, "{target}: {}", response.head);
    }
    assert!(node.has_nothing());
}

#[test]
fn a_wrong_method_is_405_with_the_right_ones() {
    let (node, gateway) = with(|_| {});
    let response = Client::connect(gateway.address).simple("POST /_ml/info?x=1", &basic("elastic"));
    assert_eq!((response.status, response.value("allow")), (405, Some("GET")));
    assert_eq!(
        response.json(),
        json!({"error": "Incorrect HTTP method for uri [/_ml/info?x=1] and method [POST], allowed: [GET]", "status": 405})
    );
    let options = Client::connect(gateway.address).simple("OPTIONS /_ml/info", "");
    assert_eq!(
        (options.status, options.value("allow"), options.value("content-length")),
        (200, Some("GET"), Some("0"))
    );
    assert!(node.has_nothing());
}

#[test]
fn without_credentials_it_is_401_with_the_schemes_on_offer() {
    let (node, gateway) = with(|_| {});
    let mut client = Client::connect(gateway.address);
    let response = client.simple("GET /_ml/info?pretty", "");
    assert_eq!(response.status, 401);
    let offered = response.values("www-authenticate");
    assert!(offered[0].starts_with("Basic realm=\"security\""), "{offered:?}");
    let body = response.json();
    assert_eq!(body["error"]["reason"], "missing authentication credentials for REST request [/_ml/info?pretty]");
    let listed = &body["error"]["header"]["WWW-Authenticate"];
    assert_eq!(listed.as_str().map_or(listed.as_array().map_or(0, Vec::len), |_| 1), offered.len());
    assert_eq!(body["error"]["root_cause"][0]["header"], body["error"]["header"]);
    assert_eq!(response.value("x-elastic-product"), None);

    let wrong = client.simple("GET /_ml/info", "Authorization: Basic ZWxhc3RpYzp3cm9uZw==\r\n");
    assert_eq!(wrong.json()["error"]["reason"], "unable to authenticate user [elastic] for REST request [/_ml/info]");
    let two = client.simple("GET /", &format!("{}{}", basic("reader"), basic("elastic")));
    assert_eq!(two.status, 400);
    assert!(node.has_nothing());
}

#[test]
fn without_the_privilege_it_is_403_also_while_the_fence_is_up() {
    let (node, gateway) = with(|setup| setup.cluster().state = GateState::On);
    let mut client = Client::connect(gateway.address);
    let denied = client.simple("POST /_ml/anomaly_detectors/j/_open", &basic("reader"));
    assert_eq!(denied.status, 403);
    assert_eq!(
        denied.json()["error"]["reason"],
        "action [cluster:admin/xpack/ml/job/open] is unauthorized for user [reader] with effective roles [viewer], \
         this action is granted by the cluster privileges [manage_ml,manage,all]"
    );
    assert_eq!((denied.value("x-elastic-product"), denied.value("www-authenticate")), (None, None));
    let held = client.simple("POST /_ml/anomaly_detectors/j/_open", &basic("ml_admin"));
    assert_full_shape(&held, 429, "status_exception");
    assert_eq!(
        held.json()["error"]["reason"],
        "Cannot perform cluster:admin/xpack/ml/job/open action while upgrade mode is enabled"
    );
    assert!(held.value("retry-after").is_some());
    let reset = client.simple("POST /_ml/anomaly_detectors/j/_reset", &basic("ml_admin"));
    assert_full_shape(&reset, 409, "status_exception");
    assert_eq!(reset.json()["error"]["reason"], "cannot reset job while indices are being upgraded");
    assert!(node.has_nothing());
    assert_eq!(client.simple("GET /_ml/info", &basic("ml_admin")).status, 200);
}

#[test]
fn while_nothing_is_known_of_the_mode_it_is_503() {
    let (node, gateway) = with(|setup| setup.cluster().state = GateState::Unknown);
    let mut client = Client::connect(gateway.address);
    let response = client.simple("POST /_ml/anomaly_detectors/j/_open", &basic("ml_admin"));
    assert_full_shape(&response, 503, "status_exception");
    assert_eq!(response.value("retry-after"), Some("1"));
    assert!(node.has_nothing());
}

#[test]
fn the_body_is_json_whatever_came_in() {
    let (node, gateway) = with(|_| {});
    for target in ["/_ml/\"quoted\"", "/_ml/{brace}", "/_ml/back\\slash", "/_ml/tab%09"] {
        let response = Client::connect(gateway.address).simple(&format!("GET {target}"), "");
        assert_eq!(response.status, 400);
        assert!(response.json()["error"].is_string() || response.json()["error"].is_object(), "{target}");
    }
    let response =
        Client::connect(gateway.address).ask(b"GET /_ml/x HTTP/1.1\r\nHost: x\r\nX-Opaque-Id: \xe4\xff\r\n\r\n");
    assert_eq!(response.status, 400);
    assert!(node.has_nothing());
}

#[test]
fn the_media_type_is_the_one_asked_for() {
    let (_node, gateway) = with(|_| {});
    let accept = "Accept: application/vnd.elasticsearch+json; compatible-with=9\r\n";
    let response = Client::connect(gateway.address).simple("GET /_ml/unknown", accept);
    assert_eq!(response.value("content-type"), Some("application/vnd.elasticsearch+json;compatible-with=9"));
}

#[test]
fn a_switch_takes_no_body() {
    let (node, gateway) = with(|_| {});
    let head = format!("POST /_ml/set_upgrade_mode?enabled=true HTTP/1.1\r\nHost: x\r\n{}", basic("elastic"));
    for rest in ["Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"] {
        let response = Client::connect(gateway.address).ask(format!("{head}{rest}"));
        assert_full_shape(&response, 400, "illegal_argument_exception");
        assert_eq!(
            response.json()["error"]["reason"],
            "request [POST /_ml/set_upgrade_mode] does not support having a body"
        );
    }
    assert!(node.has_nothing());
}

#[test]
fn a_switch_goes_through_the_gate() {
    let node = Upstream::scripted(|exchange| {
        while let Some(request) = exchange.request() {
            let body = if request.line().contains("_ml/info") {
                r#"{"upgrade_mode":true}"#
            } else {
                r#"{"acknowledged":true}"#
            };
            exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    let gateway = Gateway::before(node.address);
    let mut client = Client::connect(gateway.address);
    let response = client.simple("POST /_ml/set_upgrade_mode?enabled=true&timeout=20s", &basic("elastic"));
    assert_eq!((response.status, response.json()), (200, json!({"acknowledged": true})));
    let request = node.await_request("/_ml/set_upgrade_mode");
    assert!(request.line().starts_with("POST /_ml/set_upgrade_mode?enabled=true&timeout="), "{}", request.line());
    assert_eq!(request.value("host"), Some(node.address.to_string().as_str()));
    assert!(request.value("authorization").is_some());
    let held = client.simple("POST /_ml/anomaly_detectors/j/_open", &basic("ml_admin"));
    assert_eq!(held.status, 429);
}
