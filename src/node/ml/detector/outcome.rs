//! What the detector says of one bucket.

/// A finished (or, for interim results, a partial) bucket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BucketOutcome {
    /// Start of the bucket, milliseconds, a multiple of the span.
    pub(crate) start_ms: i64,
    pub(crate) event_count: u64,
    /// 0 to 100.
    pub(crate) score: f64,
    pub(crate) probability: f64,
    pub(crate) records: Vec<RecordOutcome>,
    pub(crate) influencers: Vec<InfluencerOutcome>,
    /// Descriptions of the calendars' events that cover the bucket.
    pub(crate) scheduled_events: Vec<String>,
}

/// An unusual value of one series, or of one member of a population.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordOutcome {
    pub(crate) detector: usize,
    pub(crate) partition: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) over: Option<String>,
    /// Above 0, at most 1.
    pub(crate) probability: f64,
    /// 0 to 100.
    pub(crate) score: f64,
    pub(crate) typical: f64,
    pub(crate) actual: f64,
}

/// A field value that the bucket's records share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InfluencerOutcome {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) probability: f64,
    pub(crate) score: f64,
}
