//! What is known of a cluster's upgrade mode, as an immutable value.

use std::time::SystemTime;

use crate::policy::upgrade_mode::{GateState, Machine};

/// What one gateway knows at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub machine: Machine,
    /// Since when the fence is up; `None` while it is down.
    pub fence: Option<FenceFacts>,
}

/// Since when the fence is up, by whom and why: told to callers who are entitled to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceFacts {
    pub since: SystemTime,
    /// The user who switched the mode on through this gateway; `None` when it was seen on the cluster.
    pub by: Option<String>,
    pub reason: Option<String>,
}

impl FenceFacts {
    /// The mode was found on at `since`; who did it is not known.
    pub const fn seen(since: SystemTime) -> Self {
        Self { since, by: None, reason: None }
    }
}

impl View {
    /// Nothing is known.
    pub(super) const fn unknown() -> Self {
        Self { machine: Machine::unknown(), fence: None }
    }

    /// The last known state, whatever its age.
    pub const fn state(&self) -> GateState {
        self.machine.state()
    }

    /// The view after a move of the machine. A fence that is up already keeps its facts, so that who raised it stays
    /// known while it is lowered; a new one takes `facts`.
    pub(super) fn moved(&self, machine: Machine, facts: FenceFacts) -> Self {
        let fence = machine.state().is_fenced().then(|| self.fence.clone().unwrap_or(facts));
        Self { machine, fence }
    }
}
