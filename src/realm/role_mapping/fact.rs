//! What is known of a caller, in the types that rules compare.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Number;

/// A fact of a caller. A text is no number and no boolean, however it is written: a rule with `true` does not take the
/// text `true`.
///
/// Source: Elasticsearch, `ExpressionModel.java`.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    Text(String),
    Number(Number),
    Bool(bool),
}

/// Facts under their names.
pub type Facts = BTreeMap<String, Vec<Fact>>;

impl Fact {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Bool(_) => None,
        }
    }

    /// Whole numbers are compared exactly, others by their value: `7.0` is 7.
    pub(super) fn is_number(&self, wanted: i64) -> bool {
        match self {
            // Not by a cast: it would round the larger ones.
            Self::Number(number) if number.is_f64() => {
                number.as_f64().is_some_and(|number| number.to_string() == wanted.to_string())
            }
            Self::Number(number) => number.as_i64() == Some(wanted),
            Self::Text(_) | Self::Bool(_) => false,
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Number(number) => number.fmt(formatter),
            Self::Bool(value) => value.fmt(formatter),
        }
    }
}

/// As they are shown.
pub(in crate::realm) fn texts(facts: &Facts) -> BTreeMap<String, Vec<String>> {
    facts.iter().map(|(name, facts)| (name.clone(), facts.iter().map(Fact::to_string).collect())).collect()
}
