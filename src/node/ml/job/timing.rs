//! `timing_stats`: how long it takes to finish buckets.
//!
//! Source: elasticsearch, `TimingStats.java`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::node::ml::feed::HourlyAverage;

/// How much the newest bucket counts in the exponential average.
const ALPHA: f64 = 0.01;

/// Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Timing {
    buckets: u64,
    total_ms: f64,
    minimum_ms: f64,
    maximum_ms: f64,
    average_ms: f64,
    hourly: HourlyAverage,
}

impl Timing {
    /// Adds a bucket that starts at `start_ms`.
    pub(crate) fn add(&mut self, took_ms: f64, start_ms: i64) {
        let first = self.buckets == 0;
        self.buckets += 1;
        self.total_ms += took_ms;
        self.minimum_ms = if first { took_ms } else { self.minimum_ms.min(took_ms) };
        self.maximum_ms = self.maximum_ms.max(took_ms);
        self.average_ms = if first { took_ms } else { ALPHA * took_ms + (1.0 - ALPHA) * self.average_ms };
        self.hourly.add(took_ms, Some(start_ms));
    }

    /// As `_stats` shows it.
    pub(crate) fn shown(&self, job_id: &str) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("job_id".to_owned(), json!(job_id));
        shown.insert("bucket_count".to_owned(), json!(self.buckets));
        shown.insert("total_bucket_processing_time_ms".to_owned(), json!(self.total_ms));
        if self.buckets > 0 {
            let mean_ms = self.total_ms / self.buckets as f64;
            shown.insert("minimum_bucket_processing_time_ms".to_owned(), json!(self.minimum_ms));
            shown.insert("maximum_bucket_processing_time_ms".to_owned(), json!(self.maximum_ms));
            shown.insert("average_bucket_processing_time_ms".to_owned(), json!(mean_ms));
            shown.insert("exponential_average_bucket_processing_time_ms".to_owned(), json!(self.average_ms));
        }
        let hourly = self.hourly.value();
        shown.insert("exponential_average_bucket_processing_time_per_hour_ms".to_owned(), json!(hourly));
        shown
    }

    /// The document of the results index.
    pub(crate) fn document(&self, job_id: &str) -> Value {
        let mut document = self.shown(job_id);
        document.insert("result_type".to_owned(), json!("timing_stats"));
        document.insert("exponential_average_calculation_context".to_owned(), self.hourly.shown());
        Value::Object(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_of_the_buckets_that_were_added() {
        let mut timing = Timing::default();
        assert_eq!(timing.shown("j").get("minimum_bucket_processing_time_ms"), None);
        for (took_ms, start_ms) in [(10.0, 0), (4.0, 60_000), (7.0, 120_000)] {
            timing.add(took_ms, start_ms);
        }
        let average = 0.01 * 7.0 + 0.99 * (0.01 * 4.0 + 0.99 * 10.0);
        assert_eq!(
            Value::Object(timing.shown("j")),
            json!({
                "job_id": "j",
                "bucket_count": 3,
                "total_bucket_processing_time_ms": 21.0,
                "minimum_bucket_processing_time_ms": 4.0,
                "maximum_bucket_processing_time_ms": 10.0,
                "average_bucket_processing_time_ms": 7.0,
                "exponential_average_bucket_processing_time_ms": average,
                "exponential_average_bucket_processing_time_per_hour_ms": 21.0,
            })
        );
    }
}
