//! The anomaly detector: one pass over records in time order, bounded memory, results a bucket at a time.
//!
//! It is ours, not Elastic's; `docs/detector.md` says what it computes. Nothing in here knows of storage, time of day or HTTP.

mod aggregate;
mod distinct;
mod engine;
mod expectation;
mod filter;
mod function;
mod influences;
mod judge;
mod model;
mod outcome;
mod packed;
mod pairs;
mod plot;
mod rarity;
mod record;
mod rule;
mod score;
mod season;
mod series;
mod share;
mod stored;
mod tail;
#[cfg(test)]
pub(crate) mod tests;
mod track;
mod window;

use std::collections::BTreeSet;

pub(crate) use engine::{Acceptance, Engine, Outlook, Unforeseeable, floor};
pub(crate) use filter::Filter;
#[cfg(test)]
use filter::Filters;
pub(crate) use function::{Function, NotModelled};
pub(crate) use outcome::{BucketOutcome, ExpectedValue, FieldOutcome, InfluencerOutcome, RecordOutcome};
pub(crate) use plot::Plot;
pub(crate) use record::{Record, find};
pub(crate) use rule::ScheduledEvent;
pub(crate) use rule::{Actions, AppliesTo, Condition, Operator, Rule, Scope, Split};
#[cfg(test)]
use series::MemoryStatus;
pub(crate) use series::ModelSize;
pub(crate) use stored::{Learned, Unfinished};

/// What a job asks the detector to do; validated by `configuration::analysis`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Milliseconds, at least 1.
    pub(crate) bucket_span_ms: i64,
    /// How far behind the newest record a record may be and still count, in milliseconds.
    pub(crate) latency_ms: i64,
    pub(crate) detectors: Vec<DetectorPlan>,
    pub(crate) influencers: Vec<String>,
    /// Each record stands for as many events as this field says.
    pub(crate) summary_count_field: Option<String>,
    pub(crate) memory_limit_bytes: u64,
    /// A series without a record for so long is forgotten, in milliseconds.
    pub(crate) prune_after_ms: i64,
    /// Which expectations are shown beside the results.
    pub(crate) plot: Plot,
}

impl Plan {
    /// The fields of a record that it reads, the time aside.
    pub(crate) fn fields(&self) -> BTreeSet<&str> {
        let detectors = self.detectors.iter().flat_map(DetectorPlan::fields);
        detectors.chain(&self.influencers).chain(&self.summary_count_field).map(String::as_str).collect()
    }
}

impl DetectorPlan {
    /// The fields of a record that it reads.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &String> {
        [&self.field, &self.by, &self.over, &self.partition].into_iter().flatten()
    }

    /// The fields that it splits its records by.
    pub(crate) fn splits(&self) -> impl Iterator<Item = &String> {
        [&self.by, &self.over, &self.partition].into_iter().flatten()
    }
}

/// One detector of a job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DetectorPlan {
    pub(crate) function: Function,
    /// The metric; `None` for the count family.
    pub(crate) field: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) over: Option<String>,
    pub(crate) partition: Option<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exclude_frequent: ExcludeFrequent,
    /// Whether a record without the by or partition field is one of an empty value.
    pub(crate) use_null: bool,
}

/// Which of a detector's fields leave their frequent values out of the results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ExcludeFrequent {
    #[default]
    None,
    All,
    By,
    Over,
}

/// Values are held within this, so that squares, sums and 32-bit numbers stay finite.
const MAGNITUDE_MAX: f64 = 1e30;

fn hold(value: f64) -> f64 {
    value.clamp(-MAGNITUDE_MAX, MAGNITUDE_MAX)
}
