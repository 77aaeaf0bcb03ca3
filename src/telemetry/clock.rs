//! The wall clock, in one place.

use std::time::SystemTime;

/// Now. Tests of what depends on it pass the time as an argument instead.
#[expect(clippy::disallowed_methods, reason = "the one place that tells the wall clock")]
pub fn now() -> SystemTime {
    SystemTime::now()
}
