//! The query language that the node knows.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::node::indices::field::DateFormats;

/// A query, parsed. What the node does not know is refused by the parser, never ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryNode {
    MatchAll,
    MatchNone,
    Term {
        field: String,
        value: Value,
        case_insensitive: bool,
    },
    Terms {
        field: String,
        values: Vec<Value>,
    },
    Range {
        field: String,
        lower: Option<Bound>,
        upper: Option<Bound>,
        /// How dates of the bounds are read, instead of the field's own formats.
        format: Option<DateFormats>,
    },
    Exists {
        field: String,
    },
    Prefix {
        field: String,
        value: String,
        case_insensitive: bool,
    },
    Wildcard {
        field: String,
        pattern: String,
        case_insensitive: bool,
    },
    Ids(BTreeSet<String>),
    /// Any (`operator: or`) or all words of `text`.
    Match {
        field: String,
        text: Value,
        all: bool,
    },
    Bool {
        must: Vec<QueryNode>,
        filter: Vec<QueryNode>,
        should: Vec<QueryNode>,
        must_not: Vec<QueryNode>,
        minimum_should_match: usize,
    },
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    pub value: Value,
    pub inclusive: bool,
}
