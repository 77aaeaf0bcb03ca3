//! Reads of documents.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::in_time::{self, Reading};
use super::search;
use super::{Cursor, Document, Hits, Page, QueryNode, SearchError, SearchRequest};
use crate::node::clock::Clock;
use crate::node::indices::IndexExpression;
use crate::node::security::Access;
use crate::node::store::{Batch, Operation, PRIMARY_TERM, Reader, Step, Store, StoreError};

/// Searches that run at one time; others wait.
const SEARCHES_MAX: usize = 4;

/// The documents of a store; clones are the same. Writes are [`Store::commit`].
#[derive(Clone, Debug)]
pub struct Documents {
    store: Store,
    clock: Clock,
    running: Arc<Semaphore>,
}

impl Documents {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, running: Arc::new(Semaphore::new(SEARCHES_MAX)) }
    }

    /// A document of an index, or of the one index of an alias.
    ///
    /// # Errors
    /// A missing index; the store cannot be read.
    pub async fn get(&self, index: &str, id: &str) -> Result<Option<Document>, SearchError> {
        self.document(index, id)
    }

    /// As [`Documents::get`], for those who must not wait in between.
    ///
    /// # Errors
    /// As [`Documents::get`].
    pub fn document(&self, index: &str, id: &str) -> Result<Option<Document>, SearchError> {
        let catalogue = self.store.catalogue();
        let found = catalogue.write_target(index);
        let index = found.ok_or_else(|| SearchError::IndexMissing { index: index.to_owned() })?;
        let Some((head, source)) = self.store.read(|reader| reader.document(index.number, id))? else {
            return Ok(None);
        };
        Ok(Some(Document {
            index: Arc::clone(&index.name),
            id: id.to_owned(),
            version: head.version,
            seq_no: head.seq_no,
            primary_term: PRIMARY_TERM,
            source: search::parsed(&source)?,
        }))
    }

    /// # Errors
    /// A missing index, a query that does not fit the mapping, an index that the caller may not read.
    pub async fn search(&self, request: SearchRequest, access: &Access) -> Result<Hits, SearchError> {
        let indices = access.resolve(&self.store.catalogue(), &request.indices, "indices:data/read/search")?;
        let now_ms = self.clock.now_ms();
        self.blocking(move |reader| search::run(reader, &indices, &request, now_ms)).await
    }

    /// # Errors
    /// As [`Documents::search`].
    pub async fn count(
        &self,
        indices: &IndexExpression,
        query: &QueryNode,
        access: &Access,
    ) -> Result<u64, SearchError> {
        let indices = access.resolve(&self.store.catalogue(), indices, "indices:data/read/search")?;
        let (query, now_ms) = (query.clone(), self.clock.now_ms());
        self.blocking(move |reader| search::count(reader, &indices, &query, now_ms)).await
    }

    /// Documents with `from_ms <= time_field < to_ms` that match `query`, in time order, after `after`, at most `limit`.
    ///
    /// `time_field` is a date, or a number of milliseconds; the first call for a field that is not kept in order yet builds its
    /// order, later ones read only what is in the range. A page may hold fewer than `limit` although more follow: `next` tells.
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
        let found = Access::Everything.resolve(&self.store.catalogue(), indices, "indices:data/read/search")?;
        let mut order = Batch::new();
        for index in &found {
            if in_time::needs_order(index, time_field)? {
                order.push(Operation::Order { index: index.name.to_string(), field: time_field.to_owned() });
            }
        }
        let indices = if order.is_empty() {
            found
        } else {
            self.store.commit(order).await?;
            Access::Everything.resolve(&self.store.catalogue(), indices, "indices:data/read/search")?
        };
        let (query, time_field, now_ms) = (query.clone(), time_field.to_owned(), self.clock.now_ms());
        self.blocking(move |reader| {
            let (query, time_field, after) = (&query, time_field.as_str(), after.as_ref());
            let reading = Reading { query, time_field, from_ms, to_ms, after, limit, now_ms };
            in_time::page(reader, &indices, &reading)
        })
        .await
    }

    /// Ids and sources of the documents of an index whose ids begin with `prefix`, by id, after `after`, at most `limit`. Costs what
    /// it finds, however many other documents the index has. None in an index that is not there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn with_prefix(
        &self,
        index: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Value)>, SearchError> {
        let Some(number) = self.store.catalogue().write_target(index).map(|index| index.number) else {
            return Ok(Vec::new());
        };
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.blocking(move |reader| {
            let mut found = Vec::new();
            reader.with_prefix(number, &prefix, after.as_deref(), |id, source| {
                if found.len() >= limit {
                    return Ok::<_, SearchError>(Step::Stop);
                }
                found.push((id.to_owned(), search::parsed(source)?));
                Ok(Step::Next)
            })?;
            Ok(found)
        })
        .await
    }

    /// Wakes when something was written.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.store.subscribe()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let store = self.store.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            store.read(|reader| Ok(work(reader)))
        });
        let ended = task.await.map_err(|ended| StoreError::Unavailable { problem: ended.to_string() })?;
        ended?
    }
}
