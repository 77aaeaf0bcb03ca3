//! The realm in a whole gateway: what callers read, what nodes get.

use mlgate::gateway::Identity;
use mlgate::policy::upgrade_mode::GateState;
use mlgate::realm::Required;
use mlgate::secret::Secret;
use mlgate::upstream::Credentials;

use super::*;
use crate::harness::upstream::OK;
use crate::harness::{Client, Gateway, Setup};

const READ: &str = "cluster:monitor/xpack/ml/job/stats/get";
const STATS: &str = "GET /_ml/anomaly_detectors/_stats";

fn before(node: &Upstream, change: impl FnOnce(&mut Setup)) -> Gateway {
    let mut setup = Setup::of(&[node.address]);
    setup.users = Vec::new();
    setup.elasticsearch_realm = true;
    setup.required = Required::All;
    change(&mut setup);
    Gateway::start(setup)
}

/// A cluster that knows `jane`, as whom it lets her act `bob`, and one API key.
fn knowing() -> Upstream {
    node(|request| {
        let run_as = request.value("es-security-runas-user");
        let known = request
            .value("authorization")
            .is_some_and(|value| value.ends_with("ZTpzZWNyZXQ=") || value == "ApiKey aWQ6a2V5");
        let name = if run_as == Some("bob") { "bob" } else { "jane" };
        match request.line().split(' ').nth(1).unwrap() {
            path if !path.starts_with("/_security/") => OK.to_vec(),
            _ if !known => answer(
                401,
                r#"{"error":{"additional_unsuccessful_credentials":"API key: unable to find apikey with id id"}}"#,
            ),
            "/_security/_authenticate" if request.value("authorization") == Some("ApiKey aWQ6a2V5") => {
                let body = r#"{"username":"jane","roles":[],"enabled":true,"authentication_type":"api_key","api_key":{"id":"k1","name":"n"}}"#;
                answer(200, body)
            }
            "/_security/_authenticate" => user(name),
            _ => privileges(name, &[READ]),
        }
    })
}

fn line(header: &str) -> String {
    format!("Authorization: {header}\r\n")
}

#[test]
fn a_caller_of_the_cluster_is_let_through_or_told_why_not() {
    let node = knowing();
    let gateway = before(&node, |_| {});
    let mut client = Client::connect(gateway.address);
    let jane = line(&basic("jane", "secret"));
    assert_eq!(client.simple(STATS, &jane).status, 200);
    let (_, _, passed) = (node.next_request(), node.next_request(), node.next_request());
    assert_eq!(passed.line(), format!("{STATS} HTTP/1.1"));
    assert_eq!(passed.value("authorization"), Some(&*basic("jane", "secret")), "its own credentials go on");

    let denied = client.simple("POST /_ml/anomaly_detectors/a/_open", &jane);
    let granted = "this action is granted by the cluster privileges [manage_ml,manage,all]";
    let reason = |who: &str| format!("action [{OPEN}] is unauthorized for {who}, {granted}");
    assert_eq!(denied.status, 403);
    assert_eq!(denied.json()["error"]["reason"], reason("user [jane] with effective roles [ops]"));
    let key = line("ApiKey aWQ6a2V5");
    let denied = client.simple("POST /_ml/anomaly_detectors/a/_open", &key);
    assert_eq!(
        (denied.status, &denied.json()["error"]["reason"]),
        (403, &reason("API key id [k1] of user [jane]").into())
    );
    let as_bob = format!("{jane}es-security-runas-user: bob\r\n");
    let denied = client.simple("POST /_ml/anomaly_detectors/a/_open", &as_bob);
    let expected = reason("user [jane] run as [bob] with effective roles [ops]");
    assert_eq!((denied.status, &denied.json()["error"]["reason"]), (403, &expected.into()));
}

#[test]
fn who_the_cluster_does_not_know_is_told_as_elasticsearch_tells_it() {
    let node = knowing();
    let gateway = before(&node, |_| {});
    let mut client = Client::connect(gateway.address);
    let offers = [r#"Basic realm="security", charset="UTF-8""#, r#"Bearer realm="security""#, "ApiKey"];
    let refused = client.simple(STATS, &line(&basic("jane", "wrong")));
    assert_eq!((refused.status, refused.values("www-authenticate")), (401, offers.to_vec()));
    let expected = "unable to authenticate user [jane] for REST request [/_ml/anomaly_detectors/_stats]";
    assert_eq!(refused.json()["error"]["reason"], expected);
    let refused = client.simple(STATS, &line("ApiKey bm86a2V5"));
    let body = refused.json();
    let expected =
        "unable to authenticate with provided credentials and anonymous access is not allowed for this request";
    assert_eq!((refused.status, &body["error"]["reason"]), (401, &expected.into()));
    let detail = "API key: unable to find apikey with id id";
    assert_eq!(body["error"]["additional_unsuccessful_credentials"], detail);
    let twice = client.simple(
        STATS,
        &format!("{}es-security-runas-user: a\r\nes-security-runas-user: b\r\n", line("ApiKey aWQ6a2V5")),
    );
    assert_eq!(twice.status, 400);
}

#[test]
fn a_cluster_that_says_nothing_is_503_and_nothing_is_forwarded() {
    let node = node(|request| if request.line().contains("/_security/") { answer(500, "{}") } else { OK.to_vec() });
    let gateway = before(&node, |_| {});
    let response = Client::connect(gateway.address).simple(STATS, &line(&basic("jane", "secret")));
    assert_eq!((response.status, response.value("retry-after")), (503, Some("1")));
    assert_eq!(response.json()["error"]["type"], "status_exception");
    assert_eq!(asked(&node), 1);
}

#[test]
fn with_the_gateways_own_credentials_the_callers_end_at_the_gateway() {
    for identity in [Identity::Service, Identity::RunAs, Identity::None] {
        let node = knowing();
        let gateway = before(&node, |setup| {
            setup.cluster().identity = identity;
            setup.cluster().credentials = Some(Credentials::ApiKey(Secret::new("b3Vycw==".to_owned())));
        });
        let lines = format!("{}es-security-runas-user: bob\r\n", line(&basic("jane", "secret")));
        assert_eq!(Client::connect(gateway.address).simple(STATS, &lines).status, 200, "{identity:?}");
        let (first, _, passed) = (node.next_request(), node.next_request(), node.next_request());
        assert_eq!(first.value("es-security-runas-user"), Some("bob"));
        let ours = (identity != Identity::None).then_some("ApiKey b3Vycw==");
        assert_eq!(passed.value("authorization"), ours, "{identity:?}");
        let named = (identity == Identity::RunAs).then_some("bob");
        assert_eq!(passed.value("es-security-runas-user"), named, "{identity:?}");
    }
}

/// The owner of a key may do more than the key.
#[test]
fn an_api_key_is_not_passed_on_as_its_owner() {
    let node = knowing();
    let gateway = before(&node, |setup| {
        setup.cluster().identity = Identity::RunAs;
        setup.cluster().credentials = Some(Credentials::ApiKey(Secret::new("b3Vycw==".to_owned())));
    });
    let refused = Client::connect(gateway.address).simple("GET /_security/user", &line("ApiKey aWQ6a2V5"));
    assert_eq!(refused.status, 403, "{}", refused.head);
    let reason = refused.json()["error"]["reason"].to_string();
    assert!(reason.contains("does not act as user [jane] for an API key"), "{reason}");
    while let Some(request) = node.try_request() {
        assert!(request.value("es-security-runas-user").is_none(), "{}", request.line());
    }
}

#[test]
fn a_run_as_that_the_cluster_refuses_is_403_with_its_reason() {
    let reason = "action [cluster:admin/xpack/security/user/authenticate] is unauthorized for user [jane] with effective roles [ops], because \
                  user [jane] is unauthorized to run as [root]";
    let body = json!({"error": {"type": "security_exception", "reason": reason}, "status": 403}).to_string();
    let node =
        node(move |request| if request.line().contains("/_security/") { answer(403, &body) } else { OK.to_vec() });
    let gateway = before(&node, |_| {});
    let lines = format!("{}es-security-runas-user: root\r\n", line(&basic("jane", "secret")));
    let refused = Client::connect(gateway.address).simple(STATS, &lines);
    assert_eq!(
        (refused.status, refused.value("x-elastic-product"), refused.value("www-authenticate")),
        (403, None, None)
    );
    assert_eq!(refused.json()["error"]["reason"], reason);
    assert_eq!(asked(&node), 1);
}

#[test]
fn what_needs_manage_in_upgrade_mode_needs_the_clusters_word_for_it() {
    for (yes, status) in
        [(&["manage_ml", "manage"] as &'static [&'static str], 200), (&["manage_ml"], 429), (&["manage"], 403)]
    {
        let node = node(move |request| match request.line().split(' ').nth(1).unwrap() {
            "/_security/_authenticate" => user("jane"),
            path if path.starts_with("/_security/") => privileges("jane", yes),
            _ => OK.to_vec(),
        });
        let gateway = before(&node, |setup| setup.cluster().state = GateState::On);
        let response =
            Client::connect(gateway.address).simple("PUT /.ml-config/_doc/1", &line(&basic("jane", "secret")));
        assert_eq!(response.status, status, "{yes:?}");
    }
}
