//! What the detector says of one bucket.

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
