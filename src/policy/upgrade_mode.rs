//! Upgrade mode as one gateway knows it: its states, what moves them ([`Machine`]), and what each does to an operation.

mod machine;

pub use machine::{Event, Machine, Next, Phase, Switch};

use std::time::Duration;

use super::operation::UpgradeRule;

/// The gate of one cluster, as a request sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GateState {
    /// Nothing is known yet, or the view is too old.
    Unknown,
    /// The mode is off.
    Off,
    /// A request to switch it on has been taken, and is not acknowledged yet.
    Enabling,
    On,
    /// A request to switch it off has been taken, and is not acknowledged yet.
    Disabling,
}

impl GateState {
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Off, Self::Enabling, Self::On, Self::Disabling];

    /// As status, metrics, logs and the journal name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Off => "off",
            Self::Enabling => "enabling",
            Self::On => "on",
            Self::Disabling => "disabling",
        }
    }

    /// Whether it holds what upgrade mode refuses.
    pub const fn is_fenced(self) -> bool {
        match self {
            Self::Unknown | Self::Off => false,
            Self::Enabling | Self::On | Self::Disabling => true,
        }
    }
}

/// What to do while the state is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnknown {
    Reject,
    Forward,
}

/// What the gate says to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateAnswer {
    Pass,
    /// 429, or 409 for a job reset.
    Fenced,
    /// 503.
    Unknown,
}

/// The one table of states and rules. `may_manage`: the caller has the cluster privilege `manage`.
///
/// `Switches` passes here: the gate itself carries out one at a time.
#[rustfmt::skip] // a table: one state a column
pub const fn decide(state: GateState, rule: UpgradeRule, may_manage: bool, when_unknown: WhenUnknown) -> GateAnswer {
    use GateAnswer::{Fenced, Pass, Unknown};
    let unknown = match when_unknown { WhenUnknown::Reject => Unknown, WhenUnknown::Forward => Pass };
    //                                          unknown  off   enabling on      disabling
    let row = match (rule, may_manage) {
        (UpgradeRule::Passes, _)             => [Pass,    Pass, Pass,    Pass,   Pass],
        (UpgradeRule::Switches, _)           => [Pass,    Pass, Pass,    Pass,   Pass],
        (UpgradeRule::Refused, _)            => [unknown, Pass, Fenced,  Fenced, Fenced],
        (UpgradeRule::RefusedAsReset, _)     => [unknown, Pass, Fenced,  Fenced, Fenced],
        (UpgradeRule::RefusedUnlessManage, false) => [unknown, Pass, Fenced, Fenced, Fenced],
        (UpgradeRule::RefusedUnlessManage, true)  => [Pass, Pass, Pass,    Pass,   Pass],
    };
    let [unknown, off, enabling, on, disabling] = row;
    match state {
        GateState::Unknown => unknown,
        GateState::Off => off,
        GateState::Enabling => enabling,
        GateState::On => on,
        GateState::Disabling => disabling,
    }
}

/// The state as it counts after `age` without news from the cluster.
///
/// An `Off` older than `max_staleness` is unknown: the mode may have been switched on since. The other states refuse
/// already and stay: the last known fence holds until the cluster answers again.
pub fn effective(state: GateState, age: Duration, max_staleness: Duration) -> GateState {
    match state {
        GateState::Off if age > max_staleness => GateState::Unknown,
        GateState::Unknown | GateState::Off | GateState::Enabling | GateState::On | GateState::Disabling => state,
    }
}

#[cfg(test)]
mod tests;
