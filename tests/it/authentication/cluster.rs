//! The elasticsearch realm against nodes that answer as the test says.

mod answers;
mod bounds;
mod gateway;
mod node;
mod order;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mlgate::policy::{Demand, Principal, Roles, authorize, rights};
use mlgate::realm::{Cluster, RealmSettings, Realms, Unauthenticated, Verified, elasticsearch};
use mlgate::upstream::{ControlClient, Health};
use serde_json::json;

use super::{Presents, Worker, basic, build, caller, settings};
use crate::harness::gateway::upstream_settings;
use crate::harness::upstream::Request;
use crate::harness::{ClusterSetup, Upstream};

const OPEN: &str = "cluster:admin/xpack/ml/job/open";

fn realm() -> RealmSettings {
    RealmSettings::Elasticsearch(elasticsearch::Settings { name: "cluster".to_owned() })
}

fn realms() -> Arc<Realms> {
    build(&settings(vec![realm()]))
}

pub(super) fn cluster(name: &str, nodes: &[&Upstream]) -> Cluster {
    cluster_at(name, &nodes.iter().map(|node| node.address).collect::<Vec<_>>())
}

fn cluster_at(name: &str, nodes: &[SocketAddr]) -> Cluster {
    let settings = upstream_settings(&ClusterSetup::of(nodes));
    let client = ControlClient::new(&settings, Health::new(nodes.len())).unwrap();
    Cluster::new(name.into(), Arc::new(settings.servers()), client)
}

async fn ask(
    worker: &Worker,
    realms: &Arc<Realms>,
    cluster: &Cluster,
    header: &str,
) -> Result<Verified, Unauthenticated> {
    worker.present(realms, &Presents { headers: &[header], cluster: Some(cluster), ..Presents::default() }).await
}

pub(super) fn answer(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// As Elasticsearch describes a user of a native realm.
pub(super) fn user(username: &str) -> Vec<u8> {
    let realm = json!({"name": "native1", "type": "native"});
    let body = json!({"username": username, "roles": ["ops"], "full_name": null, "email": null, "metadata": {},
        "enabled": true, "authentication_realm": realm, "lookup_realm": realm, "authentication_type": "realm"});
    answer(200, &body.to_string())
}

/// Yes to these, no to everything else that can be asked.
pub(super) fn privileges(username: &str, yes: &[&str]) -> Vec<u8> {
    let answers: serde_json::Map<_, _> = rights::questions()
        .iter()
        .copied()
        .chain(rights::exact_privileges())
        .map(|name| (name.to_owned(), json!(yes.contains(&name))))
        .collect();
    let all = answers.values().all(|answer| answer == true);
    let body =
        json!({"username": username, "has_all_requested": all, "cluster": answers, "index": {}, "application": {}});
    answer(200, &body.to_string())
}

/// A node that answers every request by its head.
pub(super) fn node(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Upstream {
    Upstream::scripted(move |exchange| {
        while let Some(request) = exchange.request()
            && exchange.send(&answer(&request))
        {}
    })
}

/// A node whose users, all of them, are called `username` and may do these things.
fn node_of(username: &'static str, yes: &'static [&'static str]) -> Upstream {
    node(move |request| if is_first(request) { user(username) } else { privileges(username, yes) })
}

pub(super) fn is_first(request: &Request) -> bool {
    request.line() == "GET /_security/_authenticate HTTP/1.1"
}

fn may(principal: &Principal, action: &'static str) -> bool {
    authorize(principal, Demand::Action(action), &Roles::builtin()).is_ok()
}

pub(super) fn asked(node: &Upstream) -> usize {
    std::iter::from_fn(|| node.try_request()).count()
}

#[tokio::test]
async fn the_cluster_says_who_somebody_is_and_what_it_may() {
    let node = node_of("jane", &[OPEN, "manage"]);
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let header = basic("jane", "secret");
    let jane = caller(ask(&worker, &realms, &cluster, &header).await);
    assert_eq!(
        (jane.username.as_str(), jane.realm.name.as_str(), jane.realm.kind),
        ("jane", "cluster", "elasticsearch")
    );
    assert_eq!(jane.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["ops"]);
    assert!(may(&jane, OPEN) && !may(&jane, "cluster:admin/xpack/ml/job/close"));

    let (first, second) = (node.next_request(), node.next_request());
    assert!(is_first(&first));
    assert_eq!(second.line(), "POST /_security/user/_has_privileges HTTP/1.1");
    for request in [&first, &second] {
        assert_eq!(request.value("authorization"), Some(header.as_str()));
        assert_eq!((request.value("es-security-runas-user"), request.value("es-client-authentication")), (None, None));
    }
    let question: serde_json::Value = serde_json::from_slice(&second.body).unwrap();
    let names: Vec<&str> = question["cluster"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(rights::questions().iter().all(|name| names.contains(name)), "all at once");
    assert_eq!(question.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_is_kept_for_the_ttl_and_a_change_is_seen_then() {
    let yes: Arc<Mutex<&[&str]>> = Arc::new(Mutex::new(&[OPEN]));
    let now = Arc::clone(&yes);
    let node =
        node(move |request| if is_first(request) { user("jane") } else { privileges("jane", *now.lock().unwrap()) });
    let (realms, mut worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let header = basic("jane", "secret");
    assert!(may(&caller(ask(&worker, &realms, &cluster, &header).await), OPEN));
    *yes.lock().unwrap() = &[];
    worker.seconds = 59;
    assert!(may(&caller(ask(&worker, &realms, &cluster, &header).await), OPEN));
    assert_eq!(asked(&node), 2);
    worker.seconds = 60;
    assert!(!may(&caller(ask(&worker, &realms, &cluster, &header).await), OPEN));
    assert_eq!(asked(&node), 2);
}

#[tokio::test]
async fn one_credential_may_mean_two_people_on_two_clusters() {
    let (one, other) = (node_of("jane", &[OPEN]), node_of("jane", &[]));
    let (realms, worker) = (realms(), Worker::new());
    let (one, other) = (cluster("one", &[&one]), cluster("other", &[&other]));
    let header = basic("jane", "secret");
    for _ in 0..2 {
        assert!(may(&caller(ask(&worker, &realms, &one, &header).await), OPEN));
        assert!(!may(&caller(ask(&worker, &realms, &other, &header).await), OPEN));
    }
}

#[tokio::test]
async fn a_wrong_credential_is_asked_about_once_in_a_while() {
    let refusal = r#"{"error":{"root_cause":[],"type":"security_exception","reason":"unable to authenticate","additional_unsuccessful_credentials":"API key: api key is expired","header":{"WWW-Authenticate":"ApiKey"}},"status":401}"#;
    let node = node(move |_| answer(401, refusal));
    let (realms, mut worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let refused = Err(Unauthenticated::Credentials { detail: Some("API key: api key is expired".to_owned()) });
    for _ in 0..3 {
        assert_eq!(ask(&worker, &realms, &cluster, "ApiKey aWQ6a2V5").await, refused);
    }
    assert_eq!(asked(&node), 1);
    worker.seconds = 2;
    assert_eq!(ask(&worker, &realms, &cluster, "apikey aWQ6a2V5").await, refused);
    assert_eq!(ask(&worker, &realms, &cluster, "ApiKey aWQ6a2V5").await, refused);
    assert_eq!(asked(&node), 2);
    let refused = ask(&worker, &realms, &cluster, &basic("jane", "wrong")).await;
    assert_eq!(refused, Err(Unauthenticated::User { username: "jane".to_owned() }));
}

#[tokio::test]
async fn run_as_is_the_clusters_to_resolve() {
    let node = node(|request| match (request.value("es-security-runas-user"), is_first(request)) {
        (Some("bob"), true) => user("bob"),
        (Some("bob"), false) => privileges("bob", &[OPEN]),
        (Some("root"), _) => answer(403, r#"{"error":{"reason":"user [jane] is unauthorized to run as [root]"}}"#),
        (_, true) => user("jane"),
        (_, false) => privileges("jane", &[]),
    });
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let header = basic("jane", "secret");
    let headers = [header.as_str()];
    let as_user = |run_as: &'static [&'static str]| Presents {
        headers: &headers,
        run_as,
        cluster: Some(&cluster),
        ..Presents::default()
    };
    for _ in 0..2 {
        let jane = caller(worker.present(&realms, &as_user(&[])).await);
        assert!(jane.username == "jane" && !may(&jane, OPEN));
        let bob = caller(worker.present(&realms, &as_user(&["bob"])).await);
        assert!(bob.username == "bob" && may(&bob, OPEN));
        let denial = authorize(&bob, Demand::Privileges(&["manage"]), &Roles::builtin()).unwrap_err();
        assert!(denial.reason("bob", "x").contains("user [jane] run as [bob] with effective roles [ops]"));
        let refused = worker.present(&realms, &as_user(&["root"])).await;
        let reason = "user [jane] is unauthorized to run as [root]".to_owned();
        assert_eq!(refused, Err(Unauthenticated::Forbidden { reason }));
    }
    assert_eq!(asked(&node), 5, "each once");
    // A proxy in front of the cluster drops the header: the answer is about somebody else.
    assert_eq!(worker.present(&realms, &as_user(&["eve"])).await, Err(Unauthenticated::Unavailable));
    let twice = worker.present(&realms, &as_user(&["bob", "bob"])).await;
    assert_eq!(twice, Err(Unauthenticated::Malformed(mlgate::realm::Malformed::SeveralRunAs)));
}

#[tokio::test]
async fn the_shared_secret_of_a_client_goes_with_the_token() {
    let node = node(|request| match (request.value("es-client-authentication"), is_first(request)) {
        (Some("SharedSecret right"), true) => user("jane"),
        (Some("SharedSecret right"), false) => privileges("jane", &[]),
        _ => answer(401, "{}"),
    });
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    for (secret, is_right) in [(Some("SharedSecret right"), true), (Some("SharedSecret wrong"), false), (None, false)] {
        let presents =
            Presents { headers: &["Bearer aaa.bbb.ccc"], secret, cluster: Some(&cluster), ..Presents::default() };
        assert_eq!(worker.present(&realms, &presents).await.is_ok(), is_right, "{secret:?}");
    }
}

#[tokio::test]
async fn a_cluster_that_does_not_know_a_newer_privilege_is_asked_without_it() {
    let node = node(|request| match (is_first(request), String::from_utf8_lossy(&request.body)) {
        (true, _) => user("jane"),
        (false, question) if question.contains("manage_inference") => answer(400, "{}"),
        (false, _) => privileges("jane", &[OPEN]),
    });
    let cluster = cluster("main", &[&node]);
    let jane = caller(ask(&Worker::new(), &realms(), &cluster, &basic("jane", "secret")).await);
    assert!(may(&jane, OPEN));
    assert_eq!(asked(&node), 3);
}

#[tokio::test]
async fn without_a_cluster_to_ask_nobody_is_known() {
    let refused = Worker::new().ask(&realms(), &[&basic("jane", "secret")]).await;
    assert_eq!(refused, Err(Unauthenticated::Credentials { detail: None }));
}

const SECOND: Duration = Duration::from_secs(1);
