//! The anomaly detector: one pass over records in time order, bounded memory, results a bucket at a time.
//!
//! It is ours, not Elastic's; `docs/detector.md` says what it computes. Nothing in here knows of storage, time of day or HTTP.

mod aggregate;
mod engine;
mod filter;
mod function;
mod outcome;
mod pairs;
mod record;
mod rule;
mod running;
mod score;
mod series;
mod tail;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use engine::{Acceptance, Engine, Learned, Unfinished};
pub(crate) use filter::Filter;
#[cfg(test)]
use filter::Filters;
pub(crate) use function::{Function, NotModelled};
pub(crate) use outcome::{BucketOutcome, InfluencerOutcome, RecordOutcome};
pub(crate) use record::{Record, find};
pub(crate) use rule::ScheduledEvent;
pub(crate) use rule::{Actions, AppliesTo, Condition, Operator, Rule, Scope, Split};
#[cfg(test)]
use series::MemoryStatus;
pub(crate) use series::ModelSize;

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
}
