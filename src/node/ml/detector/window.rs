//! The buckets that still take records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::function::Quantity;
use super::series::SeriesKey;

/// One aggregate of a bucket: the series, and the member of the population if the detector has an over field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) series: SeriesKey,
    pub(crate) over: Option<String>,
}

/// Memory of a slot beside its names: key, tree node, allocator overhead.
const SLOT_BYTES: u64 = 160;

impl Slot {
    fn bytes(&self) -> u64 {
        SLOT_BYTES + self.series.bytes() + self.over.as_ref().map_or(0, String::len) as u64
    }
}

/// A bucket that is not finished.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenBucket {
    pub(crate) event_count: u64,
    /// Memory set aside for models of series that were new in this bucket.
    reserved_bytes: u64,
    #[serde(with = "super::pairs")]
    pub(crate) slots: BTreeMap<Slot, Aggregate>,
}

/// The open buckets by their start, and how far time has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Window {
    #[serde(with = "super::pairs")]
    pub(crate) open: BTreeMap<i64, OpenBucket>,
    /// Start of the bucket that is finished next; `None` before the first record.
    pub(crate) next_start_ms: Option<i64>,
    /// The newest record's time, or what time was advanced to.
    pub(crate) latest_ms: Option<i64>,
    /// Whether a bucket has been finished: before that an older record may still open an earlier one.
    pub(crate) begun: bool,
    bytes: u64,
}

impl Window {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a record to a slot; `true` unless the slot is new and there is no room for it and for `reserve` bytes more,
    /// the model that it will need.
    pub(crate) fn add(&mut self, start_ms: i64, slot: Slot, measured: Measured, room: u64, reserve: u64) -> bool {
        let bucket = self.open.entry(start_ms).or_default();
        if let Some(aggregate) = bucket.slots.get_mut(&slot) {
            aggregate.add(measured.quantity, measured.value, measured.weight);
            return true;
        }
        let aggregate = Aggregate::first(measured.quantity, measured.value, measured.weight);
        let bytes = slot.bytes() + aggregate.bytes() + reserve;
        if bytes > room {
            return false;
        }
        bucket.reserved_bytes += reserve;
        self.bytes += bytes;
        bucket.slots.insert(slot, aggregate);
        true
    }

    /// Takes a bucket out; an empty one if no record fell into it.
    pub(crate) fn take(&mut self, start_ms: i64) -> OpenBucket {
        let bucket = self.open.remove(&start_ms).unwrap_or_default();
        let freed: u64 = bucket.slots.iter().map(|(slot, aggregate)| slot.bytes() + aggregate.bytes()).sum();
        self.bytes = self.bytes.saturating_sub(freed + bucket.reserved_bytes);
        bucket
    }
}

/// What a record adds to a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) quantity: Quantity,
    pub(crate) value: f64,
    pub(crate) weight: f64,
}
