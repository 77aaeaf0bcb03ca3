//! Reads documents in time order, page by page.

use std::sync::Arc;

use super::matcher::Matcher;
use super::search::parsed;
use super::{Cursor, Page, QueryNode, SearchError, TimedDocument};
use crate::node::indices::IndexMetadata;
use crate::node::indices::field::Kind;
use crate::node::store::{Reader, Step};

/// The sources of one page together, over all indices.
const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a page is made of.
pub(super) struct Reading<'a> {
    pub(super) query: &'a QueryNode,
    pub(super) time_field: &'a str,
    pub(super) from_ms: i64,
    /// Not part of the range.
    pub(super) to_ms: i64,
    pub(super) after: Option<&'a Cursor>,
    pub(super) limit: usize,
    pub(super) now_ms: i64,
}

/// Whether an index keeps `field` in order already, or must be told to.
///
/// # Errors
/// A field that cannot be a time.
pub(super) fn needs_order(index: &IndexMetadata, field: &str) -> Result<bool, SearchError> {
    if index.ordered.contains_key(field) {
        return Ok(false);
    }
    match index.mapping.field(field).map(|field| field.kind) {
        // No document has it: there is nothing to read.
        None | Some(Kind::Date) => Ok(false),
        Some(kind) if kind.is_number() => Ok(true),
        Some(kind) => Err(SearchError::argument(format!(
            "field [{field}] of index [{}] is of type [{}], which is no time",
            index.name,
            kind.name()
        ))),
    }
}

/// Reads one page; blocking.
pub(super) fn page(
    reader: &Reader,
    indices: &[Arc<IndexMetadata>],
    reading: &Reading<'_>,
) -> Result<Page, SearchError> {
    let bytes = PAGE_BYTES_MAX / indices.len().max(1);
    let mut documents = Vec::new();
    // Beyond the place where one index stopped early, another may not be read: the order would be broken.
    let mut horizon: Option<Cursor> = None;
    for index in indices {
        let (found, whole) = from_index(reader, index, reading, bytes)?;
        if !whole && let Some(last) = found.last() {
            let last = cursor(last);
            horizon = Some(horizon.map_or(last.clone(), |horizon| horizon.min(last)));
        }
        documents.extend(found);
    }
    documents.sort_by_cached_key(cursor);
    if let Some(horizon) = &horizon {
        documents.retain(|document| cursor(document) <= *horizon);
    }
    let more = horizon.is_some() || documents.len() > reading.limit;
    documents.truncate(reading.limit);
    let next = documents.last().filter(|_| more).map(cursor);
    Ok(Page { documents, next })
}

fn cursor(document: &TimedDocument) -> Cursor {
    Cursor { time_ms: document.time_ms, index: document.index.to_string(), id: document.id.clone() }
}

/// The next documents of one index, and whether there are no more of them.
fn from_index(
    reader: &Reader,
    index: &Arc<IndexMetadata>,
    reading: &Reading<'_>,
    bytes_max: usize,
) -> Result<(Vec<TimedDocument>, bool), SearchError> {
    let mut found = Vec::new();
    let Some(field) = index.ordered.get(reading.time_field).copied() else { return Ok((found, true)) };
    let matcher = Matcher::compile(reading.query, index, reading.now_ms)?;
    let (from, after) = match reading.after {
        None => (reading.from_ms, None),
        // The indices before the cursor's have given all of its moment, those after it nothing.
        Some(at) if *index.name < *at.index => (at.time_ms.saturating_add(1).max(reading.from_ms), None),
        Some(at) if *index.name == *at.index => (reading.from_ms, Some((at.time_ms, at.id.as_str()))),
        Some(at) => (at.time_ms.max(reading.from_ms), None),
    };
    let (mut whole, mut bytes) = (true, 0);
    let range = (from, reading.to_ms.saturating_sub(1));
    reader.in_order((index.number, field), range, after, true, |time_ms, id| {
        if found.len() >= reading.limit || bytes >= bytes_max {
            whole = false;
            return Ok::<_, SearchError>(Step::Stop);
        }
        let Some((head, source)) = reader.document(index.number, id)? else { return Ok(Step::Next) };
        // A document with several times counts at its first one.
        let first = head.times.iter().filter(|(number, _)| *number == field).map(|(_, time)| *time).min();
        if first != Some(time_ms) {
            return Ok(Step::Next);
        }
        let value = parsed(&source)?;
        if matcher.matches(id, &value) {
            bytes += source.len();
            let (index, id) = (Arc::clone(&index.name), id.to_owned());
            found.push(TimedDocument { time_ms, index, id, source: value, source_bytes: source.len() });
        }
        Ok(Step::Next)
    })?;
    Ok((found, whole))
}
