//! The query string, decoded as Elasticsearch's `RestUtils.decodeQueryString` does.
//!
//! Separators are `&` and `;`; `+` is a space; the string ends at the first `#`; a name without `=` has an empty value; the
//! last of several values wins.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::ApiError;

/// Decoded parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    parameters: BTreeMap<String, String>,
}

/// A query string that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryProblem {
    #[error("unterminated escape sequence at end of string: {0}")]
    Unterminated(String),
    #[error("invalid hex byte '{escape}' at index {index} of '{text}'")]
    NotHexadecimal { escape: String, index: usize, text: String },
}

impl Query {
    /// Decodes what follows the first `?` of a target.
    ///
    /// # Errors
    /// A malformed escape: Elasticsearch answers 400 `bad_parameter_exception`.
    pub fn parse(raw: &str) -> Result<Self, QueryProblem> {
        let raw = raw.split('#').next().unwrap_or_default();
        let mut parameters = BTreeMap::new();
        for pair in raw.split(['&', ';']).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.insert(decode(name, true)?, decode(value, true)?);
        }
        Ok(Self { parameters })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// `None` where it is not given. An empty value is true.
    ///
    /// # Errors
    /// Anything but `true`, `false` and the empty value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some("" | "true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::illegal_argument(format!(
                "Failed to parse value [{other}] as only [true] or [false] are allowed."
            ))),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// What is none, or does not fit into 64 bits.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            ApiError::illegal_argument(format!("Failed to parse int parameter [{name}] with value [{text}]"))
        })
    }

    /// A duration with its unit (`30s`, `1m`, `500ms`); `0` and `-1` need none. `-1` is the longest duration there is.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, ApiError> {
        self.text(name).map(|text| duration(text, name)).transpose()
    }
}

/// Reads a duration as Elasticsearch's `TimeValue` does; `setting` is only for the text of the error.
///
/// # Errors
/// 400 `illegal_argument_exception`.
pub fn duration(text: &str, setting: &str) -> Result<Duration, ApiError> {
    let trimmed = text.trim();
    if trimmed == "-1" {
        return Ok(Duration::MAX);
    }
    if trimmed == "0" {
        return Ok(Duration::ZERO);
    }
    let refuse = |why: &str| {
        ApiError::illegal_argument(format!(
            "failed to parse setting [{setting}] with value [{text}] as a time value{why}"
        ))
    };
    let lower = trimmed.to_ascii_lowercase();
    let units: [(&str, u64); 7] = [
        ("nanos", 1),
        ("micros", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    for (unit, nanos) in units {
        let Some(number) = lower.strip_suffix(unit) else { continue };
        let number: u64 = number.trim().parse().map_err(|_| refuse(""))?;
        return number.checked_mul(nanos).map(Duration::from_nanos).ok_or_else(|| refuse(": it is too large"));
    }
    Err(refuse(": unit is missing or unrecognized"))
}

/// Decodes percent escapes; `%%` is `%`, invalid UTF-8 becomes U+FFFD, `+` is a space only in queries.
pub fn decode(text: &str, plus_is_space: bool) -> Result<String, QueryProblem> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' if plus_is_space => decoded.push(b' '),
            b'%' => match rest {
                [b'%', tail @ ..] => {
                    decoded.push(b'%');
                    rest = tail;
                }
                [high, low, tail @ ..] => {
                    let index = text.len() - rest.len();
                    decoded.push(hexadecimal(*high, *low).ok_or_else(|| QueryProblem::NotHexadecimal {
                        escape: String::from_utf8_lossy(&[*high, *low]).into_owned(),
                        index,
                        text: text.to_owned(),
                    })?);
                    rest = tail;
                }
                _ => return Err(QueryProblem::Unterminated(text.to_owned())),
            },
            other => decoded.push(*other),
        }
    }
    Ok(String::from_utf8(decoded).unwrap_or_else(|problem| String::from_utf8_lossy(problem.as_bytes()).into_owned()))
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(raw: &str) -> Query {
        Query::parse(raw).expect("a query")
    }

    #[test]
    fn separates_by_ampersand_and_semicolon_and_ends_at_hash() {
        let query = query("a=1;b=x+y&c&d=%41#e=2");
        assert_eq!(query.text("a"), Some("1"));
        assert_eq!(query.text("b"), Some("x y"));
        assert_eq!(query.text("c"), Some(""));
        assert_eq!(query.text("d"), Some("A"));
        assert_eq!(query.text("e"), None);
    }

    #[test]
    fn last_of_several_values_wins() {
        assert_eq!(query("a=1&a=2").text("a"), Some("2"));
    }

    #[test]
    fn refuses_malformed_escapes() {
        assert!(matches!(Query::parse("a=%4"), Err(QueryProblem::Unterminated(_))));
        assert!(matches!(Query::parse("a=%zz"), Err(QueryProblem::NotHexadecimal { .. })));
    }

    #[test]
    fn empty_flag_is_true_and_others_are_literal() {
        assert_eq!(query("a&b=false").flag("a").expect("a flag"), Some(true));
        assert_eq!(query("a&b=false").flag("b").expect("a flag"), Some(false));
        assert_eq!(query("a=TRUE").flag("a").expect_err("no flag").status(), 400);
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("10m", "timeout").expect("a duration"), Duration::from_secs(600));
        assert_eq!(duration("0", "timeout").expect("a duration"), Duration::ZERO);
        assert_eq!(duration("-1", "timeout").expect("a duration"), Duration::MAX);
        let reason = duration("5", "timeout").expect_err("no unit").reason().to_owned();
        assert_eq!(
            reason,
            "failed to parse setting [timeout] with value [5] as a time value: unit is missing or unrecognized"
        );
    }

    proptest! {
        #[test]
        fn parse_never_panics(raw in ".*") {
            let _ = Query::parse(&raw);
        }

        #[test]
        fn decodes_what_was_encoded(text in ".*") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&encoded, true), Ok(text));
        }
    }
}
