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
    for state in GateState::ALL {
        assert_eq!(decide(state, UpgradeRule::Passes, false, WhenUnknown::Reject), GateAnswer::Pass);
    }
}

#[test]
fn what_is_refused_passes_only_while_the_mode_is_known_to_be_off() {
    for rule in [UpgradeRule::Refused, UpgradeRule::RefusedAsReset, UpgradeRule::RefusedUnlessManage] {
        let answer = |state, when_unknown| decide(state, rule, false, when_unknown);
        assert_eq!(answer(GateState::Off, WhenUnknown::Reject), GateAnswer::Pass);
        assert_eq!(answer(GateState::Unknown, WhenUnknown::Reject), GateAnswer::Unknown);
        assert_eq!(answer(GateState::Unknown, WhenUnknown::Forward), GateAnswer::Pass);
        for state in GateState::ALL.into_iter().filter(|state| state.is_fenced()) {
            assert_eq!(answer(state, WhenUnknown::Forward), GateAnswer::Fenced);
        }
    }
}

#[test]
fn manage_passes_the_fence_only_where_the_mode_is_there_for_it() {
    for state in GateState::ALL {
        assert_eq!(decide(state, UpgradeRule::RefusedUnlessManage, true, WhenUnknown::Reject), GateAnswer::Pass);
    }
    assert_eq!(decide(GateState::On, UpgradeRule::Refused, true, WhenUnknown::Reject), GateAnswer::Fenced);
}
