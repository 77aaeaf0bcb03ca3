//! What is asked of the store in one commit, and what came of it.

use bytes::Bytes;
use serde_json::Value;

use super::OperationError;
use crate::node::json;

/// Changes that are on disk together or not at all, except that a document or index operation that is refused
/// (version conflict, mapping conflict, missing index) leaves the others in force; each has its own outcome.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) operations: Vec<Operation>,
    pub(super) state: Vec<(String, Option<Bytes>)>,
    pub(super) expected: Vec<(String, Option<Bytes>)>,
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.state.is_empty() && self.expected.is_empty()
    }

    /// Roughly how much memory it holds.
    pub(super) fn bytes(&self) -> usize {
        let operations = self.operations.iter().map(|operation| match operation {
            Operation::Write(write) => write.source.bytes.len(),
            _ => 0,
        });
        let state = self.state.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Bytes::len));
        operations.sum::<usize>() + state.sum::<usize>()
    }

    /// Adds an operation; its outcome has the same place in [`Committed::outcomes`].
    pub fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Creates or overwrites a document; the index is created when it is missing.
    pub fn index(&mut self, index: impl Into<String>, id: impl Into<String>, source: Source) {
        self.push(Operation::Write(DocumentWrite::new(index, Some(id.into()), source)));
    }

    /// Deletes a document if it is there.
    pub fn delete(&mut self, index: impl Into<String>, id: impl Into<String>) {
        self.push(Operation::Delete { index: index.into(), id: id.into(), expected: Expected::Any });
    }

    pub fn put_state(&mut self, key: impl Into<String>, value: impl Into<Bytes>) {
        self.state.push((key.into(), Some(value.into())));
    }

    pub fn delete_state(&mut self, key: impl Into<String>) {
        self.state.push((key.into(), None));
    }

    /// The whole batch is refused with `StoreError::Expectation` unless `key` has this value (`None`: is absent).
    pub fn expect_state(&mut self, key: impl Into<String>, value: Option<Bytes>) {
        self.expected.push((key.into(), value));
    }
}

/// One change of a document or an index.
#[derive(Debug)]
pub enum Operation {
    Write(DocumentWrite),
    Delete {
        index: String,
        id: String,
        expected: Expected,
    },
    /// `body` as `PUT /{index}` takes it: `settings`, `mappings`, `aliases`.
    CreateIndex {
        index: String,
        body: Value,
    },
    DeleteIndex {
        index: String,
    },
    /// Adds fields to the mapping; `mappings` as `PUT /{index}/_mapping` takes it.
    PutMapping {
        index: String,
        mappings: Value,
    },
    /// Keeps `field` (a date or a whole number of milliseconds) in time order from now on.
    Order {
        index: String,
        field: String,
    },
}

/// A document to be written.
#[derive(Debug)]
pub struct DocumentWrite {
    pub index: String,
    /// `None`: the store makes one.
    pub id: Option<String>,
    pub source: Source,
    pub kind: WriteKind,
    pub expected: Expected,
    /// A missing index is refused instead of created.
    pub require_index: bool,
}

impl DocumentWrite {
    pub fn new(index: impl Into<String>, id: Option<String>, source: Source) -> Self {
        Self { index: index.into(), id, source, kind: WriteKind::Index, expected: Expected::Any, require_index: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// Overwrites what is there.
    Index,
    /// Refused when the document exists.
    Create,
}

/// Optimistic concurrency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Any,
    /// `if_seq_no` and `if_primary_term`.
    SequenceNumber {
        seq_no: u64,
        primary_term: u64,
    },
}

/// A document's JSON object, the bytes as they came and the parsed value.
#[derive(Clone, Debug)]
pub struct Source {
    bytes: Bytes,
    value: Value,
}

impl Source {
    /// # Errors
    /// What is not one JSON object.
    pub fn parse(bytes: Bytes) -> Result<Self, OperationError> {
        match json::parse(&bytes) {
            Ok(value @ Value::Object(_)) => Ok(Self { bytes, value }),
            Ok(_) => Err(OperationError::NotAnObject),
            Err(problem) => Err(OperationError::NotJson { problem: problem.to_string() }),
        }
    }

    /// # Errors
    /// What is not an object.
    pub fn from_value(value: Value) -> Result<Self, OperationError> {
        if !value.is_object() {
            return Err(OperationError::NotAnObject);
        }
        Ok(Self { bytes: Bytes::from(value.to_string()), value })
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn value(&self) -> &Value {
        &self.value
    }
}

/// What came of a batch that is on disk.
#[derive(Debug)]
pub struct Committed {
    /// One for each operation, in order.
    pub outcomes: Vec<Result<Outcome, OperationError>>,
}

impl Committed {
    /// The first refusal, for callers to whom any refusal is a failure.
    ///
    /// # Errors
    /// The first operation that was refused.
    pub fn all(self) -> Result<Vec<Outcome>, OperationError> {
        self.outcomes.into_iter().collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Created(Written),
    Updated(Written),
    Deleted(Written),
    /// A delete of what was not there.
    NotFound(Written),
    /// An operation on an index.
    Done,
}

/// Where a document stands after a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub index: String,
    pub id: String,
    pub version: u64,
    pub seq_no: u64,
    pub primary_term: u64,
}
