//! Durations, written as in Elasticsearch: `500ms`, `30s`, `10m`, `1h`, `7d`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Ten years: far above every sensible setting, far below what overflows a clock.
const MAX: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// Longest suffix first where one ends with another.
const UNITS: [(&str, u64); 7] = [
    ("nanos", 1),
    ("micros", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 60 * 60 * 1_000_000_000),
    ("d", 24 * 60 * 60 * 1_000_000_000),
];

/// A duration in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Period(pub(in crate::config) Duration);

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::config) enum PeriodFault {
    #[error("a duration with a unit, such as [30s], [10m] or [500ms] (nanos, micros, ms, s, m, h, d)")]
    Unit,
    #[error("a whole number before the unit, such as [90m] instead of [1.5h]")]
    Fraction,
    #[error("a duration of at most [3650d]")]
    TooLong,
    #[error("a duration that ends; [-1] is not possible here")]
    Endless,
}

impl Period {
    pub(in crate::config) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Takes a whole number and a unit, or `0`.
    ///
    /// # Errors
    /// [`PeriodFault`], whose text says what is expected instead.
    ///
    /// Source: Elasticsearch, `TimeValue.java`, `parseTimeValue`.
    pub(in crate::config) fn parse(text: &str) -> Result<Self, PeriodFault> {
        let text = text.trim();
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        if text == "-1" {
            return Err(PeriodFault::Endless);
        }
        // `M` is no unit in Elasticsearch: it could be meant as months.
        let lower = if text.ends_with('M') { Cow::Borrowed(text) } else { Cow::Owned(text.to_ascii_lowercase()) };
        let (number, nanoseconds) = UNITS
            .iter()
            .find_map(|(unit, nanoseconds)| Some((lower.strip_suffix(unit)?.trim_end(), *nanoseconds)))
            .ok_or(PeriodFault::Unit)?;
        if number.contains('.') {
            return Err(PeriodFault::Fraction);
        }
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PeriodFault::Unit);
        }
        let whole: u64 = number.parse().map_err(|_| PeriodFault::TooLong)?;
        let period = Duration::from_nanos(whole.checked_mul(nanoseconds).ok_or(PeriodFault::TooLong)?);
        if period > MAX { Err(PeriodFault::TooLong) } else { Ok(Self(period)) }
    }
}

impl fmt::Display for Period {
    /// The largest unit that needs no fraction.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.as_nanos();
        let (unit, size) =
            UNITS.iter().rev().find(|(_, size)| nanoseconds.is_multiple_of(u128::from(*size))).unwrap_or(&("nanos", 1));
        if nanoseconds == 0 {
            formatter.write_str("0")
        } else {
            write!(formatter, "{}{unit}", nanoseconds / u128::from(*size))
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|fault| de::Error::custom(format!("expected {fault}")))
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "integer"], "format": "period", "pattern": r"^(0|\d+\s*(nanos|micros|ms|s|m|h|d)|.*\$\{.+)$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_elasticsearchs_units() {
        for (text, expected) in [
            ("1nanos", Duration::from_nanos(1)),
            ("2micros", Duration::from_micros(2)),
            ("3ms", Duration::from_millis(3)),
            ("4s", Duration::from_secs(4)),
            ("5m", Duration::from_mins(5)),
            ("6H", Duration::from_hours(6)),
            ("7d", Duration::from_hours(7 * 24)),
            (" 8 s ", Duration::from_secs(8)),
            ("0", Duration::ZERO),
        ] {
            assert_eq!(Period::parse(text), Ok(Period(expected)), "{text}");
        }
    }

    #[test]
    fn refuses_what_elasticsearch_refuses_and_what_has_no_end() {
        for (text, expected) in [
            ("10", PeriodFault::Unit),
            ("s", PeriodFault::Unit),
            ("", PeriodFault::Unit),
            ("5M", PeriodFault::Unit),
            ("+5s", PeriodFault::Unit),
            ("-5s", PeriodFault::Unit),
            ("1.5h", PeriodFault::Fraction),
            ("-1", PeriodFault::Endless),
            ("3651d", PeriodFault::TooLong),
            ("99999999999999999999s", PeriodFault::TooLong),
        ] {
            assert_eq!(Period::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn is_written_as_it_is_read() {
        for text in ["0", "90s", "4h", "10m", "500ms", "1d", "3nanos"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
    }
}
