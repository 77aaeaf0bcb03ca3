//! What the cluster sees of the caller, in each mode, header by header.

use mlgate::gateway::Identity;
use mlgate::secret::Secret;
use mlgate::upstream::Credentials;

use crate::harness::gateway::basic;
use crate::harness::upstream::Request;
use crate::harness::{Client, Gateway, Setup, Upstream};

const CLAIMS: [&str; 6] = [
    "authorization",
    "es-security-runas-user",
    "es-secondary-authorization",
    "es-client-authentication",
    "x-mlgate-node-secret",
    "x-mlgate-node-caller",
];

/// Sends every header by which somebody could claim an identity, and gives what the node got of them.
fn claimed(identity: Identity, user: Option<&str>, run_as: bool) -> Result<Vec<(&'static str, String)>, u16> {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.users.push(("deputy", "deputies"));
    setup.users.push(("stranger", "strangers"));
    setup.run_as.push(("deputies", "/some(body|one)/"));
    setup.run_as.push(("strangers", "/some/"));
    setup.cluster().identity = identity;
    setup.cluster().credentials = Some(Credentials::ApiKey(Secret::new("b3Vycw==".to_owned())));
    let gateway = Gateway::start(setup);
    let mut lines = String::from(
        "ES-Secondary-Authorization: ApiKey eA==\r\nES-Client-Authentication: SharedSecret s\r\n\
         X-Mlgate-Node-Secret: forged\r\nX-Mlgate-Node-Caller: forged\r\n",
    );
    if let Some(user) = user {
        lines.push_str(&basic(user));
    }
    if run_as {
        lines.push_str("ES-Security-RunAs-User: somebody\r\n");
    }
    let response = Client::connect(gateway.address).simple("GET /idx/_search", &lines);
    if response.status != 200 {
        assert!(node.has_nothing());
        return Err(response.status);
    }
    Ok(present(&node.next_request()))
}

fn present(request: &Request) -> Vec<(&'static str, String)> {
    CLAIMS.iter().filter_map(|name| request.value(name).map(|value| (*name, value.to_owned()))).collect()
}

fn credentials(user: &str) -> String {
    basic(user).trim_end().trim_start_matches("Authorization: ").to_owned()
}

#[test]
fn passthrough_leaves_the_caller_its_own() {
    let own = [
        ("authorization", credentials("reader")),
        ("es-secondary-authorization", "ApiKey eA==".to_owned()),
        ("es-client-authentication", "SharedSecret s".to_owned()),
    ];
    assert_eq!(claimed(Identity::Passthrough, Some("reader"), false).unwrap(), own);
}

#[test]
fn run_as_in_passthrough_needs_a_role_that_allows_it() {
    assert_eq!(claimed(Identity::Passthrough, Some("reader"), true), Err(403));
    assert_eq!(claimed(Identity::Passthrough, Some("stranger"), true), Err(403), "a pattern is over the whole name");
    let passed = claimed(Identity::Passthrough, Some("deputy"), true).unwrap();
    assert!(passed.contains(&("es-security-runas-user", "somebody".to_owned())), "{passed:?}");
    assert!(claimed(Identity::Passthrough, Some("elastic"), true).is_ok(), "superuser may run as anybody");
}

#[test]
fn service_shows_the_gateway_and_nobody_else() {
    let ours = [("authorization", "ApiKey b3Vycw==".to_owned())];
    assert_eq!(claimed(Identity::Service, Some("reader"), true).unwrap(), ours);
    assert_eq!(claimed(Identity::Service, None, true), Err(401), "nobody is not lent the gateway's name");
}

#[test]
fn run_as_names_the_caller() {
    let expected = [("authorization", "ApiKey b3Vycw==".to_owned()), ("es-security-runas-user", "reader".to_owned())];
    assert_eq!(claimed(Identity::RunAs, Some("reader"), true).unwrap(), expected);
    assert_eq!(claimed(Identity::RunAs, None, true).unwrap(), [], "nobody is not lent the gateway's name");
}

#[test]
fn none_shows_nothing() {
    assert_eq!(claimed(Identity::None, Some("reader"), true).unwrap(), []);
}

#[test]
fn the_embedded_node_is_told_who_it_is() {
    let vouched = claimed(Identity::Vouched, Some("reader"), true).unwrap();
    assert_eq!(vouched.len(), 2, "{vouched:?}");
    assert_eq!(vouched[0], ("x-mlgate-node-secret", "secret-of-the-node".to_owned()));
    let caller = mlgate::elasticsearch::vouched::Caller::decode(vouched[1].1.as_bytes()).unwrap();
    assert_eq!((caller.username.as_str(), caller.roles), ("reader", vec!["viewer".to_owned()]));
    let nobody = claimed(Identity::Vouched, None, true).unwrap();
    assert_eq!(nobody, [("x-mlgate-node-secret", "secret-of-the-node".to_owned())]);
}

#[test]
fn each_caller_of_one_connection_is_told_apart() {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.cluster().identity = Identity::Vouched;
    let gateway = Gateway::start(setup);
    let mut client = Client::connect(gateway.address);
    for user in ["reader", "elastic", "reader", "ml_admin"] {
        client.simple("GET /", &basic(user));
        let header = node.next_request().value("x-mlgate-node-caller").unwrap().to_owned();
        assert_eq!(mlgate::elasticsearch::vouched::Caller::decode(header.as_bytes()).unwrap().username, user);
    }
}
