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
    /// With the one who begins it.
    pub(super) fn begin(enabled: bool, deadline: Instant) -> Waiter {
        let (sender, outcome) = watch::channel(None);
        let running = Arc::new(Self { enabled, deadline: Mutex::new(deadline), outcome: sender });
        Waiter { running, outcome }
    }

    /// The latest moment at which somebody still waits, as far as is known now: others may join.
    pub(super) fn deadline(&self) -> Instant {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more waits, until `deadline`.
    pub(super) fn join(self: &Arc<Self>, deadline: Instant) -> Waiter {
        let mut latest = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(deadline);
        drop(latest);
        Waiter { running: Arc::clone(self), outcome: self.outcome.subscribe() }
    }

    /// Whether somebody is there to be told.
    pub(super) fn is_waited_for(&self) -> bool {
        self.outcome.receiver_count() > 0
    }

    /// Tells everybody; only the first time counts. Whether this was it.
    pub(super) fn end(&self, outcome: Outcome) -> bool {
        self.outcome.send_if_modified(|told| {
            let first = told.is_none();
            told.get_or_insert(outcome);
            first
        })
    }
}

/// One caller who waits for a switch; dropped when the caller goes.
pub(super) struct Waiter {
    pub(super) running: Arc<Running>,
    outcome: watch::Receiver<Option<Outcome>>,
}

impl Waiter {
    /// Waits for the end until `deadline`.
    pub(super) async fn ended(&mut self, deadline: Instant) -> Option<Outcome> {
        let told = timeout_at(deadline, self.outcome.wait_for(Option::is_some)).await;
        told.ok().and_then(Result::ok).and_then(|told| told.clone())
    }
}
