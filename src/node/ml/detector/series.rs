//! The models of all series of a job, within its memory limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::Model;
use super::rarity::Rarity;
use super::track::{Moment, Noise};

/// What is modelled apart: a detector, one of the values that its function computes, and the values of its partition and by fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SeriesKey {
    pub(crate) detector: usize,
    /// Index into the function's quantities: only `metric` has several.
    pub(crate) feature: usize,
    pub(crate) partition: Option<String>,
    pub(crate) by: Option<String>,
}

/// The feature under which the members of a population are counted.
const MEMBERS: usize = usize::MAX;

impl SeriesKey {
    /// Counts in how many buckets a member of a population occurs.
    pub(crate) fn member(detector: usize, partition: Option<String>, member: String) -> Self {
        Self { detector, feature: MEMBERS, partition, by: Some(member) }
    }

    pub(crate) fn is_member(&self) -> bool {
        self.feature == MEMBERS
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.partition.as_ref().map_or(0, String::len) + self.by.as_ref().map_or(0, String::len)) as u64
    }
}

/// Memory that a series takes beside its names and model: tree nodes, allocator overhead.
const SERIES_BYTES: u64 = 160;

/// Figures for `model_size_stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ModelSize {
    pub(crate) bytes: u64,
    pub(crate) memory_limit_bytes: u64,
    pub(crate) by_values: u64,
    pub(crate) over_values: u64,
    pub(crate) partition_values: u64,
    pub(crate) allocation_failures: u64,
    pub(crate) status: MemoryStatus,
}

/// Whether the job keeps within `model_memory_limit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemoryStatus {
    #[default]
    Ok,
    /// Little is left: new series do without a season.
    SoftLimit,
    /// New series are not modelled.
    HardLimit,
}

/// What is known of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Knowledge {
    /// The values that it takes.
    Values(Box<Model>),
    /// Of a category: how often it occurred, and the start of the newest bucket with it.
    Occurrences { count: u64, seen_ms: i64 },
}

impl Knowledge {
    fn bytes(&self) -> u64 {
        match self {
            Self::Values(model) => model.bytes(),
            Self::Occurrences { .. } => 0,
        }
    }

    fn seen_ms(&self) -> i64 {
        match self {
            Self::Values(model) => model.seen_ms,
            Self::Occurrences { seen_ms, .. } => *seen_ms,
        }
    }
}

/// What has been learned of every series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Models {
    #[serde(with = "super::pairs")]
    known: BTreeMap<SeriesKey, Knowledge>,
    bytes: u64,
}

impl Models {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn knows(&self, key: &SeriesKey) -> bool {
        self.known.contains_key(key)
    }

    pub(crate) fn model(&self, key: &SeriesKey) -> Option<&Model> {
        match self.known.get(key) {
            Some(Knowledge::Values(model)) => Some(model),
            _ => None,
        }
    }

    /// How often a category occurred.
    pub(crate) fn occurrences(&self, key: &SeriesKey) -> u64 {
        match self.known.get(key) {
            Some(Knowledge::Occurrences { count, .. }) => *count,
            _ => 0,
        }
    }

    /// In how many buckets there was a record of it.
    pub(crate) fn buckets_with(&self, key: &SeriesKey) -> u64 {
        self.model(key).map_or_else(|| self.occurrences(key), |model| model.seen)
    }

    /// How rare the categories of a detector and partition are.
    pub(crate) fn rarity(&self, detector: usize, partition: Option<&String>) -> Rarity {
        let first = SeriesKey { detector, feature: 0, partition: partition.cloned(), by: None };
        let own = self
            .known
            .range(first..)
            .take_while(|(key, _)| key.detector == detector && key.feature == 0 && key.partition.as_ref() == partition);
        Rarity::new(own.map(|(key, _)| self.occurrences(key)).collect())
    }

    /// Learns a value, at `seen` if a record was there. The window has checked the memory limit for the series itself; gives
    /// whether its season did not fit into `room` bytes.
    pub(crate) fn learn(&mut self, key: &SeriesKey, value: f64, moment: Moment, noise: Noise, room: u64) -> bool {
        let bytes = &mut self.bytes;
        let known = self.known.entry(key.clone()).or_insert_with(|| {
            *bytes += Self::cost(key);
            Knowledge::Values(Box::default())
        });
        let Knowledge::Values(model) = known else { return false };
        let before = model.bytes();
        let short = model.learn(moment, value, noise, room);
        *bytes += model.bytes().saturating_sub(before);
        short
    }

    /// Counts an occurrence of a category.
    pub(crate) fn occurred(&mut self, key: &SeriesKey) {
        let bytes = &mut self.bytes;
        let known = self.known.entry(key.clone()).or_insert_with(|| {
            *bytes += Self::cost_of_category(key);
            Knowledge::Occurrences { count: 0, seen_ms: 0 }
        });
        if let Knowledge::Occurrences { count, .. } = known {
            *count = count.saturating_add(1);
        }
    }

    /// Notes that a bucket has a record of the series.
    pub(crate) fn seen(&mut self, key: &SeriesKey, start_ms: i64) {
        match self.known.get_mut(key) {
            Some(Knowledge::Values(model)) => {
                model.seen_ms = start_ms;
                model.seen = model.seen.saturating_add(1);
            }
            Some(Knowledge::Occurrences { seen_ms, .. }) => *seen_ms = start_ms,
            None => {}
        }
    }

    /// Forgets series without a record since `before_ms`; gives whether there were any.
    pub(crate) fn prune(&mut self, before_ms: i64) -> bool {
        let before = self.known.len();
        self.known.retain(|_, known| known.seen_ms() >= before_ms);
        let cost = |(key, known): (&SeriesKey, &Knowledge)| SERIES_BYTES + key.bytes() + known.bytes();
        self.bytes = self.known.iter().map(cost).sum();
        self.known.len() < before
    }

    /// Memory that a new series takes at first.
    pub(crate) fn cost(key: &SeriesKey) -> u64 {
        Self::cost_of_category(key) + Model::BYTES
    }

    pub(crate) fn cost_of_category(key: &SeriesKey) -> u64 {
        SERIES_BYTES + key.bytes()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &SeriesKey> {
        self.known.keys()
    }
}
