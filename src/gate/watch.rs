//! Follows the cluster: its state is the truth that several gateways share.

use std::convert::Infallible;
use std::time::SystemTime;

use super::fence::Gate;
use super::verify::Unverified;
use super::view::View;
use crate::policy::upgrade_mode::GateState;
use crate::telemetry::clock;

/// Looks at the cluster every `poll_interval`, for ever; drop it to stop.
pub async fn watch(gate: &Gate) -> Infallible {
    let mut watcher = Watcher::default();
    loop {
        // While a request to switch runs, it alone moves the state. The epoch comes first: a request that begins after it
        // makes this look count for nothing.
        let epoch = gate.epoch();
        if gate.switching.available_permits() > 0 {
            watcher.told(gate, gate.look_since(epoch).await);
        }
        watcher.warned_of_forgotten_mode(gate);
        let pause = gate.settings().poll_interval;
        tokio::time::sleep(pause).await;
    }
}

impl Gate {
    /// One look; the view follows what the cluster says.
    pub(super) async fn look(&self) -> Result<(), Unverified> {
        self.look_since(self.epoch()).await
    }

    async fn look_since(&self, epoch: u64) -> Result<(), Unverified> {
        let enabled = self.mode().await?;
        let wall = clock::now();
        if let Some((before, after)) = self.observe(epoch, enabled, wall) {
            self.remember().await;
            changed(self, &before, &after);
        }
        Ok(())
    }
}

fn changed(gate: &Gate, before: &View, after: &View) {
    if (before.state, after.state) == (GateState::Unknown, GateState::Off) {
        tracing::debug!(cluster = gate.cluster, "upgrade mode is off");
        return;
    }
    let fence = after.fence.as_ref();
    tracing::info!(
        cluster = gate.cluster,
        before = before.state.name(),
        after = after.state.name(),
        user.name = fence.and_then(|fence| fence.by.as_deref()),
        reason = fence.and_then(|fence| fence.reason.as_deref()),
        "upgrade mode changed"
    );
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
        let on_for = clock::now().duration_since(fence.since).unwrap_or_default();
        if view.state == GateState::On && on_for >= gate.settings().alert_after && self.forgotten != Some(fence.since) {
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
