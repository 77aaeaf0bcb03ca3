//! The gateway killed at every step of a switch, and started again: it holds what it held, and ends where the cluster is.

use std::time::Instant;

use mlgate::gate;
use mlgate::policy::upgrade_mode::GateState;

use super::cluster::{Cluster, State};
use super::{DISABLE, ENABLE, OPEN};
use crate::harness::gateway::{basic, hash};
use crate::harness::process::Home;
use crate::harness::{Client, PATIENCE, Process, Upstream};

const AWAITING: &str = "persistent task cannot be assigned while upgrade mode is enabled.";

/// A home whose gateway stands before `node` and looks at it often.
pub(super) fn home(node: &Upstream) -> Home {
    let home = Home::empty();
    home.write(
        "config/mlgate.yml",
        &format!(
            "listeners: [ {{ address: '127.0.0.1:0' }} ]\nworkers: 1\n\
             clusters: [ {{ name: main, nodes: ['http://{}'], identity: none, credentials: {{ username: gate, password: secret }} }} ]\n\
             authentication: {{ realms: [ {{ type: file, name: file1, users: users, users_roles: users_roles }} ] }}\n\
             upgrade_mode: {{ poll_interval: 20ms, max_staleness: 10s }}\nstate: {{ path: ../state }}\n",
            node.address
        ),
    );
    home.write("config/users", &format!("ml_admin:{}\n", hash("ml_admin")));
    home.write("config/users_roles", "machine_learning_admin:ml_admin\n");
    home
}

struct Running {
    process: Process,
    address: std::net::SocketAddr,
}

impl Running {
    fn of(home: &Home) -> Self {
        let mut process = home.serve();
        let address = process.listening();
        Self { process, address }
    }

    fn ask(&self, request: &str) -> u16 {
        Client::connect(self.address).simple(request, &basic("ml_admin")).status
    }

    fn becomes(&self, status: u16) {
        let begin = Instant::now();
        while self.ask(OPEN) != status {
            assert!(begin.elapsed() < PATIENCE, "an open is never answered with {status}");
        }
    }

    /// Sends a request and does not wait for an answer.
    fn begin(&self, request: &str) -> Client {
        let mut client = Client::connect(self.address);
        client.send(format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nX-Mlgate-Reason: upgrade\r\n{}\r\n",
            basic("ml_admin")
        ));
        client
    }
}

/// One step of a switch at which the gateway is killed.
struct Step {
    switch: &'static str,
    /// The mode before it.
    from: bool,
    journal: GateState,
    /// The request at which it is held.
    held_at: &'static str,
    /// Waits until it is there.
    reached: fn(&Cluster),
}

impl Step {
    fn enabling(held_at: &'static str) -> Self {
        let reached = |cluster: &Cluster| cluster.wait(|state| state.held > 0);
        Self { switch: ENABLE, from: false, journal: GateState::Enabling, held_at, reached }
    }

    fn disabling(held_at: &'static str) -> Self {
        Self { switch: DISABLE, from: true, journal: GateState::Disabling, ..Self::enabling(held_at) }
    }

    /// Kills the gateway there, and starts it again before a cluster that is not heard at first. What the journal says
    /// then, and what is answered when the cluster has the mode on, and when it has it off.
    fn killed(&self) {
        for enabled in [true, false] {
            self.killed_before(enabled);
        }
    }

    fn killed_before(&self, enabled: bool) {
        let (switch, held_at) = (self.switch, self.held_at);
        let explanation = if self.from { AWAITING } else { "" };
        let jobs = vec![("web", "opened", None, explanation)];
        let (cluster, upstream) = Cluster::start(State { upgrade_mode: self.from, jobs, ..State::default() });
        let home = home(&upstream);
        let running = Running::of(&home);
        running.becomes(if self.from { 429 } else { 200 });
        // The look after the one with the proof: what is held from here on is the switch's.
        cluster.wait(|state| state.infos > 2);
        cluster.set(|state| state.holds = Some(held_at));
        // What is held at the cluster there is a request that was admitted before.
        let admitted = (held_at == "/_close").then(|| running.begin("POST /_ml/anomaly_detectors/web/_close"));
        if admitted.is_some() {
            cluster.wait(|state| state.held > 0);
        }
        let caller = running.begin(switch);
        (self.reached)(&cluster);
        let begin = Instant::now();
        while !is_remembered(&home, self.journal) {
            assert!(begin.elapsed() < PATIENCE, "{switch} at {held_at}: never in the journal");
        }
        running.process.kill();
        drop((caller, admitted));
        cluster.set(|state| (state.silent, state.masterless, state.holds) = (true, false, None));
        // What was on its way is carried out all the same, and then the flag is switched.
        cluster.wait(|state| state.held == 0);
        cluster.set(|state| state.upgrade_mode = enabled);
        let again = Running::of(&home);
        assert_eq!(again.ask(OPEN), 429, "{switch} at {held_at}: holds until the cluster is heard");
        cluster.set(|state| state.silent = false);
        again.becomes(if enabled { 429 } else { 200 });
        if enabled {
            let held = Client::connect(again.address).simple(OPEN, &basic("ml_admin")).json();
            let by = if self.from { serde_json::Value::Null } else { "ml_admin".into() };
            assert_eq!(held["error"]["upgrade_mode"]["by"], by, "{switch} at {held_at}: who it was is not forgotten");
        }
    }
}

fn is_remembered(home: &Home, state: GateState) -> bool {
    gate::recall(&home.file("state"), "main").unwrap().is_some_and(|remembered| remembered.view.state() == state)
}

#[test]
fn while_it_waits_for_what_was_admitted() {
    Step::enabling("/_close").killed();
}

#[test]
fn while_it_notes_what_runs() {
    Step::enabling("/anomaly_detectors/_stats").killed();
}

#[test]
fn while_the_cluster_is_asked_to_switch_on() {
    Step::enabling("/set_upgrade_mode").killed();
}

#[test]
fn while_the_acknowledgement_is_verified() {
    Step::enabling("/_tasks").killed();
}

#[test]
fn while_it_looks_what_became_of_a_refusal() {
    let reached = |cluster: &Cluster| {
        cluster.wait(|state| state.held > 0);
        cluster.set(|state| (state.masterless, state.holds) = (true, Some("/_ml/info")));
        // One is the watcher's.
        cluster.wait(|state| state.held > 1);
    };
    Step { reached, ..Step::enabling("/set_upgrade_mode") }.killed();
}

#[test]
fn while_the_cluster_is_asked_to_switch_off() {
    Step::disabling("/set_upgrade_mode").killed();
}

#[test]
fn while_it_is_verified_that_all_is_back() {
    Step::disabling("/anomaly_detectors/_stats").killed();
}

/// What was written beside the journal and never took its place.
#[test]
fn while_the_journal_is_written() {
    let (cluster, upstream) = Cluster::start(State::default());
    let home = home(&upstream);
    let running = Running::of(&home);
    running.becomes(200);
    assert_eq!(running.ask(ENABLE), 200);
    running.process.kill();
    let whole = std::fs::read(home.file("state/gate-main.json")).unwrap();
    home.write("state/gate-main.new", &String::from_utf8_lossy(&whole[..whole.len() / 2]));
    cluster.set(|state| state.silent = true);
    let again = Running::of(&home);
    assert_eq!(again.ask(OPEN), 429, "the journal holds");
    cluster.set(|state| state.silent = false);
    assert_eq!(again.ask(DISABLE), 200);
    again.becomes(200);
    assert!(!is_remembered(&home, GateState::On) && !home.file("state/gate-main.new").exists());
}
