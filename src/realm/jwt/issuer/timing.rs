//! When the keys are fetched next. Pure: moments are passed in.

use std::time::Duration;

use tokio::time::Instant;

use super::settings::Intervals;

/// Longest pause after fetches that failed.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// When the keys are fetched next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timing {
    /// By itself.
    pub(super) due: Instant,
    /// At the earliest, whoever asks for it.
    pub(super) earliest: Instant,
    /// Fetches that failed since the last good one.
    pub(super) failures: u32,
}

impl Timing {
    /// At once.
    pub(super) const fn now(now: Instant) -> Self {
        Self { due: now, earliest: now, failures: 0 }
    }

    /// `fresh`: how long the issuer says that its answer is good.
    pub(super) fn after_success(intervals: &Intervals, began: Instant, now: Instant, fresh: Option<Duration>) -> Self {
        let pause = fresh.unwrap_or(intervals.min).min(intervals.max).max(intervals.min);
        Self { due: now + pause, earliest: began + intervals.asked, failures: 0 }
    }

    /// `expiry`: when the keys end that are in use.
    pub(super) fn after_failure(self, intervals: &Intervals, now: Instant, expiry: Option<Instant>) -> Self {
        let doubled = intervals.retry.saturating_mul(1 << self.failures.min(16));
        let next = now + doubled.min(PAUSE_MAX);
        // A fetch at the moment of their end, so that they end in time.
        let due = expiry.filter(|expiry| *expiry > now).map_or(next, |expiry| expiry.min(next));
        Self { due, earliest: due, failures: self.failures.saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVALS: Intervals = Intervals {
        min: Duration::from_secs(300),
        max: Duration::from_secs(3600),
        asked: Duration::from_secs(5),
        retry: Duration::from_secs(1),
        staleness_max: Duration::from_secs(86_400),
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_issuers_lifetime_counts_between_the_bounds() {
        let began = Instant::now();
        let now = began + seconds(1);
        for (fresh, pause) in [(None, 300), (Some(0), 300), (Some(600), 600), (Some(1_000_000), 3600)] {
            let timing = Timing::after_success(&INTERVALS, began, now, fresh.map(seconds));
            assert_eq!(timing.due, now + seconds(pause), "{fresh:?}");
            assert_eq!(timing.earliest, began + seconds(5));
        }
    }

    #[test]
    fn failures_make_longer_pauses_and_a_success_ends_them() {
        let now = Instant::now();
        let mut timing = Timing::now(now);
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            timing = timing.after_failure(&INTERVALS, now, None);
            assert_eq!((timing.due, timing.earliest), (now + seconds(pause), now + seconds(pause)));
        }
        for _ in 0..100 {
            timing = timing.after_failure(&INTERVALS, now, None);
        }
        assert_eq!(timing.due, now + seconds(60));
        assert_eq!(Timing::after_success(&INTERVALS, now, now, None).failures, 0);
    }

    #[test]
    fn a_pause_does_not_outlast_the_keys() {
        let now = Instant::now();
        let late = Timing { failures: 20, ..Timing::now(now) };
        assert_eq!(late.after_failure(&INTERVALS, now, Some(now + seconds(7))).due, now + seconds(7));
        assert_eq!(late.after_failure(&INTERVALS, now, Some(now)).due, now + seconds(60));
    }
}
