//! The node's wall clock, and one that tests set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time of documents, jobs and datafeeds.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Set(Arc<AtomicI64>),
}

impl Clock {
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`SetClock::set`] is called.
    pub fn settable(now_ms: i64) -> (Self, SetClock) {
        let shared = Arc::new(AtomicI64::new(now_ms));
        (Self(Source::Set(Arc::clone(&shared))), SetClock(shared))
    }

    /// Milliseconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "the one place where the node reads the wall clock")]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Source::Set(now) => now.load(Ordering::Relaxed),
        }
    }
}

/// Moves the clock it was made with.
#[derive(Clone, Debug)]
pub struct SetClock(Arc<AtomicI64>);

impl SetClock {
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settable_clock_stands_still_until_it_is_set() {
        let (clock, hand) = Clock::settable(5);
        assert_eq!(clock.now_ms(), 5);
        hand.set(9);
        assert_eq!(clock.now_ms(), 9);
    }
}
