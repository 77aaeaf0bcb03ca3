//! The state machine of one gate: every move between the states, and what is to be done next.
//!
//! It knows no cluster and no clock: what happened and when comes in, what to do next comes out. `gate` does it and
//! decides nothing; `tests/it/upgrade_mode_model.rs` checks the same code against clusters that go wrong.
//! `docs/upgrade-mode.md` draws it.

use std::time::Duration;

use super::{GateState, effective};

/// Upgrade mode as one gateway knows it at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    state: GateState,
    /// The mode is on, and since then no task was seen to run.
    proved: bool,
    /// On, but the latest look said off.
    doubted: bool,
    switch: Option<Switch>,
    /// The moment of the latest news from the cluster that agreed with the state.
    heard: Option<Duration>,
    epoch: u64,
}

/// A request to switch the mode, while it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Switch {
    pub enabled: bool,
    pub phase: Phase,
}

/// How far a switch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Requests that were admitted before the fence went up are waited for.
    Draining,
    /// The cluster has been asked.
    Asking,
    /// It has acknowledged; whether that is true is looked at.
    Verifying,
    /// It failed; what the cluster says now counts.
    Looking,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A caller asks to switch the mode.
    Requested { enabled: bool },
    /// No request admitted before the fence is left.
    Drained,
    /// Some are, and the time is over.
    DrainTimedOut,
    /// The cluster acknowledged; `trusted`: without proof, as the settings say.
    Acknowledged { trusted: bool },
    /// The cluster refused or could not be reached.
    Refused,
    /// The cluster did not answer in time: it may switch all the same, also later.
    TimedOut,
    /// The cluster shows the wanted mode and no task that contradicts it. `epoch` as it was before the look.
    Verified { epoch: u64 },
    /// It does not, and the time is over.
    NotProved,
    /// The cluster's flag, as the watcher's look found it. `epoch` as it was before the look.
    Observed { epoch: u64, enabled: bool },
    /// The cluster's flag, as the look of [`Phase::Looking`] found it.
    Found { enabled: bool },
    /// That look found nothing out.
    Unheard,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Nothing, until something happens.
    Rest,
    /// Refuse the request: another one is carried out.
    Busy,
    /// Wait for the requests that were admitted.
    Drain,
    /// Ask the cluster to switch.
    Ask,
    /// Look whether the acknowledgement is true.
    Verify,
    /// Look at the cluster's flag.
    Look,
    /// Tell the caller that it is done.
    Acknowledge,
    /// Tell the caller that it is not done.
    Fail,
}

impl Machine {
    /// Nothing is known.
    pub const fn unknown() -> Self {
        Self { state: GateState::Unknown, proved: false, doubted: false, switch: None, heard: None, epoch: 0 }
    }

    /// After a restart: a fence holds until the cluster is heard, everything else is unknown until then.
    pub const fn restored(state: GateState) -> Self {
        let state = if state.is_fenced() { state } else { GateState::Unknown };
        Self { state, ..Self::unknown() }
    }

    /// The last known state, whatever its age.
    pub const fn state(&self) -> GateState {
        self.state
    }

    /// The state that counts at `now`.
    pub fn state_at(&self, now: Duration, max_staleness: Duration) -> GateState {
        effective(self.state, self.age(now).unwrap_or(Duration::MAX), max_staleness)
    }

    /// How old the latest news is that agreed with the state; `None` before the first.
    pub const fn age(&self, now: Duration) -> Option<Duration> {
        match self.heard {
            Some(heard) => Some(now.saturating_sub(heard)),
            None => None,
        }
    }

    /// Whether no task runs, as far as it was ever looked at since the mode is on.
    pub const fn is_proved(&self) -> bool {
        self.proved
    }

    /// Whether the mode is on and the latest look said off.
    pub const fn is_doubted(&self) -> bool {
        self.doubted
    }

    pub const fn switch(&self) -> Option<Switch> {
        self.switch
    }

    /// Grows with every switch that begins or ends: what was looked at before counts for nothing after.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Takes an event. `at`: since the start of the gate; of looks the moment when they began.
    ///
    /// An event that does not fit, such as the answer to a question of an earlier switch, changes nothing.
    #[must_use]
    pub const fn on(self, event: Event, at: Duration) -> (Self, Next) {
        let phase = match self.switch {
            Some(switch) => Some(switch.phase),
            None => None,
        };
        match (event, phase) {
            (Event::Requested { enabled }, None) => self.begin(enabled),
            (Event::Requested { .. }, Some(_)) => (self, Next::Busy),
            (Event::Drained, Some(Phase::Draining)) => self.go_on(Phase::Asking, Next::Ask),
            (Event::Acknowledged { trusted: false }, Some(Phase::Asking)) => self.go_on(Phase::Verifying, Next::Verify),
            (Event::Acknowledged { trusted: true }, Some(Phase::Asking)) => self.done(at, false),
            (Event::Verified { epoch }, Some(Phase::Verifying)) if epoch == self.epoch => self.done(at, true),
            (Event::DrainTimedOut, Some(Phase::Draining))
            | (Event::Refused | Event::TimedOut, Some(Phase::Asking))
            | (Event::NotProved, Some(Phase::Verifying)) => self.go_on(Phase::Looking, Next::Look),
            (Event::Unheard, Some(Phase::Looking)) => self.end(Next::Fail),
            (Event::Found { enabled }, Some(Phase::Looking)) => {
                let (seen, next) = self.observe(enabled, at);
                if matches!(next, Next::Look) { (seen, next) } else { seen.end(Next::Fail) }
            }
            (Event::Observed { epoch, enabled }, None) if epoch == self.epoch => self.observe(enabled, at),
            // A switch alone moves the state; a look may confirm it meanwhile, so that it does not grow old.
            (Event::Observed { epoch, enabled }, Some(_)) if epoch == self.epoch && self.says(enabled) => {
                (self.heard_at(at), Next::Rest)
            }
            (Event::Verified { epoch }, None) if epoch == self.epoch && matches!(self.state, GateState::On) => {
                (Self { proved: true, ..self.heard_at(at) }, Next::Rest)
            }
            _ => (self, Next::Rest),
        }
    }

    const fn says(&self, enabled: bool) -> bool {
        match self.state {
            GateState::On => enabled,
            GateState::Off => !enabled,
            GateState::Unknown | GateState::Enabling | GateState::Disabling => false,
        }
    }

    /// What is on or off already stays so: a retry holds nobody who was not held, and lets nobody through.
    const fn begin(self, enabled: bool) -> (Self, Next) {
        let state = match (enabled, self.state) {
            (true, GateState::On) => GateState::On,
            (true, _) => GateState::Enabling,
            (false, GateState::Off) => GateState::Off,
            (false, _) => GateState::Disabling,
        };
        let (phase, next) = if enabled { (Phase::Draining, Next::Drain) } else { (Phase::Asking, Next::Ask) };
        let switch = Some(Switch { enabled, phase });
        (Self { state, doubted: false, switch, epoch: self.epoch.wrapping_add(1), ..self }, next)
    }

    const fn go_on(self, phase: Phase, next: Next) -> (Self, Next) {
        let switch = match self.switch {
            Some(switch) => Some(Switch { phase, ..switch }),
            None => None,
        };
        (Self { switch, ..self }, next)
    }

    const fn done(self, at: Duration, proved: bool) -> (Self, Next) {
        let enabled = match self.switch {
            Some(switch) => switch.enabled,
            None => return (self, Next::Rest),
        };
        let state = if enabled { GateState::On } else { GateState::Off };
        let heard = self.heard_at(at);
        Self { state, proved: enabled && proved, doubted: false, ..heard }.end(Next::Acknowledge)
    }

    const fn end(self, next: Next) -> (Self, Next) {
        (Self { switch: None, epoch: self.epoch.wrapping_add(1), ..self }, next)
    }

    /// Follows what the cluster says. An off that contradicts a mode that is on has to be said twice in a row: a node
    /// that lags behind the master by one publication says it once.
    const fn observe(self, enabled: bool, at: Duration) -> (Self, Next) {
        let heard = self.heard_at(at);
        match (enabled, self.state) {
            (true, GateState::On) if self.proved => (Self { doubted: false, ..heard }, Next::Rest),
            (true, _) => (Self { state: GateState::On, proved: false, doubted: false, ..heard }, Next::Verify),
            (false, GateState::On) if !self.doubted => (Self { doubted: true, ..self }, Next::Look),
            (false, _) => (Self { state: GateState::Off, proved: false, doubted: false, ..heard }, Next::Rest),
        }
    }

    const fn heard_at(self, at: Duration) -> Self {
        match self.heard {
            Some(heard) if heard.as_nanos() > at.as_nanos() => self,
            _ => Self { heard: Some(at), ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(1);

    /// Takes the events one after the other.
    fn after(begin: Machine, events: &[Event]) -> (Machine, Next) {
        events.iter().fold((begin, Next::Rest), |(machine, _), event| machine.on(*event, AT))
    }

    fn seen(machine: Machine, enabled: bool) -> Machine {
        machine.on(Event::Observed { epoch: machine.epoch(), enabled }, AT).0
    }

    fn on() -> Machine {
        Machine::restored(GateState::On)
    }

    fn off() -> Machine {
        seen(Machine::unknown(), false)
    }

    const ENABLE: Event = Event::Requested { enabled: true };
    const DISABLE: Event = Event::Requested { enabled: false };
    const ACKNOWLEDGED: Event = Event::Acknowledged { trusted: false };

    #[test]
    fn enabling_goes_step_by_step_and_is_fenced_from_the_first() {
        let mut machine = off();
        let steps = [
            (ENABLE, GateState::Enabling, Next::Drain),
            (Event::Drained, GateState::Enabling, Next::Ask),
            (ACKNOWLEDGED, GateState::Enabling, Next::Verify),
            (Event::Verified { epoch: 1 }, GateState::On, Next::Acknowledge),
        ];
        for (event, state, next) in steps {
            let (moved, to_do) = machine.on(event, AT);
            assert_eq!((moved.state(), to_do), (state, next), "{event:?}");
            machine = moved;
        }
        assert!(machine.is_proved() && machine.switch().is_none());
    }

    #[test]
    fn only_proof_acknowledges() {
        let (verifying, _) = after(off(), &[ENABLE, Event::Drained, ACKNOWLEDGED]);
        for event in [Event::NotProved, ACKNOWLEDGED, Event::Drained, Event::TimedOut, Event::Verified { epoch: 0 }] {
            assert_ne!(verifying.on(event, AT).1, Next::Acknowledge, "{event:?}");
        }
    }

    #[test]
    fn one_switch_at_a_time() {
        let (enabling, _) = after(off(), &[ENABLE]);
        assert_eq!(enabling.on(ENABLE, AT), (enabling, Next::Busy));
        assert_eq!(enabling.on(DISABLE, AT), (enabling, Next::Busy));
    }

    #[test]
    fn a_failure_leaves_what_the_cluster_says() {
        let (looking, next) = after(off(), &[ENABLE, Event::Drained, Event::TimedOut]);
        assert_eq!((looking.state(), next), (GateState::Enabling, Next::Look));
        for (event, state) in [
            (Event::Found { enabled: true }, GateState::On),
            (Event::Found { enabled: false }, GateState::Off),
            (Event::Unheard, GateState::Enabling),
        ] {
            let (ended, next) = looking.on(event, AT);
            assert_eq!((ended.state(), next, ended.switch()), (state, Next::Fail, None), "{event:?}");
        }
    }

    #[test]
    fn a_look_from_before_a_switch_counts_for_nothing() {
        let before = on();
        let old = Event::Observed { epoch: before.epoch(), enabled: false };
        let (switching, _) = after(before, &[ENABLE]);
        assert_eq!(switching.on(old, AT), (switching, Next::Rest));
        let (done, _) = after(switching, &[Event::Drained, ACKNOWLEDGED, Event::Verified { epoch: 1 }]);
        assert_eq!(done.on(old, AT), (done, Next::Rest));
    }

    #[test]
    fn one_node_that_lags_behind_does_not_lower_the_fence() {
        let on = seen(Machine::unknown(), true);
        let (doubted, next) = on.on(Event::Observed { epoch: 0, enabled: false }, AT);
        assert_eq!((doubted.state(), next), (GateState::On, Next::Look));
        assert_eq!(seen(seen(doubted, true), false).state(), GateState::On);
        assert_eq!(seen(doubted, false).state(), GateState::Off);
    }

    #[test]
    fn a_retry_while_it_is_on_stays_on_and_is_not_believed_without_proof() {
        let (asking, next) = after(on(), &[ENABLE, Event::Drained]);
        assert_eq!((asking.state(), next), (GateState::On, Next::Ask));
        assert_eq!(asking.on(ACKNOWLEDGED, AT).1, Next::Verify);
    }

    #[test]
    fn a_fence_survives_a_restart_and_nothing_else_does() {
        for state in GateState::ALL {
            let restored = Machine::restored(state);
            assert_eq!(restored.state(), if state.is_fenced() { state } else { GateState::Unknown });
            assert!(!restored.is_proved());
        }
        let (seen_on, next) =
            Machine::restored(GateState::Enabling).on(Event::Observed { epoch: 0, enabled: true }, AT);
        assert_eq!((seen_on.state(), next), (GateState::On, Next::Verify), "the proof is taken up again");
    }

    #[test]
    fn news_is_as_old_as_the_look_that_brought_it() {
        let off = seen(Machine::unknown(), false);
        let limit = Duration::from_secs(3);
        assert_eq!(off.state_at(AT + limit, limit), GateState::Off);
        assert_eq!(off.state_at(AT + limit * 2, limit), GateState::Unknown);
        let (older, _) = off.on(Event::Observed { epoch: 0, enabled: false }, Duration::ZERO);
        assert_eq!(older, off, "a look that began earlier makes nothing younger or older");
    }
}
