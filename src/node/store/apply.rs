//! Applies batches to one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redb::{ReadableTable, Table, WriteTransaction};
use serde_json::Value;

use super::batch::{Batch, Committed, DocumentWrite, Expected, Operation, Outcome, WriteKind, Written};
use super::engine::{broken, failed};
use super::reader::Counters;
use super::record::Head;
use super::tables::{
    COUNTERS, DOCUMENTS, INDICES, META, NEXT_INDEX, ORDERED, STATE, document_id, document_key, index_end, index_start,
    ordered_key,
};
use super::{OperationError, StoreError, identifiers};
use crate::node::indices::field::whole;
use crate::node::indices::inspect::inspect;
use crate::node::indices::{Catalogue, IndexMetadata, values};

/// There is one primary for ever.
pub const PRIMARY_TERM: u64 = 1;
const ID_BYTES_MAX: usize = 512;
/// How many documents are rewritten between two reads when a field gets its order.
const ORDER_STEP: usize = 1000;

/// What came of an operation, or why it was refused; the outer error ends the transaction.
type Applied = Result<Result<Outcome, OperationError>, StoreError>;

/// An open transaction and what it has changed so far.
pub(super) struct Application<'t> {
    documents: Table<'t, &'static [u8], &'static [u8]>,
    ordered: Table<'t, &'static [u8], ()>,
    counters: Table<'t, u32, (u64, u64, u64)>,
    state: Table<'t, &'static str, &'static [u8]>,
    indices: Table<'t, &'static str, &'static [u8]>,
    meta: Table<'t, &'static str, u64>,
    catalogue: Arc<Catalogue>,
    touched: BTreeMap<u32, Counters>,
    now_ms: i64,
}

impl<'t> Application<'t> {
    pub(super) fn new(
        transaction: &'t WriteTransaction,
        catalogue: Arc<Catalogue>,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            documents: transaction.open_table(DOCUMENTS).map_err(failed)?,
            ordered: transaction.open_table(ORDERED).map_err(failed)?,
            counters: transaction.open_table(COUNTERS).map_err(failed)?,
            state: transaction.open_table(STATE).map_err(failed)?,
            indices: transaction.open_table(INDICES).map_err(failed)?,
            meta: transaction.open_table(META).map_err(failed)?,
            catalogue,
            touched: BTreeMap::new(),
            now_ms,
        })
    }

    /// Applies one batch. The inner error refuses this batch before anything of it was applied.
    pub(super) fn batch(&mut self, batch: &Batch) -> Result<Result<Committed, StoreError>, StoreError> {
        for (key, expected) in &batch.expected {
            let found = self.state.get(key.as_str()).map_err(broken)?;
            if found.as_ref().map(|value| value.value()) != expected.as_deref() {
                return Ok(Err(StoreError::Expectation { key: key.clone() }));
            }
        }
        let mut outcomes = Vec::with_capacity(batch.operations.len());
        for operation in &batch.operations {
            outcomes.push(self.operation(operation)?);
        }
        for (key, value) in &batch.state {
            match value {
                Some(value) => self.state.insert(key.as_str(), value.as_ref()).map_err(broken)?,
                None => self.state.remove(key.as_str()).map_err(broken)?,
            };
        }
        Ok(Ok(Committed { outcomes }))
    }

    /// Writes what was only counted so far; gives the indices as they are now.
    pub(super) fn finish(mut self) -> Result<Arc<Catalogue>, StoreError> {
        for (index, counters) in &self.touched {
            let value = (counters.documents, counters.next_seq_no, counters.bytes);
            self.counters.insert(index, value).map_err(broken)?;
        }
        Ok(self.catalogue)
    }

    fn operation(&mut self, operation: &Operation) -> Applied {
        match operation {
            Operation::Write(write) => self.write(write),
            Operation::Delete { index, id, expected } => self.delete(index, id, *expected),
            Operation::CreateIndex { index, body } => match self.create_index(index, body)? {
                Ok(_) => Ok(Ok(Outcome::Done)),
                Err(refused) => Ok(Err(refused)),
            },
            Operation::DeleteIndex { index } => self.delete_index(index),
            Operation::PutMapping { index, mappings } => {
                let Some(metadata) = self.catalogue.index(index).cloned() else { return Ok(Err(missing(index))) };
                match metadata.mapping.merged(mappings) {
                    Ok(mapping) => {
                        self.put_index(IndexMetadata { mapping, ..(*metadata).clone() })?;
                        Ok(Ok(Outcome::Done))
                    }
                    Err(refused) => Ok(Err(refused)),
                }
            }
            Operation::Order { index, field } => self.order(index, field),
        }
    }

    fn write(&mut self, write: &DocumentWrite) -> Applied {
        let generated = write.id.is_none().then(|| identifiers::document_id(self.now_ms));
        let id = write.id.as_deref().or(generated.as_deref()).unwrap_or_default();
        if id.len() > ID_BYTES_MAX {
            return Ok(Err(OperationError::IdTooLong { id: id.to_owned(), length: id.len() }));
        }
        let index = match self.catalogue.write_target(&write.index).cloned() {
            Some(index) => index,
            None if write.require_index || self.catalogue.has_alias(&write.index) => {
                return Ok(Err(missing(&write.index)));
            }
            None => match self.create_index(&write.index, &Value::Object(serde_json::Map::new()))? {
                Ok(index) => index,
                Err(refused) => return Ok(Err(refused)),
            },
        };
        let key = document_key(index.number, id);
        let old = self.head(&key)?;
        if let Err(refused) = check(&index, id, old.as_ref().map(|(head, _)| head), write.kind, write.expected) {
            return Ok(Err(refused));
        }
        let whole_fields: BTreeSet<&str> = index.ordered.keys().map(String::as_str).collect();
        let found = match inspect(&index.mapping, &whole_fields, id, write.source.value()) {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let index = match self.grow(&index, &found)? {
            Ok(index) => index,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut times: Vec<_> =
            found.times.iter().filter_map(|(path, time)| Some((*index.ordered.get(path)?, *time))).collect();
        times.sort_unstable();
        times.dedup();
        self.store(&index, id, old, times, write.source.bytes())
    }

    fn store(
        &mut self,
        index: &IndexMetadata,
        id: &str,
        old: Option<(Head, u64)>,
        times: Vec<(u16, i64)>,
        source: &[u8],
    ) -> Applied {
        let counters = self.counters(index.number)?;
        let seq_no = counters.next_seq_no;
        counters.next_seq_no += 1;
        counters.bytes += source.len() as u64;
        match &old {
            Some((_, bytes)) => counters.bytes = counters.bytes.saturating_sub(*bytes),
            None => counters.documents += 1,
        }
        let version = old.as_ref().map_or(1, |(head, _)| head.version + 1);
        if let Some((head, _)) = &old {
            self.forget_times(index.number, id, head)?;
        }
        for (field, time) in &times {
            self.ordered.insert(ordered_key(index.number, *field, *time, id).as_slice(), ()).map_err(broken)?;
        }
        let record = Head { version, seq_no, times }.encode(source);
        self.documents.insert(document_key(index.number, id).as_slice(), record.as_slice()).map_err(broken)?;
        let written = written(index, id, version, seq_no);
        Ok(Ok(if old.is_some() { Outcome::Updated(written) } else { Outcome::Created(written) }))
    }

    fn delete(&mut self, index: &str, id: &str, expected: Expected) -> Applied {
        let Some(index) = self.catalogue.write_target(index).cloned() else { return Ok(Err(missing(index))) };
        let key = document_key(index.number, id);
        let old = self.head(&key)?;
        if let Err(refused) = check(&index, id, old.as_ref().map(|(head, _)| head), WriteKind::Index, expected) {
            return Ok(Err(refused));
        }
        let counters = self.counters(index.number)?;
        let seq_no = counters.next_seq_no;
        counters.next_seq_no += 1;
        let Some((head, bytes)) = old else { return Ok(Ok(Outcome::NotFound(written(&index, id, 1, seq_no)))) };
        counters.documents = counters.documents.saturating_sub(1);
        counters.bytes = counters.bytes.saturating_sub(bytes);
        self.forget_times(index.number, id, &head)?;
        self.documents.remove(key.as_slice()).map_err(broken)?;
        Ok(Ok(Outcome::Deleted(written(&index, id, head.version + 1, seq_no))))
    }

    fn forget_times(&mut self, index: u32, id: &str, head: &Head) -> Result<(), StoreError> {
        for (field, time) in &head.times {
            self.ordered.remove(ordered_key(index, *field, *time, id).as_slice()).map_err(broken)?;
        }
        Ok(())
    }

    /// The head of a stored document, and how long its source is.
    fn head(&self, key: &[u8]) -> Result<Option<(Head, u64)>, StoreError> {
        let Some(record) = self.documents.get(key).map_err(broken)? else { return Ok(None) };
        let (head, source) = Head::decode(record.value())?;
        Ok(Some((head, source.len() as u64)))
    }

    fn counters(&mut self, index: u32) -> Result<&mut Counters, StoreError> {
        if !self.touched.contains_key(&index) {
            let stored = self.counters.get(index).map_err(broken)?.map(|stored| stored.value());
            let (documents, next_seq_no, bytes) = stored.unwrap_or_default();
            self.touched.insert(index, Counters { documents, next_seq_no, bytes });
        }
        Ok(self.touched.entry(index).or_default())
    }

    /// Adds the fields and orders that a document brings.
    fn grow(
        &mut self,
        index: &Arc<IndexMetadata>,
        found: &crate::node::indices::inspect::Inspected,
    ) -> Result<Result<Arc<IndexMetadata>, OperationError>, StoreError> {
        let unordered = found.times.iter().any(|(path, _)| !index.ordered.contains_key(path));
        if found.additions.is_empty() && !unordered {
            return Ok(Ok(Arc::clone(index)));
        }
        let mut grown = (**index).clone();
        if !found.additions.is_empty() {
            match index.mapping.grown(&found.additions) {
                Ok(mapping) => grown.mapping = mapping,
                Err(refused) => return Ok(Err(refused)),
            }
        }
        for (path, _) in &found.times {
            let next = u16::try_from(grown.ordered.len()).unwrap_or(u16::MAX);
            grown.ordered.entry(path.clone()).or_insert(next);
        }
        self.put_index(grown.clone())?;
        Ok(Ok(Arc::new(grown)))
    }

    fn create_index(
        &mut self,
        name: &str,
        body: &Value,
    ) -> Result<Result<Arc<IndexMetadata>, OperationError>, StoreError> {
        if let Some(index) = self.catalogue.index(name) {
            let uuid = index.uuid.clone();
            return Ok(Err(OperationError::IndexExists { index: name.to_owned(), uuid }));
        }
        if self.catalogue.has_alias(name) {
            let problem = "already exists as alias";
            return Ok(Err(OperationError::IndexName { index: name.to_owned(), problem }));
        }
        let number = self.meta.get(NEXT_INDEX).map_err(broken)?.map_or(0, |number| number.value());
        let Ok(short) = u32::try_from(number) else { return Err(StoreError::Full) };
        let index = match IndexMetadata::create(name, short, identifiers::uuid(), self.now_ms, body) {
            Ok(index) => index,
            Err(refused) => return Ok(Err(refused)),
        };
        self.meta.insert(NEXT_INDEX, number + 1).map_err(broken)?;
        self.put_index(index.clone())?;
        Ok(Ok(Arc::new(index)))
    }

    fn put_index(&mut self, index: IndexMetadata) -> Result<(), StoreError> {
        self.indices.insert(&*index.name, index.to_record().as_slice()).map_err(broken)?;
        Arc::make_mut(&mut self.catalogue).put(index);
        Ok(())
    }

    fn delete_index(&mut self, name: &str) -> Applied {
        let Some(index) = Arc::make_mut(&mut self.catalogue).remove(name) else { return Ok(Err(missing(name))) };
        let (start, end) = (index_start(index.number), index_end(index.number));
        self.documents.retain_in(start.as_slice()..end.as_slice(), |_, _| false).map_err(broken)?;
        self.ordered.retain_in(start.as_slice()..end.as_slice(), |_, ()| false).map_err(broken)?;
        self.counters.remove(index.number).map_err(broken)?;
        self.touched.remove(&index.number);
        self.indices.remove(name).map_err(broken)?;
        Ok(Ok(Outcome::Done))
    }

    /// Gives a field its order: an entry for each document that is there, and from now on for each that comes.
    fn order(&mut self, name: &str, path: &str) -> Applied {
        let Some(index) = self.catalogue.index(name).cloned() else { return Ok(Err(missing(name))) };
        if index.ordered.contains_key(path) {
            return Ok(Ok(Outcome::Done));
        }
        let mut changed = (*index).clone();
        let number = u16::try_from(changed.ordered.len()).unwrap_or(u16::MAX);
        changed.ordered.insert(path.to_owned(), number);
        self.put_index(changed)?;
        let mut from = index_start(index.number);
        loop {
            let step = self.unordered(&from, index.number, path)?;
            let Some((last, ..)) = step.last() else { return Ok(Ok(Outcome::Done)) };
            from.clone_from(last);
            from.push(0);
            for (key, mut head, source, times) in step {
                let Some(id) = document_id(&key) else { continue };
                for time in times {
                    self.ordered.insert(ordered_key(index.number, number, time, id).as_slice(), ()).map_err(broken)?;
                    head.times.push((number, time));
                }
                self.documents.insert(key.as_slice(), head.encode(&source).as_slice()).map_err(broken)?;
            }
        }
    }

    /// The next documents of an index, with the times that a field has in them.
    #[expect(clippy::type_complexity, reason = "rows of one loop, used in the function above only")]
    fn unordered(
        &self,
        from: &[u8],
        index: u32,
        path: &str,
    ) -> Result<Vec<(Vec<u8>, Head, Vec<u8>, Vec<i64>)>, StoreError> {
        let end = index_end(index);
        let mut rows = Vec::new();
        for entry in self.documents.range(from..end.as_slice()).map_err(broken)?.take(ORDER_STEP) {
            let (key, record) = entry.map_err(broken)?;
            let (head, source) = Head::decode(record.value())?;
            let value: Value = serde_json::from_slice(source).unwrap_or_default();
            let mut times: Vec<i64> = values::at(&value, path).into_iter().filter_map(whole).collect();
            times.sort_unstable();
            times.dedup();
            rows.push((key.value().to_vec(), head, source.to_vec(), times));
        }
        Ok(rows)
    }
}

fn missing(index: &str) -> OperationError {
    OperationError::IndexMissing { index: index.to_owned() }
}

fn written(index: &IndexMetadata, id: &str, version: u64, seq_no: u64) -> Written {
    Written { index: index.name.to_string(), id: id.to_owned(), version, seq_no, primary_term: PRIMARY_TERM }
}

fn check(
    index: &IndexMetadata,
    id: &str,
    old: Option<&Head>,
    kind: WriteKind,
    expected: Expected,
) -> Result<(), OperationError> {
    let (name, uuid, id) = (index.name.to_string(), index.uuid.clone(), id.to_owned());
    if let (WriteKind::Create, Some(old)) = (kind, old) {
        return Err(OperationError::DocumentExists { index: name, uuid, id, version: old.version });
    }
    let Expected::SequenceNumber { seq_no: required, primary_term: required_term } = expected else { return Ok(()) };
    match old {
        None => Err(OperationError::ConflictMissing { index: name, uuid, id, required, required_term }),
        Some(old) if old.seq_no == required && required_term == PRIMARY_TERM => Ok(()),
        Some(old) => {
            let (seq_no, primary_term) = (old.seq_no, PRIMARY_TERM);
            Err(OperationError::Conflict { index: name, uuid, id, required, required_term, seq_no, primary_term })
        }
    }
}
