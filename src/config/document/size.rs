//! Sizes, written as in Elasticsearch: `64kb`, `100mb`, `1gb`, in powers of 1024.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest suffix first where one ends with another.
const UNITS: [(&str, u64); 11] = [
    ("pb", 1 << 50),
    ("p", 1 << 50),
    ("tb", 1 << 40),
    ("t", 1 << 40),
    ("gb", 1 << 30),
    ("g", 1 << 30),
    ("mb", 1 << 20),
    ("m", 1 << 20),
    ("kb", 1 << 10),
    ("k", 1 << 10),
    ("b", 1),
];

/// A size in bytes in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Size(pub(in crate::config) u64);

/// Why a text is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::config) enum SizeFault {
    #[error("a size with a unit, such as [64kb] or [100mb] (b, kb, mb, gb, tb, pb)")]
    Unit,
    #[error("a whole number before the unit, such as [1536kb] instead of [1.5mb]")]
    Fraction,
    #[error("a smaller size")]
    TooLarge,
    #[error("a size; [-1] is not possible here")]
    Endless,
}

impl Size {
    /// Takes a whole number and a unit, or `0`.
    ///
    /// # Errors
    /// [`SizeFault`], whose text says what is expected instead.
    ///
    /// Source: Elasticsearch, `ByteSizeValue.java`, `parseBytesSizeValue`.
    pub(in crate::config) fn parse(text: &str) -> Result<Self, SizeFault> {
        let lower = text.trim().to_ascii_lowercase();
        if lower == "0" {
            return Ok(Self(0));
        }
        if lower == "-1" {
            return Err(SizeFault::Endless);
        }
        let (number, bytes) = UNITS
            .iter()
            .find_map(|(unit, bytes)| Some((lower.strip_suffix(unit)?.trim_end(), *bytes)))
            .ok_or(SizeFault::Unit)?;
        if number.contains('.') {
            return Err(SizeFault::Fraction);
        }
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SizeFault::Unit);
        }
        let whole: u64 = number.parse().map_err(|_| SizeFault::TooLarge)?;
        whole.checked_mul(bytes).map(Self).ok_or(SizeFault::TooLarge)
    }
}

impl fmt::Display for Size {
    /// The largest unit that needs no fraction.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(unit, bytes): &&(&str, u64)| unit.ends_with('b') && self.0.is_multiple_of(*bytes);
        let (unit, bytes) = UNITS.iter().find(fits).unwrap_or(&("b", 1));
        if self.0 == 0 { formatter.write_str("0") } else { write!(formatter, "{}{unit}", self.0 / bytes) }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|fault| de::Error::custom(format!("expected {fault}")))
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "integer"], "format": "size", "pattern": r"^(0|\d+\s*([kmgtp]?b|[kmgtp])|.*\$\{.+)$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_elasticsearchs_units() {
        for (text, expected) in [
            ("1b", 1),
            ("64kb", 65_536),
            ("2k", 2048),
            ("100MB", 104_857_600),
            ("1g", 1 << 30),
            (" 3 tb ", 3 << 40),
            ("0", 0),
        ] {
            assert_eq!(Size::parse(text), Ok(Size(expected)), "{text}");
        }
    }

    #[test]
    fn refuses_what_elasticsearch_refuses_and_what_has_no_end() {
        for (text, expected) in [
            ("10", SizeFault::Unit),
            ("mb", SizeFault::Unit),
            ("-5mb", SizeFault::Unit),
            ("5xb", SizeFault::Unit),
            ("1.5mb", SizeFault::Fraction),
            ("-1", SizeFault::Endless),
            ("99999999pb", SizeFault::TooLarge),
            ("99999999999999999999b", SizeFault::TooLarge),
        ] {
            assert_eq!(Size::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn is_written_as_it_is_read() {
        for text in ["0", "64kb", "100mb", "1gb", "1b", "1025b"] {
            assert_eq!(Size::parse(text).unwrap().to_string(), text);
        }
    }
}
