//! Which documents of an index a search looks at, and in which order.

use std::collections::BTreeSet;

use serde_json::Value;

use super::SearchError;
use super::matcher::Matcher;
use super::request::{Direction, Missing, Sort, TrackTotal};
use super::search::parsed;
use super::sorting::Key;
use crate::node::indices::IndexMetadata;
use crate::node::indices::field::Kind;
use crate::node::store::{Head, Reader, Step};

/// A document that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked<'a> {
    pub(super) id: &'a str,
    pub(super) head: &'a Head,
    pub(super) source: &'a Value,
}

/// Goes through the documents that can match: the named ids, those in the range of times, or all.
pub(super) fn candidates(
    reader: &Reader,
    index: &IndexMetadata,
    matcher: &Matcher,
    mut visit: impl FnMut(Looked<'_>) -> Result<Step, SearchError>,
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
            let first = times(&head, field).filter(|time| *time >= from).min();
            if first != Some(time) {
                return Ok(Step::Next);
            }
            visit(Looked { id, head: &head, source: &parsed(&source)? })
        });
    }
    reader.scan(index.number, |id, head, source| visit(Looked { id, head: &head, source: &parsed(source)? }))
}

fn some(
    reader: &Reader,
    index: &IndexMetadata,
    ids: &BTreeSet<String>,
    mut visit: impl FnMut(Looked<'_>) -> Result<Step, SearchError>,
) -> Result<(), SearchError> {
    for id in ids {
        if let Some((head, source)) = reader.document(index.number, id)?
            && visit(Looked { id, head: &head, source: &parsed(&source)? })? == Step::Stop
        {
            break;
        }
    }
    Ok(())
}

fn times(head: &Head, field: u16) -> impl Iterator<Item = i64> {
    head.times.iter().filter(move |(number, _)| *number == field).map(|(_, time)| *time)
}

/// A walk through an index in the order of a search's first sort, which may stop when a page is full: the next page of millions of
/// documents costs what a page costs.
#[derive(Debug)]
pub(super) struct Walk {
    field: u16,
    from: i64,
    to: i64,
    forwards: bool,
    /// Documents without the field can match; they come last.
    missing: bool,
}

impl Walk {
    /// `after`: where `search_after` stands in the first sort. `None` where the order of the store is not that of the sort, or where
    /// all matches have to be counted anyhow.
    pub(super) fn plan(
        index: &IndexMetadata,
        sort: &Sort,
        after: Option<&Key>,
        matcher: &Matcher,
        total: TrackTotal,
    ) -> Option<Self> {
        let field = *index.ordered.get(&sort.field)?;
        let kind = index.mapping.field(&sort.field)?.kind;
        let in_order = (kind == Kind::Date || kind.is_whole_number()) && sort.missing == Missing::Last;
        if !in_order || matcher.ids().is_some() || !(total == TrackTotal::No || matches!(matcher, Matcher::All)) {
            return None;
        }
        let range = matcher.times().filter(|(path, ..)| *path == sort.field).map(|(_, from, to)| (from, to));
        let (lowest, highest) = range.unwrap_or((i64::MIN, i64::MAX));
        let after = match after {
            None => None,
            Some(Key::Whole(time)) => Some(*time),
            Some(_) => return None,
        };
        let forwards = sort.direction == Direction::Ascending;
        let (from, to) = match after {
            Some(time) if forwards => (time, highest),
            Some(time) => (lowest, time),
            None => (i64::MIN, i64::MAX),
        };
        // A document sorts by its first (or last) time. One that has it outside of the range and another within would be met late.
        let met_in_order = if forwards { from >= lowest } else { to <= highest };
        (range.is_none() || after.is_some() && met_in_order).then_some(Self {
            field,
            from,
            to,
            forwards,
            missing: range.is_none(),
        })
    }

    /// Documents without the field have no time.
    pub(super) fn go(
        &self,
        reader: &Reader,
        index: &IndexMetadata,
        mut visit: impl FnMut(Option<i64>, Looked<'_>) -> Result<Step, SearchError>,
    ) -> Result<(), SearchError> {
        let mut stopped = false;
        let (place, range) = ((index.number, self.field), (self.from, self.to));
        reader.in_order(place, range, None, self.forwards, |time, id| {
            let Some((head, source)) = reader.document(index.number, id)? else { return Ok(Step::Next) };
            let times = times(&head, self.field);
            // A document with several times stands there several times.
            if (if self.forwards { times.min() } else { times.max() }) != Some(time) {
                return Ok(Step::Next);
            }
            let step = visit(Some(time), Looked { id, head: &head, source: &parsed(&source)? })?;
            stopped = step == Step::Stop;
            Ok::<_, SearchError>(step)
        })?;
        if stopped || !self.missing {
            return Ok(());
        }
        reader.scan(index.number, |id, head, source| {
            if times(&head, self.field).next().is_some() {
                return Ok(Step::Next);
            }
            visit(None, Looked { id, head: &head, source: &parsed(source)? })
        })
    }
}
