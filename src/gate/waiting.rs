//! Callers that wait for one switch: who began it, and who joined.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::switch::{SwitchRefusal, SwitchReply};

/// What came of a switch, for everybody who waits for it.
pub(super) type Outcome = Result<SwitchReply, Arc<SwitchRefusal>>;

/// A switch that is carried out, while it is.
pub(super) struct Running {
    pub(super) enabled: bool,
    /// Of the caller with the most time.
    deadline: Mutex<Instant>,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Running {
    pub(super) fn new(enabled: bool, deadline: Instant) -> Arc<Self> {
        let (outcome, _) = watch::channel(None);
        Arc::new(Self { enabled, deadline: Mutex::new(deadline), outcome })
    }

    /// The latest moment at which somebody still waits, as far as is known now: others may join.
    pub(super) fn deadline(&self) -> Instant {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more waits, until `deadline`.
    pub(super) fn join(&self, deadline: Instant) {
        let mut latest = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(deadline);
    }

    /// Tells everybody; only the first time counts.
    pub(super) fn end(&self, outcome: Outcome) {
        self.outcome.send_if_modified(|told| {
            let first = told.is_none();
            told.get_or_insert(outcome);
            first
        });
    }

    /// Waits for the end until `deadline`.
    pub(super) async fn ended(&self, deadline: Instant) -> Option<Outcome> {
        let mut outcome = self.outcome.subscribe();
        let told = timeout_at(deadline, outcome.wait_for(Option::is_some)).await;
        told.ok().and_then(Result::ok).and_then(|told| told.clone())
    }
}
