//! Durations as Elasticsearch writes them.

use std::time::Duration;

use crate::node::http::ApiError;

const UNITS: [(i64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];

/// As `TimeValue.toString` shows a duration in a message: the largest unit with at most one decimal, such as `30m` or `1.5h`.
pub(crate) fn written(duration_ms: i64) -> String {
    for (unit_ms, unit) in UNITS {
        if duration_ms >= unit_ms {
            let (whole, tenth) = (duration_ms / unit_ms, duration_ms % unit_ms * 10 / unit_ms);
            return if tenth == 0 { format!("{whole}{unit}") } else { format!("{whole}.{tenth}{unit}") };
        }
    }
    if duration_ms <= 0 { format!("{duration_ms}s") } else { format!("{duration_ms}ms") }
}

/// As a setting keeps it: exact, in the largest unit that divides it, such as `90m`.
pub(crate) fn exact(duration_ms: i64) -> String {
    let unit = UNITS.iter().find(|(unit_ms, _)| duration_ms != 0 && duration_ms % unit_ms == 0);
    unit.map_or_else(|| format!("{duration_ms}ms"), |(unit_ms, unit)| format!("{}{unit}", duration_ms / unit_ms))
}

/// Reads a duration into milliseconds; the longest one for `-1` and what exceeds 64 bits.
///
/// # Errors
/// 400 with Elasticsearch's text, which names `setting`.
pub(crate) fn parse_ms(text: &str, setting: &str) -> Result<i64, ApiError> {
    crate::node::http::duration(text, setting).map(to_ms)
}

pub(crate) fn to_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_round_and_settings_do_not() {
        for (duration_ms, message, setting) in
            [(1_800_000, "30m", "30m"), (5_400_000, "1.5h", "90m"), (150, "150ms", "150ms"), (30_000, "30s", "30s")]
        {
            assert_eq!((written(duration_ms).as_str(), exact(duration_ms).as_str()), (message, setting));
        }
    }
}
