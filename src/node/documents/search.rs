//! Runs a search over the indices of one snapshot.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::matcher::Matcher;
use super::request::{Direction, Missing, SearchRequest, Sort, TrackTotal};
use super::sorting::{self, Key, Sorter};
use super::source_filter::filtered;
use super::{Document, Hit, Hits, QueryNode, Relation, SearchError, Total};
use crate::node::indices::IndexMetadata;
use crate::node::store::{Head, PRIMARY_TERM, Reader, Step, StoreError};

/// The sources of one page together.
const PAGE_BYTES_MAX: usize = 100 * 1024 * 1024;

/// A document that may become a hit.
struct Candidate {
    index: usize,
    id: String,
    score: f64,
    keys: Vec<Key>,
}

struct Search<'a> {
    reader: &'a Reader,
    request: &'a SearchRequest,
    indices: &'a [Arc<IndexMetadata>],
    sorts: Vec<Sort>,
    wanted: usize,
    best: Vec<Candidate>,
    found: u64,
}

/// Runs a search; blocking.
///
/// # Errors
/// A page too far or too large, a query or sort that does not fit.
pub(super) fn run(
    reader: &Reader,
    indices: &[Arc<IndexMetadata>],
    request: &SearchRequest,
    now_ms: i64,
) -> Result<Hits, SearchError> {
    let window = indices.iter().map(|index| index.result_window()).min().unwrap_or(10_000);
    let wanted = request.from.saturating_add(request.size);
    if wanted > window {
        return Err(SearchError::argument(format!(
            "Result window is too large, from + size must be less than or equal to: [{window}] but was [{wanted}]. See the scroll \
             api for a more efficient way to request large data sets. This limit can be set by changing the \
             [index.max_result_window] index level setting."
        )));
    }
    let sorts = if request.sort.is_empty() { vec![by_score()] } else { request.sort.clone() };
    let mut search = Search { reader, request, indices, sorts, wanted, best: Vec::new(), found: 0 };
    let mut exact = true;
    for (place, index) in indices.iter().enumerate() {
        let matcher = Matcher::compile(&request.query, index, now_ms)?;
        exact &= search.index(place, index, &matcher)?;
    }
    search.finish(exact)
}

/// How many documents match; blocking.
///
/// # Errors
/// A query that does not fit.
pub(super) fn count(
    reader: &Reader,
    indices: &[Arc<IndexMetadata>],
    query: &QueryNode,
    now_ms: i64,
) -> Result<u64, SearchError> {
    let mut found = 0;
    for index in indices {
        let matcher = Matcher::compile(query, index, now_ms)?;
        if matches!(matcher, Matcher::All) {
            found += reader.counters(index.number)?.documents;
            continue;
        }
        candidates(reader, index, &matcher, |id, _, source| {
            found += u64::from(matcher.matches(id, source));
            Ok(Step::Next)
        })?;
    }
    Ok(found)
}

fn by_score() -> Sort {
    Sort { field: "_score".to_owned(), direction: Direction::Descending, missing: Missing::Last, unmapped: false }
}

impl Search<'_> {
    /// Whether all matches were counted.
    fn index(&mut self, place: usize, index: &IndexMetadata, matcher: &Matcher) -> Result<bool, SearchError> {
        let sorters: Vec<_> = self.sorts.iter().map(|sort| Sorter::compile(sort, index)).collect::<Result<_, _>>()?;
        let after = self.after(&sorters)?;
        let reader = self.reader;
        let enough = self.enough(matcher);
        let mut taken = 0;
        let before = self.found;
        let mut whole = true;
        candidates(reader, index, matcher, |id, head, source| {
            let Some(score) = matcher.score(id, source) else { return Ok(Step::Next) };
            self.found += 1;
            let keys: Vec<Key> = sorters.iter().map(|sorter| sorter.key(id, head, score, source)).collect();
            if after.as_ref().is_none_or(|after| order(&self.sorts, &keys, after) == Ordering::Greater) {
                taken += 1;
                self.offer(Candidate { index: place, id: id.to_owned(), score, keys });
            }
            if enough && taken >= self.wanted && self.counted() {
                whole = false;
                return Ok(Step::Stop);
            }
            Ok(Step::Next)
        })?;
        if matches!(matcher, Matcher::All) && !whole {
            self.found = before + reader.counters(index.number)?.documents;
            whole = true;
        }
        Ok(whole)
    }

    /// Whether the first matches of an index are the best ones: all score alike and nothing else sorts.
    fn enough(&self, matcher: &Matcher) -> bool {
        let stored = self.sorts.iter().all(|sort| match sort.field.as_str() {
            "_score" => matcher.scores_alike(),
            field => field == "_doc",
        });
        stored && self.request.search_after.is_none()
    }

    fn counted(&self) -> bool {
        match self.request.track_total {
            TrackTotal::No => true,
            TrackTotal::UpTo(most) => self.found > most || matches!(self.request.query, QueryNode::MatchAll),
            TrackTotal::Exactly => matches!(self.request.query, QueryNode::MatchAll),
        }
    }

    fn after(&self, sorters: &[Sorter]) -> Result<Option<Vec<Key>>, SearchError> {
        let Some(values) = &self.request.search_after else { return Ok(None) };
        if self.request.sort.is_empty() {
            return Err(SearchError::argument("Sort must contain at least one field."));
        }
        if values.len() != sorters.len() {
            let (given, needed) = (values.len(), sorters.len());
            let reason = format!("search_after has {given} value(s) but sort has {needed}.");
            return Err(SearchError::argument(reason));
        }
        Ok(Some(sorters.iter().zip(values).map(|(sorter, value)| sorter.read(value)).collect()))
    }

    /// Keeps the best: at most twice as many as wanted, cut when it is full.
    fn offer(&mut self, candidate: Candidate) {
        if self.wanted == 0 {
            return;
        }
        self.best.push(candidate);
        if self.best.len() >= self.wanted.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let sorts = &self.sorts;
        self.best.sort_by(|left, right| {
            let keys = order(sorts, &left.keys, &right.keys);
            keys.then_with(|| left.index.cmp(&right.index)).then_with(|| left.id.cmp(&right.id))
        });
        self.best.truncate(self.wanted);
    }

    fn finish(mut self, exact: bool) -> Result<Hits, SearchError> {
        self.cut();
        let scored = self.request.sort.is_empty() || self.request.sort.iter().any(|sort| sort.field == "_score");
        let best = std::mem::take(&mut self.best);
        let max_score = best.first().filter(|_| scored).map(|candidate| candidate.score);
        let mut hits = Vec::new();
        let mut bytes = 0;
        for candidate in best.into_iter().skip(self.request.from) {
            hits.extend(self.hit(candidate, scored, &mut bytes)?);
        }
        let total = match self.request.track_total {
            TrackTotal::No => None,
            TrackTotal::UpTo(most) if self.found > most => Some(Total { value: most, relation: Relation::AtLeast }),
            _ if exact => Some(Total { value: self.found, relation: Relation::Exact }),
            _ => Some(Total { value: self.found, relation: Relation::AtLeast }),
        };
        Ok(Hits { total, max_score, hits, shards: self.indices.len() })
    }

    fn hit(&self, candidate: Candidate, scored: bool, bytes: &mut usize) -> Result<Option<Hit>, SearchError> {
        let Some(index) = self.indices.get(candidate.index) else { return Ok(None) };
        let Some((head, source)) = self.reader.document(index.number, &candidate.id)? else { return Ok(None) };
        *bytes += source.len();
        if *bytes > PAGE_BYTES_MAX {
            return Err(SearchError::TooLarge { bytes: *bytes, most: PAGE_BYTES_MAX });
        }
        let source = if self.request.source.enabled { parsed(&source)? } else { Value::Null };
        let sort = match self.request.sort.is_empty() {
            true => Vec::new(),
            false => self
                .sorts
                .iter()
                .zip(&candidate.keys)
                .map(|(sort, key)| Sorter::compile(sort, index).map(|sorter| sorter.show(key)))
                .collect::<Result<_, _>>()?,
        };
        let document = Document {
            index: Arc::clone(&index.name),
            id: candidate.id,
            version: head.version,
            seq_no: head.seq_no,
            primary_term: PRIMARY_TERM,
            source: filtered(source, &self.request.source),
        };
        Ok(Some(Hit { document, score: scored.then_some(candidate.score), sort }))
    }
}

fn order(sorts: &[Sort], left: &[Key], right: &[Key]) -> Ordering {
    let pairs = sorts.iter().zip(left.iter().zip(right));
    pairs
        .map(|(sort, (left, right))| sorting::compare(sort, left, right))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Goes through the documents that can match: the named ids, those in the range of times, or all.
fn candidates(
    reader: &Reader,
    index: &IndexMetadata,
    matcher: &Matcher,
    mut visit: impl FnMut(&str, &Head, &Value) -> Result<Step, SearchError>,
) -> Result<(), SearchError> {
    if let Some(ids) = matcher.ids() {
        return some(reader, index, ids, visit);
    }
    if let Some((path, from, to)) = matcher.times()
        && let Some(field) = index.ordered.get(path).copied()
    {
        return reader.in_order((index.number, field), (from, to), None, true, |time, id| {
            let Some((head, source)) = reader.document(index.number, id)? else { return Ok(Step::Next) };
            // A document with several times in the range stands there several times.
            let first =
                head.times.iter().filter(|(number, time)| *number == field && *time >= from).map(|(_, time)| *time);
            if first.min() != Some(time) {
                return Ok(Step::Next);
            }
            visit(id, &head, &parsed(&source)?)
        });
    }
    reader.scan(index.number, |id, head, source| visit(id, &head, &parsed(source)?))
}

fn some(
    reader: &Reader,
    index: &IndexMetadata,
    ids: &BTreeSet<String>,
    mut visit: impl FnMut(&str, &Head, &Value) -> Result<Step, SearchError>,
) -> Result<(), SearchError> {
    for id in ids {
        if let Some((head, source)) = reader.document(index.number, id)?
            && visit(id, &head, &parsed(&source)?)? == Step::Stop
        {
            break;
        }
    }
    Ok(())
}

/// A stored source as a value.
pub(super) fn parsed(source: &[u8]) -> Result<Value, SearchError> {
    serde_json::from_slice(source).map_err(|_| StoreError::Record { key: "source".to_owned() }.into())
}
