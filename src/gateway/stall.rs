//! Time without progress, measured lazily: a body that flows never touches a timer.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Runs out when nothing has happened for `limit`.
pub(super) struct Stall {
    limit: Duration,
    since: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    pub(super) const fn new(limit: Duration, now: Instant) -> Self {
        Self { limit, since: now, timer: None }
    }

    /// With the timer of an earlier one, that ran for as long: it may ring too early, never too late.
    pub(super) const fn with_timer(limit: Duration, now: Instant, timer: Option<Pin<Box<Sleep>>>) -> Self {
        Self { limit, since: now, timer }
    }

    pub(super) fn into_timer(self) -> Option<Pin<Box<Sleep>>> {
        self.timer
    }

    /// Something has happened.
    pub(super) fn progress(&mut self) {
        self.since = Instant::now();
    }

    /// Something has happened then, perhaps.
    pub(super) fn progress_at(&mut self, moment: Instant) {
        self.since = self.since.max(moment);
    }

    /// Called when there is nothing to do but wait; true when that has been so for too long.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.since + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        while timer.as_mut().poll(cx).is_ready() {
            let deadline = self.since + self.limit;
            if deadline <= Instant::now() {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
        false
    }
}
