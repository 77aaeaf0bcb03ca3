//! Clusters that go wrong: one test a failure.

use std::time::Duration;

use mlgate::policy::upgrade_mode::GateState;
use serde_json::json;

use super::cluster::{Cluster, State};
use super::{DISABLE, ENABLE, OPEN, ask, asking, before, reason, state_becomes};
use crate::harness::{Gateway, PATIENCE, Setup};

const AWAITING: &str = "persistent task cannot be assigned while upgrade mode is enabled.";

#[test]
fn a_cluster_that_times_out_is_answered_for_with_the_tasks_that_run() {
    let (cluster, upstream) = Cluster::start(State { switch_fails: true, tasks: vec!["job-web"], ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let answer = ask(&gateway, "ml_admin", ENABLE);
    assert_eq!(answer.0, 504);
    assert!(reason(&answer).contains("xpack/ml/job[c] job-web (n:0)"), "{answer:?}");
    assert!(answer.1["error"]["caused_by"]["reason"].as_str().unwrap().contains("[500]"), "{answer:?}");
    assert_eq!(gateway.gates[0].state(), GateState::On, "the fence stays while the cluster's flag is on");
    cluster.set(|state| (state.switch_fails, state.tasks) = (false, Vec::new()));
    assert_eq!(ask(&gateway, "ml_admin", ENABLE).0, 200);
}

#[test]
fn an_answer_that_is_lost_on_the_way_is_asked_for_again() {
    let (cluster, upstream) = Cluster::start(State { breaks_off: true, ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    assert_eq!(ask(&gateway, "ml_admin", ENABLE), (200, json!({"acknowledged": true})));
    cluster.set(|state| assert_eq!(state.switches.len(), 2));
    assert_eq!(gateway.gates[0].state(), GateState::On);
}

#[test]
fn a_cluster_without_a_master_refuses_and_nobody_stays_held() {
    let (cluster, upstream) = Cluster::start(State { masterless: true, ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let answer = ask(&gateway, "ml_admin", ENABLE);
    assert_eq!((answer.0, &answer.1["error"]["type"]), (503, &json!("master_not_discovered_exception")));
    assert_eq!(gateway.gates[0].state(), GateState::Off);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 200);
    cluster.set(|state| assert_eq!(state.switches.len(), 1));
}

#[test]
fn a_job_that_still_has_a_node_is_no_mode_in_effect() {
    let jobs = vec![("web", "opened", Some("n1"), "")];
    let (cluster, upstream) = Cluster::start(State { jobs, ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let answer = ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled=true&timeout=1ms");
    assert_eq!(answer.0, 504);
    assert!(reason(&answer).contains("job [web] is [opened] on node [n1]"), "{answer:?}");
    cluster.set(|state| state.jobs = vec![("web", "opened", None, AWAITING)]);
    assert_eq!(ask(&gateway, "ml_admin", ENABLE).0, 200);
}

#[test]
fn off_is_acknowledged_once_nothing_awaits_it_and_what_is_not_back_is_reported() {
    let jobs = vec![("back", "opened", Some("n1"), ""), ("lost", "opened", Some("n1"), "")];
    let (cluster, upstream) = Cluster::start(State { jobs, ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let enabling = asking(&gateway, ENABLE);
    upstream.await_request("/_ml/set_upgrade_mode");
    let paused = vec![("back", "opened", None, AWAITING), ("lost", "opened", None, AWAITING)];
    cluster.set(|state| state.jobs = paused);
    assert_eq!(enabling.recv_timeout(PATIENCE).unwrap().0, 200);
    let answer = ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled=false&timeout=1ms");
    assert!(answer.0 == 504 && reason(&answer).contains("job [back] is [opened] without a node"), "{answer:?}");
    assert_eq!(gateway.gates[0].state(), GateState::Off, "the flag is off all the same");
    cluster.set(|state| state.jobs = vec![("back", "opened", Some("n1"), ""), ("lost", "opened", None, "no room")]);
    assert_eq!(ask(&gateway, "ml_admin", DISABLE).0, 200);
    let report = gateway.gates[0].report_of_return().unwrap();
    let named: Vec<String> = report.not_back.iter().map(ToString::to_string).collect();
    assert_eq!(named, ["job [lost] is [opened] without a node: no room"]);
}

#[test]
fn a_node_that_lags_behind_does_not_lower_the_fence() {
    let (cluster, upstream) = Cluster::start(State { upgrade_mode: true, ..State::default() });
    let gateway = before(&upstream, GateState::On, true);
    cluster.wait(|state| state.looks >= 1);
    let fence = gateway.gates[0].view().fence.clone();
    cluster.set(|state| state.lags_once = true);
    cluster.wait(|state| !state.lags_once);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 429);
    assert_eq!(gateway.gates[0].view().fence, fence);
    cluster.set(|state| state.upgrade_mode = false);
    state_becomes(&gateway, GateState::Off);
}

#[test]
fn a_cluster_that_restarts_keeps_what_it_was_told_and_the_wait_goes_on() {
    let (cluster, upstream) = Cluster::start(State { tasks: vec!["job-web"], ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let enabling = asking(&gateway, ENABLE);
    cluster.wait(|state| state.looks >= 1);
    upstream.go_down();
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 429);
    assert!(enabling.try_recv().is_err(), "answered while nobody can know");
    // The tasks did not live through it; the flag is in the cluster state.
    cluster.set(|state| state.tasks.clear());
    upstream.come_back();
    assert_eq!(enabling.recv_timeout(PATIENCE).unwrap(), (200, json!({"acknowledged": true})));
    cluster.set(|state| assert_eq!(state.switches.len(), 1));
}

#[test]
fn a_cluster_that_restarts_while_it_is_asked_is_asked_again() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/set_upgrade_mode"), ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let enabling = asking(&gateway, ENABLE);
    cluster.wait(|state| state.held == 1);
    upstream.go_down();
    cluster.set(|state| (state.holds, state.masterless) = (None, true));
    cluster.wait(|state| state.switches.len() == 1);
    cluster.set(|state| state.masterless = false);
    upstream.come_back();
    assert_eq!(enabling.recv_timeout(PATIENCE).unwrap(), (200, json!({"acknowledged": true})));
    cluster.set(|state| assert_eq!((state.switches.len(), state.upgrade_mode), (2, true)));
    assert_eq!(gateway.gates[0].state(), GateState::On);
}

/// The fence stays, and so does what is off, for as long as a view may be old.
#[test]
fn while_a_cluster_is_away_the_last_known_state_holds() {
    for (enabled, answer) in [(true, 429), (false, 503)] {
        let (_cluster, upstream) = Cluster::start(State { upgrade_mode: enabled, ..State::default() });
        let mut setup = Setup::of(&[upstream.address]);
        let cluster = setup.cluster();
        (cluster.state, cluster.watch, cluster.max_staleness) = (GateState::Unknown, true, Duration::from_millis(200));
        let gateway = Gateway::start(setup);
        state_becomes(&gateway, if enabled { GateState::On } else { GateState::Off });
        upstream.go_down();
        if !enabled {
            state_becomes(&gateway, GateState::Unknown);
        }
        assert_eq!(ask(&gateway, "ml_admin", OPEN).0, answer);
        upstream.come_back();
        state_becomes(&gateway, if enabled { GateState::On } else { GateState::Off });
    }
}

/// The master had it in its queue: the caller was told that it failed, and the fence goes up all the same.
#[test]
fn an_answer_that_comes_too_late_takes_effect_and_is_followed() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/set_upgrade_mode"), ..State::default() });
    let mut setup = Setup::of(&[upstream.address]);
    let late = setup.cluster();
    (late.state, late.verify, late.watch) = (GateState::Off, true, true);
    late.answer_grace = Duration::from_millis(50);
    let gateway = Gateway::start(setup);
    let answer = ask(&gateway, "ml_admin", "POST /_ml/set_upgrade_mode?enabled=true&timeout=1ms");
    assert_eq!(answer.0, 504, "{answer:?}");
    state_becomes(&gateway, GateState::Off);
    cluster.set(|state| state.holds = None);
    state_becomes(&gateway, GateState::On);
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 429);
}
