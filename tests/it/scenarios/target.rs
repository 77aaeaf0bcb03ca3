//! What a scenario runs against, fresh for each file.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlgate::gateway::Identity;
use mlgate::node::clock::{Clock, SetClock};
use mlgate::node::{RunningNode, Security, Settings, start_with};
use mlgate::secret::Secret;
use mlgate::upstream::Credentials;
use serde_json::{Value, json};

use crate::harness::{Client, Gateway, Setup};

/// Name and role; the password is the name and `-password`.
const USERS: [(&str, &str); 4] = [
    ("elastic", "superuser"),
    ("ml_admin", "machine_learning_admin"),
    ("ml_user", "machine_learning_user"),
    ("reader", "viewer"),
];
const SECRET: &str = "secret-of-the-node";

pub(super) struct Target {
    address: SocketAddr,
    /// `name:password` of who asks where the file names nobody.
    usual: String,
    clock: Option<SetClock>,
    /// In the order in which they end.
    _gateway: Option<Gateway>,
    node: Option<RunningNode>,
    _folder: Option<tempfile::TempDir>,
}

impl Target {
    /// A node with users of its own.
    pub(super) fn node(clock_ms: Option<i64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_users(folder.path());
        let (node, clock) = start(folder.path(), Security::Files(folder.path().to_owned()), clock_ms);
        let address = node.address();
        Self { address, usual: password_of("elastic"), clock, _gateway: None, node: Some(node), _folder: Some(folder) }
    }

    /// A gateway in front of a node that trusts it, and believes no acknowledgement that it has not verified.
    pub(super) fn gateway(clock_ms: Option<i64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::new(SECRET.to_owned());
        let security = Security::Gateway { secret: secret.clone(), roles: None };
        let (node, clock) = start(folder.path(), security, clock_ms);
        let mut setup = Setup { users: USERS.to_vec(), ..Setup::of(&[node.address()]) };
        let cluster = setup.cluster();
        cluster.identity = Identity::Vouched;
        cluster.credentials = Some(Credentials::Vouched(secret));
        (cluster.verify, cluster.watch) = (true, true);
        let gateway = Gateway::start(setup);
        Self {
            address: gateway.address,
            usual: password_of("elastic"),
            clock,
            _gateway: Some(gateway),
            node: Some(node),
            _folder: Some(folder),
        }
    }

    /// A running cluster, emptied of what scenarios leave.
    pub(super) fn elasticsearch(url: &str) -> Self {
        let rest = url.strip_prefix("http://").expect("http://user:password@host:port");
        let (usual, authority) = rest.rsplit_once('@').expect("a user and a password");
        let address = authority.trim_end_matches('/').to_socket_addrs().unwrap().next().unwrap();
        let target = Self { address, usual: usual.to_owned(), clock: None, _gateway: None, node: None, _folder: None };
        target.empty();
        for (name, role) in USERS.into_iter().filter(|(name, _)| *name != "elastic") {
            let user = json!({"password": format!("{name}-password"), "roles": [role]});
            target.call(&format!("PUT /_security/user/{name}"), &user);
        }
        target
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn now_ms(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "the clock of the node")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap()
    }

    pub(super) fn set_clock(&self, now_ms: i64) {
        self.clock.as_ref().expect("a clock that can be set").set(now_ms);
    }

    /// The header line of a user.
    pub(super) fn credentials(&self, user: Option<&str>) -> String {
        match user {
            Some("nobody") => String::new(),
            Some(user) => basic(&password_of(user)),
            None => basic(&self.usual),
        }
    }

    fn call(&self, line: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let typed = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{}{typed}", self.credentials(None));
        let answer = Client::connect(self.address).ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn empty(&self) {
        let none = Value::Null;
        self.call("POST /_ml/set_upgrade_mode?enabled=false", &none);
        self.call("POST /_ml/datafeeds/_all/_stop?force=true", &none);
        self.call("POST /_ml/anomaly_detectors/_all/_close?force=true", &none);
        for (family, list, id) in [
            ("datafeeds", "datafeeds", "datafeed_id"),
            ("anomaly_detectors", "jobs", "job_id"),
            ("calendars", "calendars", "calendar_id"),
            ("filters", "filters", "filter_id"),
        ] {
            let known = self.call(&format!("GET /_ml/{family}?size=1000"), &none);
            let known = if known[list].is_array() { known } else { self.call(&format!("GET /_ml/{family}"), &none) };
            for one in known[list].as_array().into_iter().flatten() {
                self.call(&format!("DELETE /_ml/{family}/{}", one[id].as_str().unwrap_or_default()), &none);
            }
        }
        let indices = self.call("GET /_cat/indices/scenario-*?format=json&h=index", &none);
        for index in indices.as_array().into_iter().flatten() {
            self.call(&format!("DELETE /{}", index["index"].as_str().unwrap_or_default()), &none);
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            node.stop();
        }
    }
}

fn start(folder: &Path, security: Security, clock_ms: Option<i64>) -> (RunningNode, Option<SetClock>) {
    let settings = Settings {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        data: folder.join("data"),
        cluster_name: "scenarios".to_owned(),
        security,
    };
    let (clock, hand) = match clock_ms {
        Some(now_ms) => {
            let (clock, hand) = Clock::settable(now_ms);
            (clock, Some(hand))
        }
        None => (Clock::system(), None),
    };
    (start_with(settings, clock).unwrap(), hand)
}

fn write_users(folder: &Path) {
    let hash = |name: &str| {
        // The least cost that bcrypt has.
        bcrypt::hash_with_result(format!("{name}-password"), 4).unwrap().format_for_version(bcrypt::Version::TwoA)
    };
    let users: String = USERS.iter().map(|(name, _)| format!("{name}:{}\n", hash(name))).collect();
    let users_roles: String = USERS.iter().map(|(name, role)| format!("{role}:{name}\n")).collect();
    std::fs::write(folder.join("users"), users).unwrap();
    std::fs::write(folder.join("users_roles"), users_roles).unwrap();
}

fn password_of(user: &str) -> String {
    format!("{user}:{user}-password")
}

fn basic(credentials: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(credentials))
}
