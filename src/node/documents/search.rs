//! Runs a search over the indices of one snapshot.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::matcher::Matcher;
use super::request::{Direction, Missing, SearchRequest, Sort, TrackTotal};
use super::sorting::{self, Key, Sorter};
use super::source_filter::filtered;
use super::walk::{Looked, Walk, candidates};
use super::{Document, Hit, Hits, QueryNode, Relation, SearchError, Total};
use crate::node::indices::IndexMetadata;
use crate::node::store::{PRIMARY_TERM, Reader, Step, StoreError};

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

/// The page that one index gives.
struct Page<'a> {
    place: usize,
    matcher: &'a Matcher,
    sorters: Vec<Sorter>,
    after: Option<Vec<Key>>,
    /// The first matches are the best.
    enough: bool,
    taken: usize,
    matches: u64,
    /// Where the walk was when the page was full.
    edge: Option<i64>,
    /// All matches were counted.
    whole: bool,
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
        candidates(reader, index, &matcher, |looked| {
            found += u64::from(matcher.matches(looked.id, looked.source));
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
        let (reader, before) = (self.reader, self.found);
        let first_key = after.as_ref().and_then(|keys| keys.first());
        let total = self.request.track_total;
        let walk = self.sorts.first().and_then(|sort| Walk::plan(index, sort, first_key, matcher, total));
        let enough = self.enough(matcher);
        let mut page = Page { place, matcher, sorters, after, enough, taken: 0, matches: 0, edge: None, whole: true };
        match walk {
            Some(walk) => walk.go(reader, index, |time, found| Ok(self.consider(&mut page, time, found)))?,
            None => candidates(reader, index, matcher, |found| Ok(self.consider(&mut page, None, found)))?,
        }
        if matches!(matcher, Matcher::All) {
            self.found = before + reader.counters(index.number)?.documents;
            return Ok(true);
        }
        Ok(page.whole)
    }

    /// Takes a document that matches; `time` where an index is walked through in the order of the first sort.
    fn consider(&mut self, page: &mut Page<'_>, time: Option<i64>, found: Looked<'_>) -> Step {
        // Whatever has the same time as the last of the page may still come before it.
        if page.edge.is_some_and(|edge| time != Some(edge)) && self.counted() {
            page.whole = false;
            return Step::Stop;
        }
        let Some(score) = page.matcher.score(found.id, found.source) else { return Step::Next };
        self.found += 1;
        let keys: Vec<Key> = page.sorters.iter().map(|sorter| sorter.key(found, score, page.matches)).collect();
        page.matches += 1;
        if page.after.as_ref().is_none_or(|after| order(&self.sorts, &keys, after) == Ordering::Greater) {
            page.taken += 1;
            self.offer(Candidate { index: page.place, id: found.id.to_owned(), score, keys });
        }
        if page.taken < self.wanted {
            return Step::Next;
        }
        page.edge = page.edge.or(time);
        if page.enough && self.counted() {
            page.whole = false;
            return Step::Stop;
        }
        Step::Next
    }

    /// Whether the first matches of an index are the best ones: all score alike and nothing else sorts.
    fn enough(&self, matcher: &Matcher) -> bool {
        let stored = self.sorts.iter().all(|sort| match sort.field.as_str() {
            "_score" => matcher.scores_alike(),
            field => field == "_doc" && sort.direction == Direction::Ascending,
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

/// A stored source as a value.
pub(super) fn parsed(source: &[u8]) -> Result<Value, SearchError> {
    serde_json::from_slice(source).map_err(|_| StoreError::Record { key: "source".to_owned() }.into())
}
