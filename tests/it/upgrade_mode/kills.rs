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
fn home(node: &Upstream) -> Home {
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

/// Holds a switch at a request that it makes, kills the gateway there, and starts it again before a cluster that is not
/// heard at first. What the journal says then, and what is answered when the cluster says `enabled`.
fn killed(switch: &str, held_at: &'static str, from: bool, journal: GateState) {
    for enabled in [true, false] {
        let state = State { upgrade_mode: from, holds: None, ..State::default() };
        let (cluster, upstream) = Cluster::start(state);
        let home = home(&upstream);
        let running = Running::of(&home);
        running.becomes(if from { 429 } else { 200 });
        let jobs = if from { vec![("web", "opened", None, AWAITING)] } else { vec![("web", "opened", None, "")] };
        cluster.set(|state| (state.holds, state.jobs) = (Some(held_at), jobs));
        // What is held at the cluster there is a request that was admitted before.
        let admitted = (held_at == "/_close").then(|| running.begin("POST /_ml/anomaly_detectors/web/_close"));
        if admitted.is_some() {
            cluster.wait(|state| state.held > 0);
        }
        let caller = running.begin(switch);
        cluster.wait(|state| state.held > 0);
        let begin = Instant::now();
        while !is_remembered(&home, journal) {
            assert!(begin.elapsed() < PATIENCE, "{switch} at {held_at}: never in the journal");
        }
        running.process.kill();
        drop((caller, admitted));
        cluster.set(|state| (state.silent, state.holds) = (true, None));
        // What was on its way is carried out all the same, and then the flag is switched.
        cluster.wait(|state| state.held == 0);
        cluster.set(|state| state.upgrade_mode = enabled);
        let again = Running::of(&home);
        assert_eq!(again.ask(OPEN), 429, "{switch} at {held_at}: holds until the cluster is heard");
        cluster.set(|state| state.silent = false);
        again.becomes(if enabled { 429 } else { 200 });
        if enabled {
            let held = Client::connect(again.address).simple(OPEN, &basic("ml_admin")).json();
            let by = if from { serde_json::Value::Null } else { "ml_admin".into() };
            assert_eq!(held["error"]["upgrade_mode"]["by"], by, "{switch} at {held_at}: who it was is not forgotten");
        }
    }
}

fn is_remembered(home: &Home, state: GateState) -> bool {
    gate::recall(&home.file("state"), "main").unwrap().is_some_and(|remembered| remembered.view.state() == state)
}

#[test]
fn while_it_waits_for_what_was_admitted() {
    killed(ENABLE, "/_close", false, GateState::Enabling);
}

#[test]
fn while_it_notes_what_runs() {
    killed(ENABLE, "/anomaly_detectors/_stats", false, GateState::Enabling);
}

#[test]
fn while_the_cluster_is_asked_to_switch_on() {
    killed(ENABLE, "/set_upgrade_mode", false, GateState::Enabling);
}

#[test]
fn while_the_acknowledgement_is_verified() {
    killed(ENABLE, "/_tasks", false, GateState::Enabling);
}

#[test]
fn while_the_cluster_is_asked_to_switch_off() {
    killed(DISABLE, "/set_upgrade_mode", true, GateState::Disabling);
}
