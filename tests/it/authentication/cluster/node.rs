//! Every role against every operation: through the gateway, which asks the node, as at the node itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use mlgate::node::{Security, start};
use mlgate::policy::{Operation, RealmRef, Rights, Role, RoleName, catalog};

use super::*;
use crate::harness::{Client, Gateway, Setup};

/// Roles beside the built-in ones.
const CUSTOM: &[(&str, &[&str])] = &[
    ("nothing", &[]),
    ("opener", &["cluster:admin/xpack/ml/job/open"]),
    ("feeder", &["cluster:admin/xpack/ml/datafeed"]),
    ("reader", &["cluster:monitor/xpack/ml/*"]),
    ("administrator", &["cluster:admin/xpack/ml/*"]),
    ("mixed", &["monitor_ml", "manage_pipeline", "cluster:admin/xpack/ml/calendars"]),
    ("inferring", &["manage_inference"]),
    ("managing", &["manage"]),
];

struct Node {
    node: Option<mlgate::node::RunningNode>,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Node {
    /// Has a user for each role, named like it.
    fn with_a_user_a_role(roles: &Roles) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hash = bcrypt::hash("secret", 4).unwrap();
        let (mut users, mut users_roles, mut roles_yml) = (String::new(), String::new(), String::new());
        for role in roles.iter().map(Role::name) {
            writeln!(users, "{role}:{hash}").unwrap();
            writeln!(users_roles, "{role}:{role}").unwrap();
        }
        for (name, privileges) in CUSTOM {
            writeln!(roles_yml, "{name}:\n  cluster: {}", json!(privileges)).unwrap();
        }
        for (name, text) in [("users", users), ("users_roles", users_roles), ("roles.yml", roles_yml)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let node = start(mlgate::node::Settings {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: folder.path().join("data"),
            cluster_name: "it".to_owned(),
            security: Security::Files(folder.path().to_owned()),
        })
        .unwrap();
        Self { address: node.address(), node: Some(node), _folder: folder }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            node.stop();
        }
    }
}

fn roles() -> Roles {
    let custom = CUSTOM.iter().map(|(name, privileges)| {
        let privileges = privileges.iter().map(|privilege| (*privilege).to_owned()).collect();
        Role::new(RoleName::new(*name), privileges, Vec::new()).unwrap()
    });
    Roles::with_custom(custom.collect()).unwrap()
}

/// The request with names for the parts that vary.
fn request(operation: &Operation) -> String {
    let path: Vec<&str> =
        operation.template.split('/').map(|part| if part.starts_with('{') { "a" } else { part }).collect();
    format!("{} {}", operation.method, path.join("/"))
}

/// The text of a 403, or none.
fn denial(client: &mut Client, request: &str, user: &str) -> Option<String> {
    let response = client.simple(request, &format!("Authorization: {}\r\n", basic(user, "secret")));
    (response.status == 403).then(|| response.json()["error"]["reason"].as_str().unwrap().to_owned())
}

/// Whether the node has it: what it does not have is unknown to it, or another operation by its routes.
fn has(client: &mut Client, operation: &Operation) -> bool {
    let Demand::Action(action) = operation.demand else { return false };
    denial(client, &request(operation), "nothing").is_some_and(|reason| reason.contains(&format!("[{action}]")))
}

/// What the definitions of the gateway say of a user of this role.
fn denial_by_definition(role: &Role, operation: &Operation, roles: &Roles) -> Option<String> {
    let principal = Principal {
        username: role.name().to_string(),
        realm: RealmRef { name: "file1".to_owned(), kind: "file" },
        roles: vec![role.name().clone()],
        rights: Rights::Roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
    };
    authorize(&principal, operation.demand, roles)
        .err()
        .map(|denial| denial.reason(role.name().as_str(), &request(operation)))
}

/// The decisions themselves: what the realm learned from the node, and what the node does with the request.
#[tokio::test]
async fn every_role_and_operation_is_decided_as_by_the_node_itself() {
    let roles = roles();
    let node = Node::with_a_user_a_role(&roles);
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster_at("main", &[node.address]));
    let mut direct = Client::connect(node.address);
    // One operation an action is enough for the node; those that it has not are decided by definition.
    let mut at_node: BTreeMap<&str, String> = BTreeMap::new();
    for operation in catalog::operations().filter(|operation| has(&mut direct, operation)) {
        if let Demand::Action(action) = operation.demand {
            at_node.entry(action).or_insert_with(|| request(operation));
        }
    }
    let mut denied = 0;
    for role in roles.iter() {
        let name = role.name().as_str();
        let principal = caller(ask(&worker, &realms, &cluster, &basic(name, "secret")).await);
        let by_node: BTreeMap<&str, Option<String>> =
            at_node.iter().map(|(action, request)| (*action, denial(&mut direct, request, name))).collect();
        for operation in catalog::operations() {
            let expected = match operation.demand {
                Demand::Action(action) if by_node.contains_key(action) => by_node[action].clone(),
                _ => denial_by_definition(role, operation, &roles),
            };
            let decided = authorize(&principal, operation.demand, &Roles::default()).err();
            let decided = decided.map(|denial| denial.reason(name, &request(operation)));
            assert_eq!(decided, expected, "{name}: {}", request(operation));
            denied += usize::from(expected.is_some());
        }
    }
    assert!(at_node.len() > 20 && denied > 4000, "{} {denied}", at_node.len());
}

/// The same through a whole gateway, for some.
#[test]
fn through_the_gateway_the_node_answers_as_it_does_directly() {
    let roles = roles();
    let node = Node::with_a_user_a_role(&roles);
    let mut setup = Setup::of(&[node.address]);
    (setup.users, setup.elasticsearch_realm) = (Vec::new(), true);
    let gateway = Gateway::start(setup);
    let (mut direct, mut through) = (Client::connect(node.address), Client::connect(gateway.address));
    for role in roles.iter().map(|role| role.name().as_str()) {
        for request in ["GET /_ml/info", "POST /_ml/anomaly_detectors/a/_open", "GET /_security/_authenticate"] {
            let lines = format!("Authorization: {}\r\n", basic(role, "secret"));
            let (expected, told) = (direct.simple(request, &lines), through.simple(request, &lines));
            assert_eq!((told.status, told.json()), (expected.status, expected.json()), "{role}: {request}");
        }
    }
    let wrong = format!("Authorization: {}\r\n", basic("opener", "wrong"));
    let (expected, told) = (direct.simple("GET /_ml/info", &wrong), through.simple("GET /_ml/info", &wrong));
    assert_eq!((told.status, &told.json()["error"]["reason"]), (401, &expected.json()["error"]["reason"]));
}
