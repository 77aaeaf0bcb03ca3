//! What the values of one field must be.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use crate::node::documents::{Bound, SearchError};
use crate::node::indices::field::{DateFormats, number, plain};
use crate::node::indices::wildcard;

/// What one value must be.
#[derive(Debug)]
pub(in crate::node::documents) enum Test {
    /// One of these texts; `fold`: without regard to case.
    Texts {
        texts: BTreeSet<String>,
        fold: bool,
        longest: usize,
    },
    /// Holds any or all of these words.
    Words {
        words: BTreeSet<String>,
        all: bool,
        fold: bool,
    },
    Prefix {
        prefix: String,
        fold: bool,
        words: bool,
    },
    Pattern {
        pattern: String,
        fold: bool,
        words: bool,
    },
    Numbers(Vec<Value>),
    NumberRange {
        lower: Option<Bound>,
        upper: Option<Bound>,
    },
    TextRange {
        lower: Option<Bound>,
        upper: Option<Bound>,
    },
    Boolean(BTreeSet<bool>),
    /// Milliseconds, both ends included; any of the ranges.
    Times {
        ranges: Vec<(i64, i64)>,
        formats: DateFormats,
    },
    Addresses(Vec<ipnet::IpNet>),
}

impl Test {
    pub(super) fn any(&self, found: &[&Value]) -> bool {
        match self {
            Self::Texts { texts, fold, longest } => found.iter().any(|value| {
                let text = plain(value);
                text.chars().count() <= *longest && texts.contains(&folded(&text, *fold))
            }),
            Self::Words { words: wanted, all, fold } => {
                let held: BTreeSet<String> =
                    found.iter().flat_map(|value| words(&plain(value)).collect::<Vec<_>>()).collect();
                let holds = |word: &String| held.contains(&folded(word, *fold));
                if *all { wanted.iter().all(holds) } else { wanted.iter().any(holds) }
            }
            Self::Prefix { prefix, fold, words } => {
                texts(found, *words).any(|text| folded(&text, *fold).starts_with(prefix.as_str()))
            }
            Self::Pattern { pattern, fold, words } => {
                texts(found, *words).any(|text| wildcard::glob(pattern, &folded(&text, *fold), true))
            }
            Self::Numbers(wanted) => {
                found.iter().any(|value| wanted.iter().any(|wanted| compare(value, wanted) == Some(Ordering::Equal)))
            }
            Self::NumberRange { lower, upper } => {
                found.iter().any(|value| inside(lower.as_ref(), upper.as_ref(), |bound| compare(value, bound)))
            }
            Self::TextRange { lower, upper } => found.iter().any(|value| {
                let text = plain(value);
                inside(lower.as_ref(), upper.as_ref(), |bound| Some(text.cmp(&plain(bound))))
            }),
            Self::Boolean(wanted) => {
                found.iter().any(|value| boolean(value).is_ok_and(|value| wanted.contains(&value)))
            }
            Self::Times { ranges, formats } => found.iter().any(|value| {
                let time = formats.milliseconds(value);
                time.is_some_and(|time| ranges.iter().any(|(from, to)| (*from..=*to).contains(&time)))
            }),
            Self::Addresses(nets) => found.iter().any(|value| {
                let address = plain(value).parse::<IpAddr>();
                address.is_ok_and(|address| nets.iter().any(|net| net.contains(&address)))
            }),
        }
    }
}

fn inside(lower: Option<&Bound>, upper: Option<&Bound>, order: impl Fn(&Value) -> Option<Ordering>) -> bool {
    let above = lower.is_none_or(|bound| match order(&bound.value) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => bound.inclusive,
        _ => false,
    });
    above
        && upper.is_none_or(|bound| match order(&bound.value) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => bound.inclusive,
            _ => false,
        })
}

/// Whole numbers are compared exactly, others as floating-point numbers.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let exact = |value: &Value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match (exact(left), exact(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

fn texts(found: &[&Value], split: bool) -> impl Iterator<Item = String> {
    let texts = found.iter().map(|value| plain(value));
    texts.flat_map(move |text| if split { words(&text).collect() } else { vec![text] })
}

/// The words of a text, in lower case; a plain stand-in for Elasticsearch's standard analyzer.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

pub(super) fn folded(text: &str, fold: bool) -> String {
    if fold { text.to_lowercase() } else { text.to_owned() }
}

pub(super) fn boolean(value: &Value) -> Result<bool, SearchError> {
    match plain(value).as_str() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(SearchError::argument(format!("Can't parse boolean value [{other}], expected [true] or [false]"))),
    }
}
