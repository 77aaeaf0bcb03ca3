//! The program as a newcomer and an operator run it: first start, second start, reload, stop, and what keeps it from starting.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::process::{authorization, passwords};
use crate::harness::{Home, Process};

/// A gateway that runs, and who may enter.
struct Running {
    home: Home,
    process: Process,
    address: SocketAddr,
    passwords: Vec<(String, String)>,
}

impl Running {
    fn first() -> Self {
        let home = Home::new();
        let mut process = home.serve();
        let address = process.listening();
        let passwords = passwords(&process.log);
        Self { home, process, address, passwords }
    }

    /// Kills the gateway with its node, and starts it again.
    fn again(self) -> Self {
        self.process.kill();
        let mut process = self.home.serve();
        let address = process.listening();
        Self { home: self.home, process, address, passwords: self.passwords }
    }

    fn credentials(&self, user: &str) -> String {
        let (name, password) = self.passwords.iter().find(|(name, _)| name == user).unwrap();
        authorization(name, password)
    }

    fn ask(&self, user: &str, request: &str, body: &str) -> (u16, Value) {
        let framing = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        let head = format!("{request} HTTP/1.1\r\nHost: localhost\r\n{}{framing}\r\n", self.credentials(user));
        let response = self.home.client(self.address).ask(format!("{head}{body}"));
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }
}

#[test]
fn the_first_start_makes_everything_and_a_second_one_reuses_it() {
    let running = Running::first();
    let names: Vec<&str> = running.passwords.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["elastic", "ml_admin", "ml_user", "reader"]);
    for private in ["certs/server.key", "config/users", "config/users_roles"] {
        let mode = running.home.file(private).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{private} is readable for others");
    }
    let (status, who) = running.ask("ml_admin", "GET /_security/_authenticate", "");
    assert_eq!(
        (status, &who["username"], &who["roles"]),
        (200, &json!("ml_admin"), &json!(["machine_learning_admin"]))
    );
    assert_eq!(who["authentication_realm"], json!({"name": "file1", "type": "file"}));

    let running = running.again();
    assert!(passwords(&running.process.log).is_empty(), "a second start prints passwords");
    assert_eq!(running.ask("elastic", "GET /", "").0, 200);
}

#[test]
fn upgrade_mode_refuses_opens_through_tls_and_survives_a_kill() {
    let running = Running::first();
    let job = r#"{"analysis_config":{"bucket_span":"10m","detectors":[{"function":"count"}]},"data_description":{"time_field":"time"}}"#;
    assert_eq!(running.ask("ml_admin", "PUT /_ml/anomaly_detectors/web", job).0, 200);
    assert_eq!(running.ask("ml_admin", "POST /_ml/anomaly_detectors/web/_open", "").0, 200);
    assert_eq!(running.ask("ml_user", "POST /_ml/anomaly_detectors/web/_open", "").0, 403);
    let enable = "POST /_ml/set_upgrade_mode?enabled=true&timeout=1m";
    assert_eq!(running.ask("ml_admin", enable, ""), (200, json!({"acknowledged": true})));
    assert_eq!(running.ask("ml_admin", "POST /_ml/anomaly_detectors/web/_close", "").0, 429);

    let running = running.again();
    let (status, held) = running.ask("ml_admin", "POST /_ml/anomaly_detectors/web/_open", "");
    assert_eq!(
        (status, &held["error"]["reason"]),
        (429, &json!("Cannot perform cluster:admin/xpack/ml/job/open action while upgrade mode is enabled"))
    );
    assert_eq!(running.ask("reader", "POST /_ml/anomaly_detectors/web/_open", "").0, 403);
    let (_, stats) = running.ask("ml_user", "GET /_ml/anomaly_detectors/web/_stats", "");
    assert_eq!(stats["jobs"][0]["state"], "opened");
    assert_eq!(
        stats["jobs"][0]["assignment_explanation"],
        "persistent task cannot be assigned while upgrade mode is enabled."
    );
    let disable = "POST /_ml/set_upgrade_mode?enabled=false&timeout=1m";
    assert_eq!(running.ask("ml_admin", disable, ""), (200, json!({"acknowledged": true})));
    assert_eq!(
        running.ask("ml_admin", "POST /_xpack/ml/anomaly_detectors/_all/_close", ""),
        (200, json!({"closed": true}))
    );
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let mut running = Running::first();
    let mut written = 0;
    for round in 0..5 {
        for number in 0..20 {
            let put = format!("PUT /web/_doc/{round}-{number}");
            assert_eq!(running.ask("elastic", &put, r#"{"n":1}"#).0, 201);
            written += 1;
        }
        running = running.again();
        let (status, count) = running.ask("reader", "GET /web/_count", "");
        assert_eq!((status, &count["count"]), (200, &json!(written)));
    }
}

#[test]
fn the_node_behind_the_gateway_listens_to_nobody_else() {
    let running = Running::first();
    let (_, who) = running.ask("elastic", "GET /_security/_authenticate", "");
    assert_eq!(who["username"], "elastic");
    // Whatever a caller claims is removed on the way.
    let claimed = "X-Mlgate-Node-Caller: e30\r\nx-mlgate-node-secret: guess\r\nes-security-runas-user: elastic\r\n";
    let request = format!(
        "GET /_security/_authenticate HTTP/1.1\r\nHost: localhost\r\n{}{claimed}\r\n",
        running.credentials("reader")
    );
    let response = running.home.client(running.address).ask(request);
    let who: Value = serde_json::from_slice(&response.body).unwrap();
    assert_ne!(who["username"], "elastic", "{who}");
}

#[test]
fn a_changed_users_file_counts_at_once_and_a_bad_one_not_at_all() {
    let mut running = Running::first();
    let users = std::fs::read_to_string(running.home.file("config/users")).unwrap();
    assert_eq!(running.ask("reader", "GET /_security/_authenticate", "").0, 200);
    let without: String =
        users.lines().filter(|line| !line.starts_with("reader:")).map(|line| format!("{line}\n")).collect();
    running.home.write("config/users", &without);
    running.process.signal("HUP");
    running.process.until("\"message\":\"reloaded\"");
    assert_eq!(running.ask("reader", "GET /_security/_authenticate", "").0, 401);
    assert_eq!(running.ask("elastic", "GET /", "").0, 200);

    running.home.write("config/users", "elastic:plaintext\n");
    running.process.signal("HUP");
    let line = running.process.until("not reloaded");
    assert!(line.contains("users:1"), "{line}");
    assert_eq!(running.ask("elastic", "GET /", "").0, 200);
}

#[test]
fn a_change_of_a_file_is_seen_without_a_signal() {
    let mut running = Running::first();
    running.home.write("config/users", "");
    running.process.until("\"message\":\"reloaded\"");
    assert_eq!(running.ask("elastic", "GET /", "").0, 401);
}

#[test]
fn a_listener_that_changes_needs_a_restart() {
    let mut running = Running::first();
    let config = std::fs::read_to_string(running.home.file("config/mlgate.yml")).unwrap();
    running.home.write("config/mlgate.yml", &config.replace("workers: 1", "workers: 2"));
    running.process.signal("HUP");
    let line = running.process.until("not reloaded");
    assert!(line.contains("[workers] cannot change while the gateway runs"), "{line}");
}

#[test]
fn sigterm_ends_it_well() {
    let mut running = Running::first();
    running.process.signal("TERM");
    assert_eq!(running.process.end().code(), Some(0));
    assert!(running.process.log.iter().any(|line| line.contains("stopped")));
}

/// The exit status, and the last line on standard error.
fn refused(home: &Home) -> (Option<i32>, String) {
    let mut process = home.serve();
    let status = process.end().code();
    (status, process.log.last().cloned().unwrap_or_default())
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    let config = std::fs::read_to_string(home.file("config/mlgate.yml")).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.write("config/mlgate.yml", &config.replace("127.0.0.1:0", &address));
    let (status, line) = refused(&home);
    assert_eq!(status, Some(78));
    assert!(line.contains(&format!("cannot listen on [{address}]")), "{line}");
}

#[test]
fn a_data_folder_that_is_none_is_one_clear_line_and_stays_as_it_was() {
    let home = Home::new();
    home.write("data", "my thesis");
    let (status, line) = refused(&home);
    assert_eq!(status, Some(78));
    assert!(line.contains("data"), "{line}");
    assert_eq!(std::fs::read_to_string(home.file("data")).unwrap(), "my thesis");
}

#[test]
fn a_data_folder_in_use_is_refused() {
    let running = Running::first();
    let (status, line) = refused(&running.home);
    assert_eq!(status, Some(78));
    assert!(line.contains("data"), "{line}");
    assert_eq!(running.ask("elastic", "GET /", "").0, 200);
}

#[test]
fn half_a_key_pair_is_not_completed() {
    let home = Home::new();
    home.write("certs/server.key", "mine");
    let (status, line) = refused(&home);
    assert_eq!(status, Some(78));
    assert!(line.contains("server.key"), "{line}");
    assert_eq!(std::fs::read_to_string(home.file("certs/server.key")).unwrap(), "mine");
}

#[test]
fn a_dead_cluster_is_503_and_recovers_by_itself() {
    let place = TcpListener::bind("127.0.0.1:0").unwrap();
    let node = place.local_addr().unwrap();
    drop(place);
    let home = Home::new();
    home.write(
        "config/mlgate.yml",
        &format!(
            "listeners: [ {{ address: '127.0.0.1:0' }} ]\nworkers: 1\n\
             clusters: [ {{ name: main, nodes: ['http://{node}'], identity: none, health: {{ interval: 50ms, timeout: 1s }} }} ]\n\
             authentication: {{ required: ml, realms: [ {{ type: file, name: file1, users: users, users_roles: users_roles }} ] }}\n"
        ),
    );
    home.write("config/users", "");
    home.write("config/users_roles", "");
    let mut process = home.serve();
    let address = process.listening();
    process.sometime("node is not healthy");
    let ask = || crate::harness::Client::connect(address).simple("GET /web/_search", "");
    let dead = ask();
    assert_eq!(dead.status, 503);
    let body: Value = serde_json::from_slice(&dead.body).unwrap();
    assert_eq!(body["status"], 503);
    assert!(body["error"]["root_cause"][0]["reason"].is_string(), "{body}");
    let mut cluster = Process::start(&["node", "--address", &node.to_string(), "--data", "node-data"], home.path());
    cluster.listening();
    process.until("node is healthy");
    assert_eq!(ask().status, 404, "the index does not exist, and the node says so");
}

#[test]
fn without_any_config_the_shipped_one_is_written_and_served() {
    let home = Home::empty();
    let mut process = Process::start(&["check"], home.path());
    assert_eq!(process.end().code(), Some(0), "{:?}", process.log);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "check makes nothing");
    let mut process = home.serve();
    // Its ports are fixed, and may be in use on this machine: what was made is told before anything can fail.
    process.until("reader ");
    assert_eq!(passwords(&process.log).len(), 4);
    for made in ["config/mlgate.yml", "config/roles.yml", "config/role_mapping.yml", "config/users", "certs/ca.crt"] {
        assert!(home.file(made).exists(), "{made}");
    }
}
