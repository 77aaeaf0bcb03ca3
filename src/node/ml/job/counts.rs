//! `data_counts`: what a job has been given and what became of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DataCounts {
    pub(crate) processed_record_count: u64,
    pub(crate) processed_field_count: u64,
    pub(crate) input_bytes: u64,
    pub(crate) input_field_count: u64,
    pub(crate) invalid_date_count: u64,
    pub(crate) missing_field_count: u64,
    pub(crate) out_of_order_timestamp_count: u64,
    pub(crate) empty_bucket_count: u64,
    pub(crate) sparse_bucket_count: u64,
    pub(crate) bucket_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) earliest_record_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_record_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_data_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_empty_bucket_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_bucket_timestamp: Option<i64>,
    pub(crate) input_record_count: u64,
}

impl DataCounts {
    /// As `_stats`, `_data` and the document show it.
    pub(crate) fn shown(&self, job_id: &str) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("job_id".to_owned(), json!(job_id));
        if let Ok(Value::Object(counts)) = serde_json::to_value(self) {
            shown.extend(counts);
        }
        shown
    }

    /// Counts a record that was taken or was too old.
    pub(crate) fn saw(&mut self, time_ms: i64) {
        self.earliest_record_timestamp = Some(self.earliest_record_timestamp.map_or(time_ms, |old| old.min(time_ms)));
        self.latest_record_timestamp = Some(self.latest_record_timestamp.map_or(time_ms, |old| old.max(time_ms)));
    }

    /// What has been added since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            processed_record_count: self.processed_record_count - before.processed_record_count,
            processed_field_count: self.processed_field_count - before.processed_field_count,
            input_bytes: self.input_bytes - before.input_bytes,
            input_field_count: self.input_field_count - before.input_field_count,
            invalid_date_count: self.invalid_date_count - before.invalid_date_count,
            missing_field_count: self.missing_field_count - before.missing_field_count,
            out_of_order_timestamp_count: self.out_of_order_timestamp_count - before.out_of_order_timestamp_count,
            empty_bucket_count: self.empty_bucket_count - before.empty_bucket_count,
            sparse_bucket_count: self.sparse_bucket_count - before.sparse_bucket_count,
            bucket_count: self.bucket_count - before.bucket_count,
            input_record_count: self.input_record_count - before.input_record_count,
            ..self.clone()
        }
    }
}
