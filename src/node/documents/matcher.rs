//! A query made ready for one index, and tried on its documents.

mod compiler;
#[cfg(test)]
mod tests;
mod value_test;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{QueryNode, SearchError};
use crate::node::indices::{IndexMetadata, values};
use compiler::Compiler;
use value_test::Test;

/// A query whose values are read by the types of an index.
#[derive(Debug)]
pub(super) enum Matcher {
    All,
    None,
    Ids(BTreeSet<String>),
    /// A test of the values of one field.
    Values {
        path: String,
        test: Test,
    },
    /// Any value at the path or below it.
    Exists {
        path: String,
    },
    Bool {
        must: Vec<Matcher>,
        filter: Vec<Matcher>,
        should: Vec<Matcher>,
        must_not: Vec<Matcher>,
        minimum: usize,
    },
}

impl Matcher {
    /// # Errors
    /// Values that the field's type cannot hold.
    pub(super) fn compile(query: &QueryNode, index: &IndexMetadata, now_ms: i64) -> Result<Self, SearchError> {
        Compiler { index, now_ms }.compile(query)
    }

    pub(super) fn matches(&self, id: &str, source: &Value) -> bool {
        self.score(id, source).is_some()
    }

    /// How many scoring clauses match; `None` where the document is not found. This is no BM25: each clause counts one.
    pub(super) fn score(&self, id: &str, source: &Value) -> Option<f64> {
        let found = match self {
            Self::All => true,
            Self::None => false,
            Self::Ids(ids) => ids.contains(id),
            Self::Values { path, test } => test.any(&values::at(source, path)),
            Self::Exists { path } => exists(source, path),
            Self::Bool { must, filter, should, must_not, minimum } => {
                let excluded = must_not.iter().any(|clause| clause.matches(id, source));
                if excluded || !filter.iter().all(|clause| clause.matches(id, source)) {
                    return None;
                }
                let mut score = 0.0;
                for clause in must {
                    score += clause.score(id, source)?;
                }
                let optional: Vec<f64> = should.iter().filter_map(|clause| clause.score(id, source)).collect();
                return (optional.len() >= *minimum).then(|| score + optional.iter().sum::<f64>());
            }
        };
        found.then_some(1.0)
    }

    /// Whether all documents that are found have the same score.
    pub(super) fn scores_alike(&self) -> bool {
        match self {
            Self::Bool { must, should, .. } => should.is_empty() && must.iter().all(Self::scores_alike),
            _ => true,
        }
    }

    /// The only ids that can match, where the query says so.
    pub(super) fn ids(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::Ids(ids) => Some(ids),
            Self::Bool { must, filter, .. } => must.iter().chain(filter).find_map(Self::ids),
            _ => None,
        }
    }

    /// A range of times of a field outside of which nothing can match.
    pub(super) fn times(&self) -> Option<(&str, i64, i64)> {
        match self {
            Self::Values { path, test: Test::Times { ranges, .. } } => {
                let from = ranges.iter().map(|(from, _)| *from).min()?;
                Some((path, from, ranges.iter().map(|(_, to)| *to).max()?))
            }
            Self::Bool { must, filter, .. } => must.iter().chain(filter).find_map(Self::times),
            _ => None,
        }
    }
}

fn exists(source: &Value, path: &str) -> bool {
    fn leaf(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Array(items) => items.iter().any(leaf),
            Value::Object(members) => members.values().any(leaf),
            _ => true,
        }
    }
    values::at(source, path).into_iter().any(leaf)
}
