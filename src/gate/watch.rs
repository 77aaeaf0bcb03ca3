//! Follows the cluster: its state is the truth that several gateways share.

use std::convert::Infallible;
use std::time::SystemTime;

use http::HeaderMap;

use super::fence::{Gate, Step};
use super::verify::Unverified;
use super::view::{FenceFacts, View};
use crate::audit::{Action, Event, Outcome, User};
use crate::policy::upgrade_mode::{Event as Happening, GateState, Next};
use crate::telemetry::clock;

const OUTSIDE: &str = "switched on the cluster, not through this gateway";
const FOUND: &str = "found on when this gateway first heard the cluster";

/// Looks at the cluster every `poll_interval`, for ever; drop it to stop.
pub async fn watch(gate: &Gate) -> Infallible {
    let mut watcher = Watcher::default();
    loop {
        let looked = gate.look().await;
        watcher.told(gate, looked);
        watcher.warned_of_forgotten_mode(gate);
        let pause = gate.settings().poll_interval;
        tokio::time::sleep(pause).await;
    }
}

impl Gate {
    /// One look, and what follows from it: a second one where the first is doubted, the proof of a mode that is on, the
    /// report of one that is off.
    async fn look(&self) -> Result<(), Unverified> {
        let nobody = HeaderMap::new();
        let mut step = self.look_once(&nobody).await?;
        if step.next == Next::Look {
            step = self.look_once(&nobody).await?;
        }
        if step.after.machine.switch().is_some() {
            return Ok(());
        }
        match (step.next, step.after.state()) {
            (Next::Verify, _) => {
                self.note_what_runs(&nobody).await;
                self.prove(&nobody).await;
            }
            (_, GateState::Off) => self.report(&nobody).await,
            _ => {}
        }
        Ok(())
    }

    async fn look_once(&self, caller: &HeaderMap) -> Result<Step, Unverified> {
        // Read first: a switch that begins or ends after it makes this look count for nothing.
        let (epoch, at) = (self.view().machine.epoch(), self.now());
        let enabled = self.mode(caller).await?;
        let step = self.step(Happening::Observed { epoch, enabled }, at, FenceFacts::seen(clock::now()));
        self.tell_change(&step.before, &step.after);
        self.audit_change_from_outside(&step.before, &step.after);
        self.remember().await;
        Ok(step)
    }

    /// What a switch did not live to prove, or what was switched on elsewhere.
    async fn prove(&self, caller: &HeaderMap) {
        let (epoch, at) = (self.view().machine.epoch(), self.now());
        if self.proved(true, caller).await.is_ok() {
            let step = self.step(Happening::Verified { epoch }, at, FenceFacts::seen(clock::now()));
            if step.after.machine.is_proved() {
                tracing::info!(cluster = self.cluster, "upgrade mode is on and no machine learning task runs");
            }
        }
    }

    /// Whether the fence has been up for longer than `alert_after`.
    pub fn is_overdue(&self) -> bool {
        let view = self.view();
        let up = view.fence.as_ref().and_then(|fence| clock::now().duration_since(fence.since).ok());
        up.is_some_and(|up| up >= self.settings().alert_after)
    }

    /// The mode was switched directly on the cluster, by a reset, by a migration, or through another gateway. What a switch
    /// of our own left behind is no such change.
    fn audit_change_from_outside(&self, before: &View, after: &View) {
        let (action, reason) = match (before.state(), after.state()) {
            (GateState::Off, GateState::On) => (Action::UpgradeModeEnabled, OUTSIDE),
            (GateState::On, GateState::Off) => (Action::UpgradeModeDisabled, OUTSIDE),
            (GateState::Unknown, GateState::On) => (Action::UpgradeModeEnabled, FOUND),
            _ => return,
        };
        self.audit(action, Outcome::Success, Some(reason.to_owned()), None);
    }

    /// An event of no request to this gateway, or of one whose caller has gone: `by`.
    pub(super) fn audit(&self, action: Action, outcome: Outcome, reason: Option<String>, by: Option<String>) {
        self.control().audit.send(Event {
            time: clock::now(),
            action,
            outcome,
            reason,
            cluster: self.cluster.clone(),
            user: by.map(|name| User { name, roles: Vec::new(), realm: None }),
            source_ip: None,
            request: None,
            elasticsearch_action: None,
            rule: None,
            privileges: Vec::new(),
            trace_id: None,
        });
    }

    /// One line in the log for each change of the state.
    pub(super) fn tell_change(&self, before: &View, after: &View) {
        if before.state() == after.state() {
            return;
        }
        if (before.state(), after.state()) == (GateState::Unknown, GateState::Off) {
            tracing::debug!(cluster = self.cluster, "upgrade mode is off");
            return;
        }
        let fence = after.fence.as_ref().or(before.fence.as_ref());
        tracing::info!(
            cluster = self.cluster,
            before = before.state().name(),
            after = after.state().name(),
            user.name = fence.and_then(|fence| fence.by.as_deref()),
            reason = fence.and_then(|fence| fence.reason.as_deref()),
            "upgrade mode changed"
        );
    }
}

/// What has been logged already, so that it is logged once.
#[derive(Default)]
struct Watcher {
    silent: Option<Unverified>,
    forgotten: Option<SystemTime>,
}

impl Watcher {
    fn told(&mut self, gate: &Gate, look: Result<(), Unverified>) {
        match look {
            Ok(()) => {
                if self.silent.take().is_some() {
                    tracing::info!(cluster = gate.cluster, "the upgrade mode of the cluster is known again");
                }
            }
            Err(against) if self.silent.as_ref() != Some(&against) => {
                tracing::warn!(cluster = gate.cluster, error = %against, "the upgrade mode of the cluster is not known");
                self.silent = Some(against);
            }
            Err(_) => {}
        }
    }

    fn warned_of_forgotten_mode(&mut self, gate: &Gate) {
        let view = gate.view();
        let Some(fence) = &view.fence else { return };
        if gate.is_overdue() && self.forgotten != Some(fence.since) {
            let on_for = clock::now().duration_since(fence.since).unwrap_or_default();
            self.forgotten = Some(fence.since);
            tracing::warn!(
                cluster = gate.cluster,
                seconds = on_for.as_secs(),
                user.name = fence.by.as_deref(),
                reason = fence.reason.as_deref(),
                "upgrade mode has been on for long; switch it off with set_upgrade_mode?enabled=false"
            );
        }
    }
}
