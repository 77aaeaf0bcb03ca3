//! Reads of one moment.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadTransaction};

use super::StoreError;
use super::engine::failed;
use super::record::Head;
use super::tables::{
    COUNTERS, DOCUMENTS, ORDERED, STATE, document_id, document_key, index_end, index_start, ordered_key, ordered_parts,
};
use crate::node::indices::Catalogue;

/// A snapshot of the store. Blocking: for threads that may wait for the disk.
pub struct Reader {
    catalogue: Arc<Catalogue>,
    documents: ReadOnlyTable<&'static [u8], &'static [u8]>,
    ordered: ReadOnlyTable<&'static [u8], ()>,
    counters: ReadOnlyTable<u32, (u64, u64, u64)>,
    state: ReadOnlyTable<&'static str, &'static [u8]>,
}

/// How much an index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub documents: u64,
    pub next_seq_no: u64,
    /// Of the sources.
    pub bytes: u64,
}

/// Whether a scan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Next,
    Stop,
}

impl Reader {
    pub(super) fn new(transaction: ReadTransaction, catalogue: Arc<Catalogue>) -> Result<Self, StoreError> {
        Ok(Self {
            catalogue,
            documents: transaction.open_table(DOCUMENTS).map_err(failed)?,
            ordered: transaction.open_table(ORDERED).map_err(failed)?,
            counters: transaction.open_table(COUNTERS).map_err(failed)?,
            state: transaction.open_table(STATE).map_err(failed)?,
        })
    }

    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// A document's head and source.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn document(&self, index: u32, id: &str) -> Result<Option<(Head, Vec<u8>)>, StoreError> {
        let key = document_key(index, id);
        let Some(record) = self.documents.get(key.as_slice()).map_err(failed)? else { return Ok(None) };
        let (head, source) = Head::decode(record.value())?;
        Ok(Some((head, source.to_vec())))
    }

    /// Goes through the documents of an index by id: `visit(id, head, source)`.
    ///
    /// # Errors
    /// The store cannot be read, and what `visit` gives.
    pub fn scan<E: From<StoreError>>(
        &self,
        index: u32,
        mut visit: impl FnMut(&str, Head, &[u8]) -> Result<Step, E>,
    ) -> Result<(), E> {
        let (start, end) = (index_start(index), index_end(index));
        for entry in self.documents.range(start.as_slice()..end.as_slice()).map_err(failed)? {
            let (key, record) = entry.map_err(failed)?;
            let (head, source) = Head::decode(record.value())?;
            let Some(id) = document_id(key.value()) else {
                return Err(StoreError::Record { key: "document".to_owned() }.into());
            };
            if visit(id, head, source)? == Step::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Goes through the documents of an index whose ids begin with `prefix`, by id; `after` leaves out what is up to it.
    ///
    /// # Errors
    /// The store cannot be read, and what `visit` gives.
    pub fn with_prefix<E: From<StoreError>>(
        &self,
        index: u32,
        prefix: &str,
        after: Option<&str>,
        mut visit: impl FnMut(&str, &[u8]) -> Result<Step, E>,
    ) -> Result<(), E> {
        let first = document_key(index, prefix);
        let after = after.map(|id| document_key(index, id)).filter(|key| *key >= first);
        let lower = after.as_deref().map_or(Bound::Included(first.as_slice()), Bound::Excluded);
        for entry in self.documents.range::<&[u8]>((lower, Bound::Unbounded)).map_err(failed)? {
            let (key, record) = entry.map_err(failed)?;
            let Some(id) = key.value().starts_with(&first).then(|| document_id(key.value())).flatten() else { break };
            let (_, source) = Head::decode(record.value())?;
            if visit(id, source)? == Step::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Goes through the entries of an ordered field with `from <= time <= to`, by time and id, forwards or backwards.
    /// `after` is a time and id, and leaves out what is up to it.
    ///
    /// # Errors
    /// The store cannot be read, and what `visit` gives.
    pub fn in_order<E: From<StoreError>>(
        &self,
        (index, field): (u32, u16),
        (from, to): (i64, i64),
        after: Option<(i64, &str)>,
        forwards: bool,
        mut visit: impl FnMut(i64, &str) -> Result<Step, E>,
    ) -> Result<(), E> {
        if from > to {
            return Ok(());
        }
        let first = ordered_key(index, field, from, "");
        let after = after.map(|(time, id)| ordered_key(index, field, time, id)).filter(|key| *key >= first);
        let lower = after.as_deref().map_or(Bound::Included(first.as_slice()), Bound::Excluded);
        // Ids are UTF-8, which never holds this byte: it is above every id.
        let mut last = ordered_key(index, field, to, "");
        last.push(0xFF);
        if matches!(lower, Bound::Excluded(key) if key >= last.as_slice()) {
            return Ok(());
        }
        let mut range = self.ordered.range::<&[u8]>((lower, Bound::Included(last.as_slice()))).map_err(failed)?;
        while let Some(entry) = if forwards { range.next() } else { range.next_back() } {
            let (key, _) = entry.map_err(failed)?;
            let Some((time, id)) = ordered_parts(key.value()) else {
                return Err(StoreError::Record { key: "ordered".to_owned() }.into());
            };
            if visit(time, id)? == Step::Stop {
                break;
            }
        }
        Ok(())
    }

    /// # Errors
    /// The store cannot be read.
    pub fn counters(&self, index: u32) -> Result<Counters, StoreError> {
        let found = self.counters.get(index).map_err(failed)?.map(|counters| counters.value());
        let (documents, next_seq_no, bytes) = found.unwrap_or_default();
        Ok(Counters { documents, next_seq_no, bytes })
    }

    /// # Errors
    /// The store cannot be read.
    pub fn state(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let found = self.state.get(key).map_err(failed)?;
        Ok(found.map(|value| Bytes::copy_from_slice(value.value())))
    }

    /// # Errors
    /// The store cannot be read.
    pub fn state_prefix(&self, prefix: &str) -> Result<Vec<(String, Bytes)>, StoreError> {
        let mut found = Vec::new();
        for entry in self.state.range(prefix..).map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            if !key.value().starts_with(prefix) {
                break;
            }
            found.push((key.value().to_owned(), Bytes::copy_from_slice(value.value())));
        }
        Ok(found)
    }
}
