//! Several callers and one switch: who joins, who is refused, whose time is over.

use mlgate::policy::upgrade_mode::GateState;
use serde_json::json;

use super::cluster::{Cluster, State};
use super::{DISABLE, ENABLE, OPEN, ask, asking, asking_with, before, reason, state_becomes};
use crate::harness::gateway::basic;
use crate::harness::{Client, PATIENCE};

const JOIN: &str = "X-Mlgate-Wait: join\r\n";

#[test]
fn the_same_request_again_joins_the_wait_if_it_says_so() {
    let (cluster, upstream) = Cluster::start(State { tasks: vec!["job-web"], ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let first = asking(&gateway, ENABLE);
    cluster.wait(|state| state.looks >= 1);
    let joined = asking_with(&gateway, ENABLE, JOIN);
    assert_eq!(ask(&gateway, "ml_admin", ENABLE).0, 429, "without the header it is refused");
    let other = Client::connect(gateway.address).simple(DISABLE, &format!("{JOIN}{}", basic("ml_admin")));
    assert_eq!(other.status, 429, "another value does not join");
    assert!(joined.try_recv().is_err() && first.try_recv().is_err(), "acknowledged while a task runs");
    cluster.set(|state| state.tasks.clear());
    for answer in [first, joined] {
        assert_eq!(answer.recv_timeout(PATIENCE).unwrap(), (200, json!({"acknowledged": true})));
    }
    cluster.set(|state| assert_eq!(state.switches.len(), 1));
}

#[test]
fn who_joins_with_less_time_gets_an_answer_when_it_is_over() {
    let (cluster, upstream) = Cluster::start(State { tasks: vec!["job-web"], ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let first = asking(&gateway, ENABLE);
    cluster.wait(|state| state.looks >= 1);
    let short = "POST /_ml/set_upgrade_mode?enabled=true&timeout=1ms";
    let answer = asking_with(&gateway, short, JOIN).recv_timeout(PATIENCE).unwrap();
    assert_eq!(answer.0, 504);
    assert!(reason(&answer).contains("xpack/ml/job[c] job-web (n:0)"), "{answer:?}");
    assert!(first.try_recv().is_err());
    cluster.set(|state| state.tasks.clear());
    assert_eq!(first.recv_timeout(PATIENCE).unwrap().0, 200);
}

#[test]
fn who_joins_with_more_time_keeps_the_switch_going() {
    let (cluster, upstream) = Cluster::start(State { holds: Some("/_close"), ..State::default() });
    let gateway = before(&upstream, GateState::Off, false);
    let closing = asking(&gateway, super::CLOSE);
    upstream.await_request("/_ml/anomaly_detectors/web/_close");
    let first = asking(&gateway, "POST /_ml/set_upgrade_mode?enabled=true&timeout=300ms");
    state_becomes(&gateway, GateState::Enabling);
    let joined = asking_with(&gateway, ENABLE, JOIN);
    let answer = first.recv_timeout(PATIENCE).unwrap();
    assert_eq!(answer.0, 504, "its own time is over");
    assert!(reason(&answer).contains("[1] requests admitted"), "{answer:?}");
    assert_eq!(ask(&gateway, "ml_admin", OPEN).0, 429);
    cluster.set(|state| state.holds = None);
    assert_eq!(closing.recv_timeout(PATIENCE).unwrap().0, 200);
    assert_eq!(joined.recv_timeout(PATIENCE).unwrap().0, 200);
    assert_eq!(gateway.gates[0].state(), GateState::On);
}

#[test]
fn a_refusal_says_who_switched_it_on_and_why_to_those_who_may_know() {
    let (_cluster, upstream) = Cluster::start(State::default());
    let gateway = before(&upstream, GateState::Off, false);
    let lines = format!("X-Mlgate-Reason: Update auf 9.2, \u{e4}m Abend\r\n{}", basic("ml_admin"));
    assert_eq!(Client::connect(gateway.address).simple(ENABLE, &lines).status, 200);
    let held = Client::connect(gateway.address).simple(OPEN, &basic("elastic"));
    assert_eq!((held.status, held.value("retry-after")), (429, Some("30")));
    let error = &held.json()["error"];
    assert_eq!(error["reason"], super::HELD, "Elasticsearch's text stays as it is");
    assert_eq!(error["upgrade_mode"]["state"], "on");
    assert_eq!(error["upgrade_mode"]["by"], "ml_admin");
    assert_eq!(error["upgrade_mode"]["reason"], "Update auf 9.2, \u{e4}m Abend");
    let denied = Client::connect(gateway.address).simple(OPEN, &basic("reader"));
    assert_eq!(denied.status, 403);
    assert!(!String::from_utf8_lossy(&denied.body).contains("upgrade"), "{denied:?}");
}
