//! What the detector says of one bucket.

use super::expectation::Bounds;

/// A finished (or, for interim results, a partial) bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct BucketOutcome {
    /// Start of the bucket, milliseconds, a multiple of the span.
    pub(crate) start_ms: i64,
    pub(crate) event_count: u64,
    /// 0 to 100.
    pub(crate) score: f64,
    pub(crate) probability: f64,
    pub(crate) records: Vec<RecordOutcome>,
    pub(crate) influencers: Vec<InfluencerOutcome>,
    /// Of all values of an influencer field together.
    pub(crate) influencer_fields: Vec<FieldOutcome>,
    /// Descriptions of the calendars' events that cover the bucket.
    pub(crate) scheduled_events: Vec<String>,
    /// What was expected, if the plan asks for it; of finished buckets only.
    pub(crate) expected: Vec<ExpectedValue>,
}

/// What a model expects of one series, or of one member of a population, in one bucket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExpectedValue {
    pub(crate) detector: usize,
    /// Index into the function's quantities.
    pub(crate) feature: usize,
    pub(crate) partition: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) over: Option<String>,
    /// Start of the bucket, milliseconds.
    pub(crate) start_ms: i64,
    pub(crate) bounds: Bounds,
    /// What it was; `None` where there was no record or the bucket is still to come.
    pub(crate) actual: Option<f64>,
}

/// An unusual value of one series, or of one member of a population.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordOutcome {
    pub(crate) detector: usize,
    /// Index into the function's quantities.
    pub(crate) feature: usize,
    pub(crate) partition: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) over: Option<String>,
    /// Above 0, at most 1.
    pub(crate) probability: f64,
    /// 0 to 100.
    pub(crate) score: f64,
    pub(crate) typical: f64,
    pub(crate) actual: f64,
    /// Field and value of the influencers that the record is due to.
    pub(crate) influencers: Vec<(String, String)>,
}

/// A field value that the bucket's records are due to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InfluencerOutcome {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) probability: f64,
    pub(crate) score: f64,
}

/// An influencer field of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldOutcome {
    pub(crate) field: String,
    pub(crate) probability: f64,
    pub(crate) score: f64,
}
