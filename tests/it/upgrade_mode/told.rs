//! What operators are told of the mode: who switched it, when and why, what is not back, and that it was forgotten. In the
//! log, the audit trail, the metrics and `/readyz` of the program itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::cluster::{Cluster, State};
use super::kills::home;
use super::{DISABLE, ENABLE, OPEN};
use crate::harness::gateway::{basic, hash};
use crate::harness::process::Home;
use crate::harness::{Client, PATIENCE, Process, Response, Upstream};

const AWAITING: &str = "persistent task cannot be assigned while upgrade mode is enabled.";

struct Running {
    home: Home,
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Running {
    /// With an audit trail of everything.
    fn before(node: &Upstream, alert_after: &str) -> Self {
        let home = home(node);
        let config = std::fs::read_to_string(home.file("config/mlgate.yml")).unwrap();
        let config = config.replace("upgrade_mode: {", &format!("upgrade_mode: {{ alert_after: {alert_after},"));
        let more = "admin: { address: '127.0.0.1:0' }\n\
                    audit: { events: [access_denied, authentication_failed, upgrade_mode, ml_change] }\n";
        home.write("config/mlgate.yml", &(config + more));
        home.write("config/users", &["ml_admin", "reader"].map(|name| format!("{name}:{}\n", hash(name))).concat());
        home.write("config/users_roles", "machine_learning_admin:ml_admin\nviewer:reader\n");
        let mut process = home.serve_into("audit.json");
        let (address, admin) = (process.listening(), process.listening());
        Self { home, process, address, admin }
    }

    fn ask(&self, request: &str, user: &str, lines: &str) -> Response {
        Client::connect(self.address).simple(request, &format!("{lines}{}", basic(user)))
    }

    fn look(&self, path: &str) -> Response {
        Client::connect(self.admin).simple(&format!("GET {path}"), "")
    }

    /// Ends it in order; the events of the audit trail.
    fn audited(mut self) -> (Vec<Value>, Vec<String>) {
        self.process.signal("TERM");
        self.process.end();
        let trail = std::fs::read_to_string(self.home.file("audit.json")).unwrap();
        assert!(!trail.contains("password") && !trail.contains("Basic"), "{trail}");
        (trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), self.process.log.clone())
    }
}

fn members(event: &Value, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| event[*name].clone()).collect()
}

#[test]
fn the_audit_trail_says_who_switched_and_why_and_what_is_not_back() {
    let web = |node, why| vec![("web", "opened", node, why)];
    let (cluster, upstream) = Cluster::start(State { jobs: web(Some("n1"), ""), ..State::default() });
    let running = Running::before(&upstream, "4h");
    let enabling = {
        let address = running.address;
        let lines = format!("X-Mlgate-Reason: 8.19 to 9.2\r\n{}", basic("ml_admin"));
        std::thread::spawn(move || Client::connect(address).simple(ENABLE, &lines))
    };
    cluster.wait(|state| state.switches.len() == 1);
    cluster.set(|state| state.jobs = web(None, AWAITING));
    let enabled = enabling.join().unwrap();
    assert_eq!(enabled.status, 200);
    assert_eq!(running.ask(OPEN, "ml_admin", "").status, 429);
    assert_eq!(running.ask(OPEN, "reader", "").status, 403);
    let wrong = "Authorization: Basic bWxfYWRtaW46d3Jvbmc=\r\n";
    assert_eq!(Client::connect(running.address).simple(OPEN, wrong).status, 401);
    cluster.set(|state| state.jobs = web(None, "no node is big enough"));
    assert_eq!(running.ask(DISABLE, "ml_admin", "X-Mlgate-Reason: done\r\n").status, 200);
    let (events, log) = running.audited();

    let what = ["event.action", "event.outcome", "user.name", "event.reason"];
    let shown: Vec<_> = events.iter().map(|event| members(event, &what)).collect();
    assert_eq!(shown[0], [json!("upgrade_mode_enabled"), json!("success"), json!("ml_admin"), json!("8.19 to 9.2")]);
    assert_eq!(shown[1][..3], [json!("access_denied"), json!("failure"), json!("reader")]);
    assert_eq!(shown[2][..3], [json!("authentication_failed"), json!("failure"), Value::Null]);
    let lost = "[1] are not back: job [web] is [opened] without a node: no node is big enough";
    assert_eq!(shown[3], [json!("upgrade_mode_not_back"), json!("failure"), Value::Null, json!(lost)]);
    assert_eq!(shown[4], [json!("upgrade_mode_disabled"), json!("success"), json!("ml_admin"), json!("done")]);
    assert_eq!(events.len(), 5, "{events:?}");
    let rest = ["user.roles", "user.realm", "source.ip", "http.request.method", "url.path", "http.request.id"];
    assert_eq!(
        members(&events[0], &rest),
        [
            json!(["machine_learning_admin"]),
            json!("file1"),
            json!("127.0.0.1"),
            json!("POST"),
            json!("/_ml/set_upgrade_mode"),
            json!(enabled.value("x-request-id"))
        ]
    );
    assert_eq!(events[0]["elasticsearch.action"], "cluster:admin/xpack/ml/upgrade_mode");
    assert!(log.iter().any(|line| line.contains("not back after upgrade mode") && line.contains("job [web]")));
}

/// A switch that waits for a task, and whose caller has gone.
fn left_alone() -> (Arc<Cluster>, Upstream, Running) {
    let (cluster, upstream) = Cluster::start(State { tasks: vec!["job-web"], ..State::default() });
    let running = Running::before(&upstream, "4h");
    let mut caller = Client::connect(running.address);
    caller.send(format!("{ENABLE} HTTP/1.1\r\nHost: x\r\nX-Mlgate-Reason: upgrade\r\n{}\r\n", basic("ml_admin")));
    cluster.wait(|state| state.looks > 0);
    drop(caller);
    let left = Instant::now();
    while !running.look("/metrics").text().contains("outcome=\"caller_left\"") {
        assert!(left.elapsed() < PATIENCE, "it is never seen that the caller has gone");
    }
    (cluster, upstream, running)
}

/// Action, outcome, user, reason and path of the events.
fn switches(events: &[Value]) -> Vec<Vec<Value>> {
    let what = ["event.action", "event.outcome", "user.name", "event.reason", "url.path"];
    events.iter().map(|event| members(event, &what)).collect()
}

fn enabling(outcome: &str, reason: &str, path: Option<&str>) -> Vec<Value> {
    [json!("upgrade_mode_enabled"), json!(outcome), json!("ml_admin"), json!(reason), json!(path)].to_vec()
}

/// Somebody switched ML off and went: it is told how it ended, and who it was.
#[test]
fn a_switch_whose_caller_has_gone_is_audited_when_it_ends() {
    let (cluster, _upstream, running) = left_alone();
    cluster.set(|state| state.tasks.clear());
    let begun = Instant::now();
    while std::fs::read_to_string(running.home.file("audit.json")).unwrap().lines().count() < 2 {
        assert!(begun.elapsed() < PATIENCE, "the switch never ends");
    }
    let went = enabling("unknown", "upgrade", Some("/_ml/set_upgrade_mode"));
    assert_eq!(switches(&running.audited().0), [went, enabling("success", "upgrade", None)]);
}

#[test]
fn a_switch_that_the_end_of_the_gateway_cuts_off_is_audited() {
    let (_cluster, _upstream, running) = left_alone();
    let went = enabling("unknown", "upgrade", Some("/_ml/set_upgrade_mode"));
    let cut_off = enabling("unknown", "the gateway is stopping", None);
    assert_eq!(switches(&running.audited().0), [went, cut_off]);
}

#[test]
fn a_mode_that_was_forgotten_is_warned_of_once_and_shown() {
    let (cluster, upstream) = Cluster::start(State::default());
    let running = Running::before(&upstream, "1ms");
    let overdue = |running: &Running| {
        let metrics = running.look("/metrics").text();
        let value = |name: &str| {
            let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{metrics}"));
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
        };
        let shown = running.look("/readyz").json()["detail"]["clusters"]["main"]["upgrade_mode_overdue"].clone();
        (value("mlgate_upgrade_mode_overdue{"), shown, value("mlgate_upgrade_mode_seconds{") > 0.0)
    };
    assert_eq!(overdue(&running), (0.0, json!(false), false));
    assert_eq!(running.ask(ENABLE, "ml_admin", "X-Mlgate-Reason: 9.2\r\n").status, 200);
    let looks = cluster.infos();
    cluster.wait(|state| state.infos > looks + 4);
    assert_eq!(overdue(&running), (1.0, json!(true), true));
    let info = "mlgate_upgrade_mode_info{cluster=\"main\",by=\"ml_admin\",reason=\"9.2\"} 1\n";
    assert!(running.look("/metrics").text().contains(info));
    assert_eq!(running.look("/readyz").status, 200, "told, and no reason to take the gateway out");
    assert_eq!(running.ask(DISABLE, "ml_admin", "").status, 200);
    assert_eq!(overdue(&running), (0.0, json!(false), false));
    assert!(!running.look("/metrics").text().contains("mlgate_upgrade_mode_info{"));
    let (_, log) = running.audited();
    let warned: Vec<_> = log.iter().filter(|line| line.contains("upgrade mode has been on for long")).collect();
    assert_eq!(warned.len(), 1, "{log:?}");
    assert!(warned[0].contains("ml_admin") && warned[0].contains("9.2"), "{warned:?}");
}
