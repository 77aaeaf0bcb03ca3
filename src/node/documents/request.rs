//! A search, parsed.

use serde_json::Value;

use super::QueryNode;
use crate::node::indices::IndexExpression;

#[derive(Clone, Debug)]
pub struct SearchRequest {
    pub indices: IndexExpression,
    pub query: QueryNode,
    pub from: usize,
    pub size: usize,
    /// Empty: by score, in the order of the store.
    pub sort: Vec<Sort>,
    pub search_after: Option<Vec<Value>>,
    pub source: SourceFilter,
    pub track_total: TrackTotal,
}

impl SearchRequest {
    /// The first ten of `query`, as Elasticsearch does by default.
    pub fn new(indices: IndexExpression, query: QueryNode) -> Self {
        Self {
            indices,
            query,
            from: 0,
            size: 10,
            sort: Vec::new(),
            search_after: None,
            source: SourceFilter::default(),
            track_total: TrackTotal::UpTo(10_000),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// A field, `_score`, `_doc`, `_id` or `_seq_no`.
    pub field: String,
    pub direction: Direction,
    pub missing: Missing,
    /// A field that an index does not have counts as missing there (`unmapped_type`).
    pub unmapped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    First,
    Last,
}

/// Which parts of `_source` are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFilter {
    pub enabled: bool,
    pub includes: Vec<String>,
    pub excludes: Vec<String>,
}

impl Default for SourceFilter {
    fn default() -> Self {
        Self { enabled: true, includes: Vec::new(), excludes: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackTotal {
    Exactly,
    UpTo(u64),
    No,
}
