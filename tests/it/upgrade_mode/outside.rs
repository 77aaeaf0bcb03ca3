//! The mode as others switch it, and as it is forgotten.

use std::time::Duration;

use mlgate::audit::{Auditor, EventClass, Output, Settings};
use mlgate::policy::upgrade_mode::GateState;
use serde_json::{Value, json};

use super::cluster::{Cluster, State};
use super::{DISABLE, ENABLE, ask, state_becomes};
use crate::harness::{Gateway, Setup};

#[test]
fn a_switch_past_the_gateway_is_audited_and_one_through_it_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.json");
    let settings = Settings { output: Output::File(path.clone()), events: vec![EventClass::UpgradeMode] };
    let (auditor, _workers) = Auditor::start(&settings, 0).unwrap();
    let (cluster, upstream) = Cluster::start(State::default());
    let mut setup = Setup::of(&[upstream.address]);
    let gate = setup.cluster();
    (gate.state, gate.verify, gate.watch, gate.audit) = (GateState::Off, true, true, auditor.control());
    let gateway = Gateway::start(setup);
    for request in [ENABLE, DISABLE] {
        assert_eq!(ask(&gateway, "ml_admin", request).0, 200);
    }
    cluster.set(|state| state.upgrade_mode = true);
    state_becomes(&gateway, GateState::On);
    cluster.set(|state| state.upgrade_mode = false);
    state_becomes(&gateway, GateState::Off);
    // The event of the last change is sent after the change is seen.
    let looks = cluster.infos();
    cluster.wait(|state| state.infos > looks + 1);
    auditor.finish();
    let written = std::fs::read_to_string(path).unwrap();
    let events: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<_> = events.iter().map(|event| (&event["event.action"], &event["event.reason"])).collect();
    let reason = json!("switched on the cluster, not through this gateway");
    assert_eq!(shown, [(&json!("upgrade_mode_enabled"), &reason), (&json!("upgrade_mode_disabled"), &reason)]);
    assert_eq!(events[0].get("user.name"), None);
}

#[test]
fn a_mode_that_is_on_for_long_is_overdue() {
    let (_cluster, upstream) = Cluster::start(State { upgrade_mode: true, ..State::default() });
    let overdue = |alert_after| {
        let mut setup = Setup::of(&[upstream.address]);
        (setup.cluster().state, setup.cluster().alert_after) = (GateState::Unknown, alert_after);
        setup.cluster().watch = true;
        let gateway = Gateway::start(setup);
        state_becomes(&gateway, GateState::On);
        gateway.gates[0].is_overdue()
    };
    assert!(overdue(Duration::ZERO));
    assert!(!overdue(Duration::from_secs(3600)));
}
