//! The buckets that still take records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Measured};
use super::series::SeriesKey;
use super::share::{self, Share};

/// One aggregate of a bucket: the series, and the member of the population if the detector has an over field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) series: SeriesKey,
    pub(crate) over: Option<String>,
}

/// Memory of a slot beside its names: key, tree node, allocator overhead.
const SLOT_BYTES: u64 = 200;

impl Slot {
    /// What the member of the population is counted under.
    pub(crate) fn member(&self) -> Option<SeriesKey> {
        let SeriesKey { detector, partition, .. } = &self.series;
        Some(SeriesKey::member(*detector, partition.clone(), self.over.clone()?))
    }

    fn bytes(&self) -> u64 {
        SLOT_BYTES + self.series.bytes() + self.over.as_ref().map_or(0, String::len) as u64
    }
}

/// What the records of a slot come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) aggregate: Aggregate,
    /// Events that the records stand for.
    pub(crate) events: f64,
    pub(crate) shares: Vec<Share>,
}

impl Tally {
    fn bytes(&self) -> u64 {
        self.aggregate.bytes() + self.shares.iter().map(Share::bytes).sum::<u64>()
    }
}

/// A bucket that is not finished.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenBucket {
    pub(crate) event_count: u64,
    /// Memory set aside for models of series that were new in this bucket.
    reserved_bytes: u64,
    #[serde(with = "super::pairs")]
    pub(crate) slots: BTreeMap<Slot, Tally>,
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

/// What memory there is for a record: bytes in all, and bytes to set aside for the model if the slot is new.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    pub(crate) model_bytes: u64,
}

impl Window {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a record to a slot, and to the shares of its influencer values; `true` unless there is no room for it. Shares that
    /// do not fit are left out.
    pub(crate) fn add(
        &mut self,
        start_ms: i64,
        slot: Slot,
        measured: Measured,
        influencers: &[(usize, &str)],
        room: Room,
    ) -> bool {
        let bucket = self.open.entry(start_ms).or_default();
        let mut left = room.bytes;
        let tally = match bucket.slots.get_mut(&slot) {
            Some(tally) => {
                if tally.aggregate.growth() > left {
                    return false;
                }
                let before = tally.aggregate.bytes();
                tally.aggregate.add(measured);
                tally.events += measured.weight;
                let grown = tally.aggregate.bytes().saturating_sub(before);
                self.bytes += grown;
                left = left.saturating_sub(grown);
                tally
            }
            None => {
                let aggregate = Aggregate::first(measured);
                let tally = Tally { aggregate, events: measured.weight, shares: Vec::new() };
                let bytes = slot.bytes() + tally.bytes() + room.model_bytes;
                if bytes > left {
                    return false;
                }
                bucket.reserved_bytes += room.model_bytes;
                self.bytes += bytes;
                left -= bytes;
                bucket.slots.entry(slot).or_insert(tally)
            }
        };
        for (influencer, value) in influencers {
            let added = share::add(&mut tally.shares, *influencer, value, measured, left);
            self.bytes = self.bytes.saturating_add_signed(added);
            left = left.saturating_sub(added.unsigned_abs() * u64::from(added > 0));
        }
        true
    }

    /// Takes a bucket out; an empty one if no record fell into it.
    pub(crate) fn take(&mut self, start_ms: i64) -> OpenBucket {
        let bucket = self.open.remove(&start_ms).unwrap_or_default();
        let freed: u64 = bucket.slots.iter().map(|(slot, tally)| slot.bytes() + tally.bytes()).sum();
        self.bytes = self.bytes.saturating_sub(freed + bucket.reserved_bytes);
        bucket
    }
}
