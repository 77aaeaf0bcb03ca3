//! Reads of documents.

use serde_json::Value;
use tokio::sync::watch;

use super::{Cursor, Document, Hits, Page, QueryNode, SearchError, SearchRequest};
use crate::node::indices::IndexExpression;
use crate::node::security::Access;
use crate::node::store::{Store, StoreError};

/// The documents of a store; clones are the same. Writes are [`Store::commit`].
#[derive(Clone, Debug)]
pub struct Documents {
    store: Store,
}

impl Documents {
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// # Errors
    /// A missing index; the store cannot be read.
    pub async fn get(&self, index: &str, id: &str) -> Result<Option<Document>, SearchError> {
        let _ = (index, id);
        Err(StoreError::Closed.into())
    }

    /// # Errors
    /// A missing index, a query that does not fit the mapping, an index that the caller may not read.
    pub async fn search(&self, request: SearchRequest, access: &Access) -> Result<Hits, SearchError> {
        let _ = (request, access);
        Err(StoreError::Closed.into())
    }

    /// # Errors
    /// As [`Documents::search`].
    pub async fn count(
        &self,
        indices: &IndexExpression,
        query: &QueryNode,
        access: &Access,
    ) -> Result<u64, SearchError> {
        let _ = (indices, query, access);
        Err(StoreError::Closed.into())
    }

    /// Documents with `from_ms <= time_field < to_ms` that match `query`, in time order, after `after`, at most `limit`.
    ///
    /// `time_field` is a date, or a number of milliseconds; the first call for a field that is not kept in order yet builds its order,
    /// later ones read only what is in the range.
    ///
    /// # Errors
    /// A missing index, a field that cannot be a time.
    #[expect(clippy::too_many_arguments, reason = "the parts of one read, each of another type")]
    pub async fn range(
        &self,
        indices: &IndexExpression,
        query: &QueryNode,
        time_field: &str,
        from_ms: i64,
        to_ms: i64,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, SearchError> {
        let _ = (indices, query, time_field, from_ms, to_ms, after, limit);
        Err(StoreError::Closed.into())
    }

    /// Wakes when something was written.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.store.subscribe()
    }
}

impl QueryNode {
    /// Reads `{"term": {...}}` and the like.
    ///
    /// # Errors
    /// What the node does not know, by name.
    pub fn parse(query: &Value) -> Result<Self, SearchError> {
        let _ = query;
        Ok(Self::MatchAll)
    }
}
