//! The wall clock, in one place.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now. Tests of what depends on it pass the time as an argument instead.
#[expect(clippy::disallowed_methods, reason = "the one place that tells the wall clock")]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// Since 1970.
pub fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-11-23T18:29:36.123Z`, as ECS writes `@timestamp`.
pub fn rfc3339(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| "unknown".to_owned(), |time| format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_stamps_have_milliseconds_and_zulu() {
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(1_700_000_000_120)), "2023-11-14T22:13:20.120Z");
        assert_eq!(rfc3339(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
    }
}
