//! What each influencer value contributed to a value of a bucket.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Measured};

/// Values of one influencer field that are kept of one slot, the heaviest ones.
const KEPT: usize = 16;

/// The records of a slot that have one value of an influencer field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Index into the job's influencers.
    pub(crate) influencer: usize,
    pub(crate) value: String,
    weight: f64,
    sum: f64,
    least: f64,
    greatest: f64,
}

impl Share {
    pub(crate) fn new(influencer: usize, value: String, measured: Measured) -> Self {
        let Measured { value: number, weight, .. } = measured;
        Self { influencer, value, weight, sum: number * weight, least: number, greatest: number }
    }

    pub(crate) fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.value.len()) as u64
    }

    fn add(&mut self, measured: Measured) {
        self.weight += measured.weight;
        self.sum += measured.value * measured.weight;
        self.least = self.least.min(measured.value);
        self.greatest = self.greatest.max(measured.value);
    }

    /// The value without these records; `None` if nothing would be left, or if it cannot be known.
    pub(crate) fn without(&self, whole: &Aggregate, counts: bool) -> Option<f64> {
        match whole {
            Aggregate::Total(total) if counts => Some(total - self.weight),
            Aggregate::Total(total) => Some(total - self.sum),
            Aggregate::Mean { sum, weight } if *weight > self.weight => Some((sum - self.sum) / (weight - self.weight)),
            _ => None,
        }
    }

    /// How much of the value is of these records where it cannot be taken apart: 0 to 1.
    pub(crate) fn part(&self, whole: &Aggregate, events: f64) -> f64 {
        match whole {
            Aggregate::Min(least) => f64::from(u8::from(self.least <= *least)),
            Aggregate::Max(greatest) => f64::from(u8::from(self.greatest >= *greatest)),
            _ => (self.weight / events.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0),
        }
    }
}

/// Adds a record to its share. Where a field has many values the lightest share gives way, and leaves its weight to the newcomer
/// (Metwally's space saving), so that a heavy one is never missed. Gives the bytes that were added, which `room` limits.
pub(crate) fn add(shares: &mut Vec<Share>, influencer: usize, value: &str, measured: Measured, room: u64) -> i64 {
    if let Some(share) = shares.iter_mut().find(|share| share.influencer == influencer && share.value == value) {
        share.add(measured);
        return 0;
    }
    let mut new = Share::new(influencer, value.to_owned(), measured);
    let own = || shares.iter().enumerate().filter(|(_, share)| share.influencer == influencer);
    let lightest = own().min_by(|(_, left), (_, right)| left.weight.total_cmp(&right.weight)).map(|(at, _)| at);
    let freed = match lightest.filter(|_| own().count() >= KEPT) {
        Some(at) => {
            let lightest = shares.swap_remove(at);
            new.weight += lightest.weight;
            lightest.bytes()
        }
        None => 0,
    };
    let bytes = new.bytes();
    if bytes > room.saturating_add(freed) {
        return -i64::try_from(freed).unwrap_or(i64::MAX);
    }
    shares.push(new);
    i64::try_from(bytes).unwrap_or(i64::MAX).saturating_sub_unsigned(freed)
}
