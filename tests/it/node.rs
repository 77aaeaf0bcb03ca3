//! The embedded node over its socket: documents, search, routing, security.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlgate::elasticsearch::vouched;
use mlgate::node::{RunningNode, Security, Settings, StartError, start};
use mlgate::secret::Secret;
use serde_json::{Value, json};

fn settings(data: &Path, security: Security) -> Settings {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    Settings { address, data: data.to_owned(), cluster_name: "it".to_owned(), security }
}

struct Harness {
    node: Option<RunningNode>,
    folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Harness {
    fn open() -> Self {
        Self::with(Security::Off)
    }

    fn with(security: Security) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let node = start(settings(folder.path(), security)).expect("a node");
        Self { node: Some(node), folder }
    }

    fn address(&self) -> SocketAddr {
        self.node.as_ref().expect("a running node").address()
    }

    fn restart(&mut self) {
        self.node.take().expect("a running node").stop();
        self.node = Some(start(settings(self.folder.path(), Security::Off)).expect("a node"));
    }

    fn send(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address()).expect("a connection");
        let mut text = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                text.push_str("Content-Type: application/json\r\n");
            }
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        stream.write_all(text.as_bytes()).expect("a write");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let body = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
        Answer { status, head: head.to_ascii_lowercase(), body }
    }

    fn call(&self, request: &str, body: &str) -> Value {
        let answer = self.send(request, &[], body);
        assert!(answer.status < 300, "{request}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Status and reason.
    fn refused(&self, request: &str, body: &str) -> (u16, String) {
        let answer = self.send(request, &[], body);
        let reason = answer.body.pointer("/error/reason").or_else(|| answer.body.get("error"));
        (answer.status, reason.and_then(Value::as_str).unwrap_or_default().to_owned())
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            node.stop();
        }
    }
}

#[test]
fn root_names_product_and_version() {
    let node = Harness::open();
    let accept = ("Accept", "application/vnd.elasticsearch+json; compatible-with=8");
    let answer = node.send("GET /", &[accept, ("X-Opaque-Id", "me")], "");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.pointer("/tagline"), Some(&json!("You Know, for Search")));
    assert_eq!(answer.body.pointer("/version/build_flavor"), Some(&json!("default")));
    assert!(answer.head.contains("x-elastic-product: elasticsearch"), "{}", answer.head);
    assert!(answer.head.contains("content-type: application/vnd.elasticsearch+json;compatible-with=8"));
    assert!(answer.head.contains("x-opaque-id: me"));
    assert_eq!(node.send("HEAD /", &[], "").status, 200);
}

#[test]
fn routing_answers_as_elasticsearch_does() {
    let node = Harness::open();
    for (request, status, reason) in [
        ("GET /_ml/foo", 400, "no handler found for uri [/_ml/foo] and method [GET]"),
        ("POST /_reindex?x=1", 400, "no handler found for uri [/_reindex?x=1] and method [POST]"),
        ("GET /_nodes/stats", 400, "no handler found for uri [/_nodes/stats] and method [GET]"),
        (
            "GET /_nodes/_local/hot_threads",
            400,
            "no handler found for uri [/_nodes/_local/hot_threads] and method [GET]",
        ),
        (
            "POST /_cluster/health",
            405,
            "Incorrect HTTP method for uri [/_cluster/health] and method [POST], allowed: [GET]",
        ),
        (
            "GET /_cluster/health?timeuot=1s",
            400,
            "request [/_cluster/health] contains unrecognized parameter: [timeuot] -> did you mean [timeout]?",
        ),
        ("GET /?a=%zz", 400, "invalid hex byte 'zz' at index 1 of '%zz'"),
        ("GET /missing", 404, "no such index [missing]"),
    ] {
        assert_eq!(node.refused(request, ""), (status, reason.to_owned()), "{request}");
    }
    let options = node.send("OPTIONS /_cluster/health", &[], "");
    assert_eq!(options.status, 200);
    assert!(options.head.contains("allow: get"));
    assert_eq!(node.send("GET /", &[("Accept", "application/cbor")], "").status, 406);
    assert_eq!(node.send("PUT /a", &[("Content-Type", "text/plain")], "{}").status, 406);
}

#[test]
fn documents_are_written_found_and_deleted() {
    let mut node = Harness::open();
    node.call("PUT /logs", r#"{"mappings":{"properties":{"host":{"type":"keyword"},"@timestamp":{"type":"date"}}}}"#);
    assert_eq!(node.refused("PUT /logs", "").0, 400);
    let mut bulk = String::new();
    for number in 0..50 {
        bulk.push_str(&format!("{{\"index\":{{\"_id\":\"{number}\"}}}}\n"));
        bulk.push_str(&format!(
            "{{\"host\":\"h{}\",\"n\":{number},\"@timestamp\":{}}}\n",
            number % 3,
            1_700_000_000_000_i64 + number * 1000
        ));
    }
    bulk.push_str("{\"index\":{\"_id\":\"bad\"}}\n{\"n\":\"x\"}\n");
    let answer = node.send("POST /logs/_bulk?refresh=true", &[("Content-Type", "application/x-ndjson")], &bulk);
    assert_eq!(answer.body.get("errors"), Some(&json!(true)));
    assert_eq!(answer.body.pointer("/items/50/index/error/type"), Some(&json!("document_parsing_exception")));
    assert_eq!(answer.body.pointer("/items/0/index/status"), Some(&json!(201)));

    node.restart();
    assert_eq!(node.call("GET /logs/_count", "").get("count"), Some(&json!(50)));
    let query = r#"{"query":{"bool":{"filter":[{"term":{"host":"h1"}},{"range":{"@timestamp":{"gte":1700000010000}}}]}},
        "sort":[{"n":"desc"}],"size":2,"_source":["n"]}"#;
    let found = node.call("POST /lo*/_search", query);
    assert_eq!(found.pointer("/hits/total/value"), Some(&json!(14)));
    assert_eq!(found.pointer("/hits/hits/0/_source"), Some(&json!({"n": 49})));
    assert_eq!(found.pointer("/hits/hits/0/sort"), Some(&json!([49])));
    let stored = node.call("GET /logs/_search?sort=_doc&size=30", "");
    let after = stored.pointer("/hits/hits/29/sort").cloned();
    assert_eq!(after, Some(json!([29])));
    let rest = json!({"sort": ["_doc"], "search_after": after, "size": 30}).to_string();
    assert_eq!(node.call("POST /logs/_search", &rest).pointer("/hits/hits/19/sort"), Some(&json!([49])));
    let page = node.call("GET /logs/_search?from=45&size=10&sort=n:asc", "");
    assert_eq!(page.pointer("/hits/hits").and_then(Value::as_array).map(Vec::len), Some(5));

    assert_eq!(node.call("DELETE /logs/_doc/1", "").get("result"), Some(&json!("deleted")));
    assert_eq!(node.send("GET /logs/_doc/1", &[], "").status, 404);
    let conflict = node.refused("PUT /logs/_create/2", "{}");
    assert_eq!(conflict, (409, "[2]: version conflict, document already exists (current version [1])".to_owned()));
    node.call("DELETE /logs", "");
    assert_eq!(node.send("HEAD /logs", &[], "").status, 404);
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let node = Harness::open();
    node.call("PUT /a", "");
    for (request, body, reason) in [
        ("POST /a/_search", r#"{"aggs":{}}"#, "[aggs] in a search is not supported by this node"),
        ("POST /a/_search", r#"{"query":{"fuzzy":{"a":"b"}}}"#, "[fuzzy] query is not supported by this node"),
        ("POST /a/_search", r#"{"query":{"wat":{}}}"#, "unknown query [wat]"),
        (
            "PUT /b",
            r#"{"mappings":{"properties":{"x":{"type":"nested"}}}}"#,
            "No handler for type [nested] declared on field [x]",
        ),
        ("PUT /B", "", "Invalid index name [B], must be lowercase"),
        ("DELETE /*", "", "Wildcard expressions or all indices are not allowed"),
    ] {
        assert_eq!(node.refused(request, body), (400, reason.to_owned()), "{request} {body}");
    }
    let window = node.refused("GET /a/_search?from=9999&size=10", "");
    assert!(window.1.starts_with("Result window is too large"), "{}", window.1);
}

#[test]
fn hidden_indices_are_found_by_their_names_only() {
    let node = Harness::open();
    node.call("PUT /seen", "");
    node.call("PUT /.ml-anomalies-shared/_doc/1", r#"{"x":1}"#);
    assert_eq!(node.call("GET /_count", "").get("count"), Some(&json!(0)));
    assert_eq!(node.call("GET /.ml-anomalies-*/_count", "").get("count"), Some(&json!(1)));
    let all = node.call("GET /*/_count?expand_wildcards=all", "");
    assert_ne!(all.get("count"), Some(&json!(0)));
}

fn folder_with_users() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let hash = bcrypt::hash("secret-1", 4).expect("a hash");
    let users: String = ["boss", "reader", "ml"].map(|name| format!("{name}:{hash}\n")).concat();
    std::fs::write(folder.path().join("users"), users).expect("a file");
    let roles = "superuser:boss\nviewer:reader\nmachine_learning_user:ml\n";
    std::fs::write(folder.path().join("users_roles"), roles).expect("a file");
    folder
}

#[test]
fn users_may_do_what_their_roles_give() {
    let users = folder_with_users();
    let node = Harness::with(Security::Files(users.path().to_owned()));
    let send = |user: &str, request: &str, body: &str| {
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:secret-1")));
        node.send(request, &[("Authorization", &basic)], body)
    };
    let nobody = node.send("GET /?pretty=false", &[], "");
    assert_eq!(nobody.status, 401);
    let reason = "missing authentication credentials for REST request [/?pretty=false]";
    assert_eq!(nobody.body.pointer("/error/reason"), Some(&json!(reason)));
    assert!(nobody.head.contains("www-authenticate: basic realm=\"security\""));
    assert!(!nobody.head.contains("x-elastic-product"));

    let wrong = format!("Basic {}", STANDARD.encode("boss:wrong"));
    let wrong = node.send("GET /", &[("Authorization", &wrong)], "");
    let reason = "unable to authenticate user [boss] for REST request [/]";
    assert_eq!((wrong.status, wrong.body.pointer("/error/reason")), (401, Some(&json!(reason))));

    assert_eq!(send("boss", "PUT /logs/_doc/1", r#"{"a":1}"#).status, 201);
    assert_eq!(send("reader", "GET /logs/_search", "").status, 200);
    let denied = send("reader", "PUT /logs/_doc/2", r#"{"a":1}"#);
    let reason = "action [indices:data/write/index] is unauthorized for user [reader] with effective roles [viewer] on indices \
                  [logs], this action is granted by the index privileges [create_doc,create,index,write,all]";
    assert_eq!((denied.status, denied.body.pointer("/error/reason")), (403, Some(&json!(reason))));
    let denied = send("reader", "POST /_ml/set_upgrade_mode?enabled=true", "");
    let reason = "action [cluster:admin/xpack/ml/upgrade_mode] is unauthorized for user [reader] with effective roles [viewer], \
                  this action is granted by the cluster privileges [manage_ml,manage,all]";
    assert_eq!((denied.status, denied.body.pointer("/error/reason")), (403, Some(&json!(reason))));
    assert_eq!(send("ml", "GET /_ml/info", "").status, 200);
    assert_eq!(send("ml", "GET /logs/_search", "").status, 403);
    assert_eq!(send("ml", "GET /_search", "").status, 200, "wildcards leave out what may not be read");
    assert_eq!(send("boss", "PUT /.ml-config/_doc/x", "{}").status, 403, "system indices are read-only");

    let asked = r#"{"cluster":["monitor_ml","manage_ml","cluster:monitor/xpack/ml/info/get"],"index":[{"names":["logs"],"privileges":["read"]}]}"#;
    let answer = send("ml", "POST /_security/user/_has_privileges", asked).body;
    assert_eq!(
        answer,
        json!({"username": "ml", "has_all_requested": false,
            "cluster": {"monitor_ml": true, "manage_ml": false, "cluster:monitor/xpack/ml/info/get": true},
            "index": {"logs": {"read": false}}, "application": {}})
    );
    assert_eq!(send("ml", "POST /_security/user/boss/_has_privileges", asked).status, 400);
    let me = send("ml", "GET /_security/_authenticate", "").body;
    assert_eq!(me.pointer("/authentication_realm/type"), Some(&json!("file")));
}

#[test]
fn behind_the_gateway_only_the_secret_counts() {
    let secret = Secret::new("s".repeat(32));
    let node = Harness::with(Security::Gateway { secret, roles: None });
    let caller = vouched::Caller {
        username: "ann".to_owned(),
        realm: vouched::Realm { name: "file1".to_owned(), kind: "file".to_owned() },
        roles: vec!["machine_learning_admin".to_owned(), "gone".to_owned()],
        full_name: None,
        email: None,
        metadata: std::collections::BTreeMap::new(),
    };
    let (good, encoded) = ("s".repeat(32), caller.encode());
    let vouched = [(vouched::SECRET_HEADER, good.as_str()), (vouched::CALLER_HEADER, encoded.as_str())];
    assert_eq!(node.send("GET /_ml/info", &vouched, "").status, 200);
    let me = node.send("GET /_security/_authenticate", &vouched, "").body;
    assert_eq!(me.get("username"), Some(&json!("ann")));
    let denied = node.send("GET /", &vouched, "");
    let reason = "action [cluster:monitor/main] is unauthorized for user [ann] with effective roles [machine_learning_admin] (assigned \
                  roles [gone] were not found), this action is granted by the cluster privileges [monitor,manage,all]";
    assert_eq!((denied.status, denied.body.pointer("/error/reason")), (403, Some(&json!(reason))));

    let bad = "t".repeat(32);
    for headers in [
        vec![(vouched::CALLER_HEADER, encoded.as_str())],
        vec![(vouched::SECRET_HEADER, bad.as_str()), (vouched::CALLER_HEADER, encoded.as_str())],
        vec![(vouched::SECRET_HEADER, good.as_str())],
        vec![(vouched::SECRET_HEADER, good.as_str()), (vouched::CALLER_HEADER, "e30")],
    ] {
        assert_eq!(node.send("GET /_ml/info", &headers, "").status, 401);
    }
}

#[test]
fn legacy_routes_warn() {
    let node = Harness::open();
    let answer = node.send("GET /_xpack/ml/info", &[], "");
    assert_eq!(answer.status, 200);
    let text = "\"[get /_xpack/ml/info] is deprecated! use [get /_ml/info] instead.\"";
    assert!(answer.head.contains(text), "{}", answer.head);
}

#[test]
fn a_start_that_cannot_be_says_why() {
    let node = Harness::open();
    let again = start(settings(node.folder.path(), Security::Off));
    assert!(matches!(again, Err(StartError::Data(_))), "one process at a time");
    let other = tempfile::tempdir().expect("a folder");
    let taken = Settings { address: node.address(), ..settings(other.path(), Security::Off) };
    assert!(matches!(start(taken), Err(StartError::Bind { .. })));
    let open = Settings { address: SocketAddr::from(([0, 0, 0, 0], 0)), ..settings(other.path(), Security::Off) };
    assert!(matches!(start(open), Err(StartError::Exposed { .. })));
    let no_users = start(settings(other.path(), Security::Files(other.path().to_owned())));
    assert!(matches!(no_users, Err(StartError::Security(_))));
}
