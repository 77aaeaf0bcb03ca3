//! What was found.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A stored document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub index: Arc<str>,
    pub id: String,
    pub version: u64,
    pub seq_no: u64,
    pub primary_term: u64,
    pub source: Value,
}

/// One page of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Hits {
    /// `None` with `track_total_hits: false`.
    pub total: Option<Total>,
    pub max_score: Option<f64>,
    pub hits: Vec<Hit>,
    /// How many indices were searched; each counts as one shard.
    pub shards: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    pub value: u64,
    pub relation: Relation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `eq`
    Exact,
    /// `gte`
    AtLeast,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub document: Document,
    /// `None` where the search sorts by fields.
    pub score: Option<f64>,
    /// The sort values, for `search_after`.
    pub sort: Vec<Value>,
}

/// Where a read in time order stands: the last document that it gave. Survives a restart as JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    /// Milliseconds since 1970.
    pub time_ms: i64,
    pub index: String,
    pub id: String,
}

/// A part of a read in time order.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// By time, then index, then id.
    pub documents: Vec<TimedDocument>,
    /// Where to go on; `None` when nothing is left in the range.
    pub next: Option<Cursor>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TimedDocument {
    pub time_ms: i64,
    pub index: Arc<str>,
    pub id: String,
    pub source: Value,
    /// Of the source as it is stored.
    pub source_bytes: usize,
}
