//! What upgrade mode, as far as it is known, does to an operation.

use std::time::Duration;

use super::operation::UpgradeRule;

/// The gate of one cluster, as a request sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// As status, metrics and logs name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Off => "off",
            Self::Enabling => "enabling",
            Self::On => "on",
            Self::Disabling => "disabling",
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

/// The one table of states and rules. `Switches` passes here: it is admitted one at a time by the gate itself.
pub const fn decide(state: GateState, rule: UpgradeRule, when_unknown: WhenUnknown) -> GateAnswer {
    match rule {
        UpgradeRule::Passes | UpgradeRule::Switches => GateAnswer::Pass,
        UpgradeRule::Refused | UpgradeRule::RefusedAsReset | UpgradeRule::RefusedUnlessManage => {
            match (state, when_unknown) {
                (GateState::Off, _) | (GateState::Unknown, WhenUnknown::Forward) => GateAnswer::Pass,
                (GateState::Unknown, WhenUnknown::Reject) => GateAnswer::Unknown,
                (GateState::Enabling | GateState::On | GateState::Disabling, _) => GateAnswer::Fenced,
            }
        }
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
mod tests {
    use super::*;

    #[test]
    fn an_old_off_is_unknown_and_an_old_fence_holds() {
        let limit = Duration::from_secs(3);
        assert_eq!(effective(GateState::Off, Duration::from_secs(4), limit), GateState::Unknown);
        assert_eq!(effective(GateState::Off, limit, limit), GateState::Off);
        for fenced in [GateState::Enabling, GateState::On, GateState::Disabling] {
            assert_eq!(effective(fenced, Duration::from_secs(4), limit), fenced);
        }
    }

    #[test]
    fn what_always_passes_passes_in_every_state() {
        for state in [GateState::Unknown, GateState::Off, GateState::Enabling, GateState::On, GateState::Disabling] {
            assert_eq!(decide(state, UpgradeRule::Passes, WhenUnknown::Reject), GateAnswer::Pass);
        }
    }

    #[test]
    fn what_is_refused_passes_only_while_the_mode_is_known_to_be_off() {
        let refused = UpgradeRule::Refused;
        assert_eq!(decide(GateState::Off, refused, WhenUnknown::Reject), GateAnswer::Pass);
        assert_eq!(decide(GateState::Unknown, refused, WhenUnknown::Reject), GateAnswer::Unknown);
        assert_eq!(decide(GateState::Unknown, refused, WhenUnknown::Forward), GateAnswer::Pass);
        for state in [GateState::Enabling, GateState::On, GateState::Disabling] {
            assert_eq!(decide(state, refused, WhenUnknown::Forward), GateAnswer::Fenced);
        }
    }
}
