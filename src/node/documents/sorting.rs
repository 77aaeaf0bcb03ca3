//! The order of hits.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::SearchError;
use super::request::{Direction, Missing, Sort};
use super::walk::Looked;
use crate::node::indices::field::{Kind, number, plain};
use crate::node::indices::{IndexMetadata, values};

/// One sort value of one document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Whole(i64),
    Real(f64),
    Text(String),
    Missing,
}

/// A sort made ready for one index.
#[derive(Debug)]
pub(super) struct Sorter {
    sort: Sort,
    by: By,
}

#[derive(Debug)]
enum By {
    Score,
    Stored,
    Id,
    SequenceNumber,
    Field { path: String, kind: Kind, formats: crate::node::indices::field::DateFormats },
    Unmapped,
}

impl By {
    fn is_whole(&self) -> bool {
        matches!(self, Self::Field { kind, .. } if kind.is_whole_number() || *kind == Kind::Date)
    }
}

impl Sorter {
    /// # Errors
    /// A field that does not sort.
    pub(super) fn compile(sort: &Sort, index: &IndexMetadata) -> Result<Self, SearchError> {
        let by = match sort.field.as_str() {
            "_score" => By::Score,
            "_doc" | "_shard_doc" => By::Stored,
            "_id" => By::Id,
            "_seq_no" => By::SequenceNumber,
            name => by_field(name, sort, index)?,
        };
        Ok(Self { sort: sort.clone(), by })
    }

    /// `place` counts the matches of an index in the order in which they are found.
    pub(super) fn key(&self, found: Looked<'_>, score: f64, place: u64) -> Key {
        let Looked { id, head, source } = found;
        match &self.by {
            By::Score => Key::Real(score),
            By::Stored => Key::Whole(i64::try_from(place).unwrap_or(i64::MAX)),
            By::Unmapped => Key::Missing,
            By::Id => Key::Text(id.to_owned()),
            By::SequenceNumber => Key::Whole(i64::try_from(head.seq_no).unwrap_or(i64::MAX)),
            By::Field { path, kind, formats } => {
                let keys = values::at(source, path).into_iter().filter_map(|value| match kind {
                    Kind::Date => formats.milliseconds(value).map(Key::Whole),
                    Kind::Boolean => value.as_bool().map(|value| Key::Whole(i64::from(value))),
                    kind if kind.is_whole_number() => crate::node::indices::field::whole(value).map(Key::Whole),
                    kind if kind.is_number() => number(value).map(Key::Real),
                    _ => Some(Key::Text(plain(value))),
                });
                // Of several values the one that comes first counts.
                let best = match self.sort.direction {
                    Direction::Ascending => keys.min_by(natural),
                    Direction::Descending => keys.max_by(natural),
                };
                best.unwrap_or(Key::Missing)
            }
        }
    }

    /// As `sort` of a hit shows it.
    pub(super) fn show(&self, key: &Key) -> Value {
        match key {
            Key::Whole(number) => json!(number),
            Key::Real(number) => json!(number),
            Key::Text(text) => json!(text),
            Key::Missing if self.by.is_whole() => json!(self.absent()),
            Key::Missing => Value::Null,
        }
    }

    /// What a missing whole number or date is shown as.
    fn absent(&self) -> i64 {
        let high = (self.sort.missing == Missing::Last) == (self.sort.direction == Direction::Ascending);
        if high { i64::MAX } else { i64::MIN }
    }

    /// Reads a value of `search_after`.
    pub(super) fn read(&self, value: &Value) -> Key {
        match (&self.by, value) {
            (_, Value::Null) => Key::Missing,
            // The index of the last hit may have had the field where this one has not.
            (by, value) if (by.is_whole() || matches!(by, By::Unmapped)) && *value == json!(self.absent()) => {
                Key::Missing
            }
            // A number is milliseconds, as hits show them, and never the year that the field's format would see in it.
            (By::Field { kind: Kind::Date, formats, .. }, value) if !value.is_number() => {
                formats.milliseconds(value).map_or(Key::Missing, Key::Whole)
            }
            (_, Value::Number(number)) => match number.as_i64() {
                Some(whole) if !matches!(self.by, By::Score) => Key::Whole(whole),
                _ => number.as_f64().map_or(Key::Missing, Key::Real),
            },
            (_, other) => Key::Text(plain(other)),
        }
    }
}

fn by_field(name: &str, sort: &Sort, index: &IndexMetadata) -> Result<By, SearchError> {
    let Some(field) = index.mapping.field(name) else {
        if sort.unmapped {
            return Ok(By::Unmapped);
        }
        return Err(SearchError::argument(format!("No mapping found for [{name}] in order to sort on")));
    };
    if matches!(field.kind, Kind::Text | Kind::Object | Kind::Opaque) {
        return Err(SearchError::argument(format!(
            "Fielddata is disabled on [{name}] in [{}]. Text fields are not optimised for operations that require per-document \
             field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field \
             instead.",
            index.name
        )));
    }
    let parent = name.rsplit_once('.').map(|(parent, _)| parent);
    let leaf = |path: &&str| index.mapping.field(path).is_some_and(|field| field.kind != Kind::Object);
    let path = parent.filter(leaf).unwrap_or(name).to_owned();
    Ok(By::Field { path, kind: field.kind, formats: field.formats.clone() })
}

/// Compares by direction; missing values stand where the sort puts them, whatever the direction.
pub(super) fn compare(sort: &Sort, left: &Key, right: &Key) -> Ordering {
    let missing_left = matches!(left, Key::Missing);
    let missing_right = matches!(right, Key::Missing);
    if missing_left || missing_right {
        let order = missing_left.cmp(&missing_right);
        return if sort.missing == Missing::Last { order } else { order.reverse() };
    }
    match sort.direction {
        Direction::Ascending => natural(left, right),
        Direction::Descending => natural(right, left),
    }
}

fn natural(left: &Key, right: &Key) -> Ordering {
    match (left, right) {
        (Key::Whole(left), Key::Whole(right)) => left.cmp(right),
        (Key::Text(left), Key::Text(right)) => left.cmp(right),
        (Key::Text(_), _) => Ordering::Greater,
        (_, Key::Text(_)) => Ordering::Less,
        (left, right) => real(left).total_cmp(&real(right)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "whole and real numbers of two indices are compared as real ones")]
fn real(key: &Key) -> f64 {
    match key {
        Key::Whole(number) => *number as f64,
        Key::Real(number) => *number,
        Key::Text(_) | Key::Missing => f64::NAN,
    }
}
