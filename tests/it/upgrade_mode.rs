//! The gate: fence, switch, verification, against a cluster that does what the test says.

mod cluster;
mod failures;
mod kills;
mod outside;
mod told;
mod two_gateways;
mod waiting;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use mlgate::gate;
use mlgate::policy::upgrade_mode::GateState;
use serde_json::{Value, json};

use crate::harness::gateway::basic;
use crate::harness::{Client, Gateway, PATIENCE, Setup, Upstream};

use cluster::{Cluster, State};

fn before(upstream: &Upstream, state: GateState, watch: bool) -> Gateway {
    let mut setup = Setup::of(&[upstream.address]);
    let cluster = setup.cluster();
    (cluster.state, cluster.verify, cluster.watch) = (state, true, watch);
    Gateway::start(setup)
}

fn ask(gateway: &Gateway, user: &str, request: &str) -> (u16, Value) {
    let response = Client::connect(gateway.address).simple(request, &basic(user));
    (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
}

fn reason(answer: &(u16, Value)) -> &str {
    answer.1["error"]["reason"].as_str().unwrap_or_default()
}

/// Sends a request in a thread of its own.
fn asking(gateway: &Gateway, request: &'static str) -> Receiver<(u16, Value)> {
    asking_with(gateway, request, "")
}

/// With header lines beside the credentials.
fn asking_with(gateway: &Gateway, request: &'static str, lines: &'static str) -> Receiver<(u16, Value)> {
    let (told, answer): (Sender<_>, _) = channel();
    let address = gateway.address;
    thread::spawn(move || {
        let response = Client::connect(address).simple(request, &format!("{lines}{}", basic("ml_admin")));
        let _ = told.send((response.status, serde_json::from_slice(&response.body).unwrap_or_default()));
    });
    answer
}

fn state_becomes(gateway: &Gateway, wanted: GateState) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while gateway.gates[0].state() != wanted {
        assert!(std::time::Instant::now() < deadline, "the gate never becomes {wanted:?}");
        thread::yield_now();
    }
}

const OPEN: &str = "POST /_ml/anomaly_detectors/web/_open";
const CLOSE: &str = "POST /_ml/anomaly_detectors/web/_close";
const ENABLE: &str = "POST /_ml/set_upgrade_mode?enabled=true&timeout=10m";
const DISABLE: &str = "POST /_ml/set_upgrade_mode?enabled=false";
const HELD: &str = "Cannot perform cluster:admin/xpack/ml/job/open action while upgrade mode is enabled";

#[test]
fn on_and_off_again() {
    let (cluster, upstream) = Cluster::start(State::default());
    let gateway = before(&upstream, GateState::Off, false);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 200);
    assert_eq!(ask(&gateway, "ml_admin", ENABLE), (200, json!({"acknowledged": true})));
    assert_eq!(gateway.gates[0].state(), GateState::On);
    for request in [OPEN, "POST /_xpack/ml/anomaly_detectors/web/_open"] {
        let held = ask(&gateway, "ml_admin", request);
        assert_eq!((held.0, reason(&held)), (429, HELD));
    }
    assert_eq!(ask(&gateway, "elastic", CLOSE).0, 429);
    assert_eq!(ask(&gateway, "reader", OPEN).0, 403);
    assert_eq!(ask(&gateway, "ml_admin", "GET /_ml/info").0, 200);
    let reset = ask(&gateway, "ml_admin", "POST /_ml/anomaly_detectors/web/_reset");
    assert_eq!((reset.0, reason(&reset)), (409, "cannot reset job while indices are being upgraded"));
    assert_eq!(ask(&gateway, "ml_admin", DISABLE), (200, json!({"acknowledged": true})));
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 200);
    cluster.set(|state| {
        assert!(state.switches[0].starts_with("/_ml/set_upgrade_mode?enabled=true&timeout="), "{:?}", state.switches);
        assert_eq!(state.switches.len(), 2);
    });
}

/// To whoever may see the mode; a node says nothing in the gateway's name.
#[test]
fn who_switched_when_and_why_stands_on_the_answer_that_shows_the_mode() {
    let (_cluster, upstream) = Cluster::start(State { claims_switched: true, ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let told = |request: &str, user: &str| {
        let response = Client::connect(gateway.address).simple(request, &basic(user));
        let [since, by, reason] =
            ["since", "by", "reason"].map(|what| response.values(&format!("x-mlgate-upgrade-mode-{what}")).join("|"));
        (response.status, !since.is_empty(), by, reason)
    };
    let nothing = |status| (status, false, String::new(), String::new());
    assert_eq!(told("GET /_ml/info", "ml_admin"), nothing(200));
    let lines = format!("X-Mlgate-Reason: 8.19 to 9.2: \u{e4} 100%\r\n{}", basic("ml_admin"));
    assert_eq!(Client::connect(gateway.address).simple(ENABLE, &lines).status, 200);
    let expected = (200, true, "ml_admin".to_owned(), "8.19 to 9.2: %C3%A4 100%25".to_owned());
    assert_eq!(told("GET /_ml/info", "ml_admin"), expected);
    assert_eq!(told("GET /_xpack/ml/info", "ml_admin"), expected);
    assert_eq!(told("GET /_ml/info", "reader"), nothing(403));
    assert_eq!(ask(&gateway, "ml_admin", DISABLE).0, 200);
    assert_eq!(told("GET /_ml/info", "ml_admin"), nothing(200));
}

#[test]
fn an_acknowledgement_is_marked_only_if_the_gateway_has_verified_it() {
    for verify in [true, false] {
        let (_cluster, upstream) = Cluster::start(State { claims_verified: true, ..State::default() });
        let mut setup = Setup::of(&[upstream.address]);
        let cluster = setup.cluster();
        (cluster.state, cluster.verify) = (GateState::Off, verify);
        let gateway = Gateway::start(setup);
        let response = Client::connect(gateway.address).simple(ENABLE, &basic("ml_admin"));
        assert_eq!((response.status, response.values("x-mlgate-verified").len()), (200, usize::from(verify)));
    }
}

#[test]
fn an_acknowledgement_comes_only_once_no_task_runs() {
    let (cluster, upstream) = Cluster::start(State { tasks: vec!["job-web"], ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let answer = asking(&gateway, ENABLE);
    cluster.wait(|state| state.looks >= 2);
    assert!(answer.try_recv().is_err(), "acknowledged while a task runs");
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 429);
    cluster.set(|state| state.tasks.clear());
    assert_eq!(answer.recv_timeout(PATIENCE).unwrap(), (200, json!({"acknowledged": true})));
}

#[test]
fn a_retry_after_a_time_out_is_not_acknowledged_early() {
    let (cluster, upstream) = Cluster::start(State { tasks: vec!["job-web"], upgrade_mode: true, ..State::default() });
    let gateway = before(&upstream, GateState::On, false);
    let retry = ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled=true&timeout=0");
    assert!(retry.0 >= 400, "{retry:?}");
    assert!(reason(&retry).contains("xpack/ml/job[c] job-web (n:0)"), "{retry:?}");
    assert_eq!(gateway.gates[0].state(), GateState::On);
    cluster.set(|state| state.tasks.clear());
    assert_eq!(ask(&gateway, "ml_admin", ENABLE).0, 200);
}

#[test]
fn what_proves_nothing_is_no_acknowledgement() {
    let (cluster, upstream) = Cluster::start(State { node_failures: true, ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let answer = ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled=true&timeout=1ms");
    assert!(answer.0 >= 400, "{answer:?}");
    // The cluster's flag is on all the same: so is the fence.
    assert_eq!(gateway.gates[0].state(), GateState::On);
    cluster.set(|state| state.node_failures = false);
    assert_eq!(ask(&gateway, "ml_admin", ENABLE).0, 200);
}

#[test]
fn requests_admitted_before_the_fence_are_waited_for() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/_close"), ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let closing = asking(&gateway, CLOSE);
    assert!(upstream.next_request().line().contains("_close"));
    let enabling = asking(&gateway, ENABLE);
    state_becomes(&gateway, GateState::Enabling);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 429);
    cluster.set(|state| assert!(state.switches.is_empty(), "the cluster was asked before the request had ended"));
    cluster.set(|state| state.holds = None);
    assert_eq!(closing.recv_timeout(PATIENCE).unwrap().0, 200);
    assert_eq!(enabling.recv_timeout(PATIENCE).unwrap().0, 200);
}

#[test]
fn a_request_that_does_not_end_in_time_lowers_the_fence_again() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/_close"), ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let closing = asking(&gateway, CLOSE);
    assert!(upstream.next_request().line().contains("_close"));
    let answer = ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled=true&timeout=1ms");
    assert!(answer.0 >= 400, "{answer:?}");
    cluster.set(|state| assert!(state.switches.is_empty()));
    assert_eq!(gateway.gates[0].state(), GateState::Off);
    cluster.set(|state| state.holds = None);
    assert_eq!(closing.recv_timeout(PATIENCE).unwrap().0, 200);
}

#[test]
fn one_switch_at_a_time_whatever_it_asks_for() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/set_upgrade_mode"), ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let first = asking(&gateway, ENABLE);
    upstream.await_request("/_ml/set_upgrade_mode");
    for second in [ENABLE, DISABLE] {
        let answer = ask(&gateway, "ml_admin", second);
        assert_eq!(answer.0, 429);
        assert_eq!(
            reason(&answer),
            "Cannot change [upgrade_mode] for feature name [ml-set-upgrade-mode]. Previous request is still being processed."
        );
    }
    cluster.set(|state| state.holds = None);
    assert_eq!(first.recv_timeout(PATIENCE).unwrap().0, 200);
}

#[test]
fn a_caller_that_leaves_changes_nothing() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/set_upgrade_mode"), ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let mut caller = Client::connect(gateway.address);
    caller.send(format!("{ENABLE} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", basic("ml_admin")));
    upstream.await_request("/_ml/set_upgrade_mode");
    drop(caller);
    cluster.set(|state| state.holds = None);
    state_becomes(&gateway, GateState::On);
}

#[test]
fn a_switch_that_fails_leaves_what_the_cluster_says() {
    let (cluster, upstream) = Cluster::start(State { switch_fails: true, ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    assert_eq!(ask(&gateway, "ml_admin", ENABLE).0, 500);
    assert_eq!(gateway.gates[0].state(), GateState::On, "the flag is not rolled back");
    cluster.set(|state| state.switch_fails = false);
    assert_eq!(ask(&gateway, "ml_admin", DISABLE).0, 200);
    assert_eq!(gateway.gates[0].state(), GateState::Off);
}

#[test]
fn the_mode_switched_on_the_cluster_itself_is_followed() {
    let (cluster, upstream) = Cluster::start(State::default());
    let gateway = before(&upstream, GateState::Unknown, true);
    state_becomes(&gateway, GateState::Off);
    cluster.set(|state| state.upgrade_mode = true);
    state_becomes(&gateway, GateState::On);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 429);
    cluster.set(|state| state.upgrade_mode = false);
    state_becomes(&gateway, GateState::Off);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 200);
}

#[test]
fn an_unknown_mode_refuses_what_it_might_forbid_and_nothing_else() {
    let (_cluster, upstream) = Cluster::start(State { silent: true, ..State::default() });
    let gateway = before(&upstream, GateState::Unknown, true);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 503);
    assert_eq!(ask(&gateway, "reader", OPEN).0, 403);
    assert_eq!(ask(&gateway, "ml_admin", "GET /_ml/anomaly_detectors").0, 200);
    assert_eq!(ask(&gateway, "reader", "GET /web/_search").0, 200);
}

#[test]
fn a_fence_is_on_disk_before_the_cluster_is_asked() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/set_upgrade_mode"), ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let enabling = asking(&gateway, ENABLE);
    upstream.await_request("/_ml/set_upgrade_mode");
    let recalled = gate::recall(gateway.journal.path(), "main").unwrap().unwrap();
    assert_eq!(recalled.view.state(), GateState::Enabling);
    assert_eq!(recalled.view.fence.unwrap().by.as_deref(), Some("ml_admin"));
    cluster.set(|state| state.holds = None);
    assert_eq!(enabling.recv_timeout(PATIENCE).unwrap().0, 200);
    assert_eq!(ask(&gateway, "ml_admin", DISABLE).0, 200);
    let recalled = gate::recall(gateway.journal.path(), "main").unwrap().unwrap();
    assert_eq!((recalled.view.state(), recalled.view.fence), (GateState::Unknown, None), "the cluster is heard first");
}

#[test]
fn queries_are_read_as_elasticsearch_reads_them() {
    let (cluster, upstream) = Cluster::start(State::default());
    let gateway = before(&upstream, GateState::Off, false);
    for (query, status) in
        [("?enabled=yes", 400), ("?enabled=true&timeout=5", 400), ("?enabled=true;enabled=false", 400)]
    {
        assert_eq!(ask(&gateway, "ml_admin", &format!("POST /_ml/set_upgrade_mode{query}")).0, status, "{query}");
    }
    cluster.set(|state| assert!(state.switches.is_empty()));
    assert_eq!(ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled").0, 200);
    assert_eq!(gateway.gates[0].state(), GateState::On);
    assert_eq!(ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode").0, 200);
    assert_eq!(gateway.gates[0].state(), GateState::Off);
}

#[test]
fn a_late_look_does_not_lower_the_fence_below_a_switch() {
    let stage = Arc::new((Mutex::new(0), Condvar::new()));
    let script = Arc::clone(&stage);
    let upstream = Upstream::scripted(move |exchange| {
        while let Some(request) = exchange.request() {
            let mut at = script.0.lock().unwrap();
            let is_switch = request.line().starts_with("POST");
            let body = if is_switch {
                *at = 2;
                script.1.notify_all();
                drop(script.1.wait_while(at, |at| *at < 3).unwrap());
                r#"{"acknowledged":true}"#
            } else if *at == 0 {
                // Looked at before the switch came, told while it is under way.
                *at = 1;
                script.1.notify_all();
                drop(script.1.wait_while(at, |at| *at < 2).unwrap());
                r#"{"upgrade_mode":false}"#
            } else {
                r#"{"upgrade_mode":true}"#
            };
            exchange.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
            if body.contains("false") {
                *script.0.lock().unwrap() = 3;
                script.1.notify_all();
            }
        }
    });
    let mut setup = Setup::of(&[upstream.address]);
    setup.cluster().state = GateState::On;
    setup.cluster().watch = true;
    let gateway = Gateway::start(setup);
    drop(stage.1.wait_while(stage.0.lock().unwrap(), |at| *at < 1).unwrap());
    assert_eq!(ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled=true").0, 200);
    let fence = gateway.gates[0].view().fence.clone().unwrap();
    assert_eq!(fence.since, std::time::SystemTime::UNIX_EPOCH, "the fence was down in between");
}

#[test]
fn a_body_counts_until_it_is_sent_although_the_node_has_answered() {
    let (done, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::scripted(move |exchange| {
        exchange.head();
        exchange.send(crate::harness::upstream::OK);
        let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
        exchange.rest();
    });
    let gateway = before(&upstream, GateState::Off, false);
    let mut client = Client::connect(gateway.address);
    client.send(format!(
        "POST /_ml/anomaly_detectors/j/_data HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n{}\r\nabc",
        basic("ml_admin")
    ));
    assert_eq!(client.response(false).status, 200);
    assert_eq!(gateway.gates[0].in_flight(), 1, "its writes go on");
    let _ = client.try_send("defghi");
    let gate = Arc::clone(&gateway.gates[0]);
    let begin = std::time::Instant::now();
    while gate.in_flight() > 0 {
        assert!(begin.elapsed() < PATIENCE, "never ended");
        thread::yield_now();
    }
    done.send(()).unwrap();
}
