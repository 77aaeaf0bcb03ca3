//! What is known of a cluster's upgrade mode, as an immutable value.

use std::time::{Instant, SystemTime};

use crate::policy::upgrade_mode::GateState;

/// What one gateway knows at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub state: GateState,
    /// When the cluster last said so; for states that it has not confirmed, when they began.
    pub confirmed: Instant,
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

impl View {
    /// Nothing is known.
    pub(super) const fn unknown(now: Instant) -> Self {
        Self { state: GateState::Unknown, confirmed: now, fence: None }
    }
}
