//! The gate's state machine checked exhaustively, within bounds: two gateways before a cluster that goes wrong.
//!
//! The machine is the gateway's own (`mlgate::policy::upgrade_mode`). Around it are modelled: callers, requests that start
//! ML work, the journal, and a cluster that acknowledges early, refuses, answers too late, switches after that all the
//! same, is switched by others, reset, and restarted. Every order of all of it is tried.

mod world;

use mlgate::policy::upgrade_mode::WhenUnknown;
use stateright::{Checker as _, Model};

use world::{Bounds, Gateways};

fn check(model: Gateways) {
    let checker = model.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
}

#[test]
fn one_gateway_and_its_restarts_keep_every_promise() {
    let bounds = Bounds { switches: 2, others: 1, late: 1, restarts: 1 };
    for when_unknown in [WhenUnknown::Reject, WhenUnknown::Forward] {
        check(Gateways { count: 1, bounds, when_unknown });
    }
}

fn two_gateways(bounds: Bounds) {
    check(Gateways { count: 2, bounds, when_unknown: WhenUnknown::Reject });
}

#[test]
fn two_gateways_that_switch_against_each_other_keep_every_promise() {
    two_gateways(Bounds { switches: 2, others: 0, late: 1, restarts: 0 });
}

#[test]
fn two_gateways_keep_every_promise_while_others_switch_too() {
    two_gateways(Bounds { switches: 1, others: 1, late: 1, restarts: 0 });
}

#[test]
fn two_gateways_and_their_restarts_keep_every_promise() {
    two_gateways(Bounds { switches: 1, others: 1, late: 0, restarts: 1 });
}

/// All of it together: some minutes without optimization, so `.ci/run` has it and the ordinary run has the three above.
#[test]
#[ignore = "takes a minute or two"]
fn two_gateways_keep_every_promise_whatever_happens() {
    two_gateways(Bounds { switches: 2, others: 1, late: 1, restarts: 1 });
}
