//! Which fields of the callers' records may stand in results under their own names.

/// The members of results. A field that begins with one of them is not put beside it.
///
/// Source: elasticsearch, `ReservedFieldNames.java`.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "actual", "anomaly_score", "anomaly_score_explanation", "average_bucket_processing_time_ms", "bucket_allocation_failures_count", "bucket_count",
    "bucket_influencers", "bucket_span", "by_field_name", "by_field_value", "categorization_status", "categorized_doc_count", "category_id", "causes",
    "correlated_by_field_value", "create_time", "description", "detector_index", "earliest_record_timestamp", "empty_bucket_count", "event",
    "event_count", "examples", "exponential_average_bucket_processing_time_ms", "field_name", "forecast_create_timestamp",
    "forecast_end_timestamp", "forecast_expiry_timestamp", "forecast_id", "forecast_lower", "forecast_prediction", "forecast_start_timestamp",
    "forecast_status", "forecast_upper", "function", "function_description", "geo_results", "influencer_field_name", "influencer_field_value",
    "influencer_field_values", "influencer_score", "influencers", "initial_anomaly_score", "initial_influencer_score", "initial_record_score",
    "input_bytes", "input_field_count", "input_record_count", "invalid_date_count", "is_interim", "job_id", "job_version", "last_data_time",
    "latest_bucket_timestamp", "latest_empty_bucket_timestamp", "latest_record_time_stamp", "latest_record_timestamp", "latest_result_time_stamp",
    "latest_sparse_bucket_timestamp", "log_time", "max_matching_length", "maximum_bucket_processing_time_ms", "memory_status", "min_version",
    "minimum_bucket_processing_time_ms", "missing_field_count", "mlcategory", "model_bytes", "model_bytes_exceeded", "model_bytes_memory_limit",
    "model_feature", "model_lower", "model_median", "model_size_stats", "model_upper", "multi_bucket_impact", "out_of_order_timestamp_count",
    "over_field_name", "over_field_value", "partition_field_name", "partition_field_value", "peak_model_bytes", "probability",
    "processed_field_count", "processed_record_count", "processing_time_ms", "quantiles", "raw_anomaly_score", "record_score", "records", "regex",
    "result_type", "retain", "scheduled_events", "search_count", "snapshot_doc_count", "snapshot_id", "sparse_bucket_count", "terms", "timestamp",
    "total_bucket_processing_time_ms", "total_by_field_count", "total_category_count", "total_over_field_count", "total_partition_field_count",
    "total_search_time_ms", "typical", "_id", "_ignored", "_index", "_routing", "_seq_no", "_source", "_type", "_version",
];

/// Whether the field can stand in a result: it is no member of results, and a name that documents can have.
pub(crate) fn is_free(field: &str) -> bool {
    let reserved = field.split('.').next().is_some_and(|first| RESERVED.contains(&first));
    !reserved && !field.split('.').any(|part| part.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_results_and_what_documents_cannot_have_are_not_free() {
        for (field, free) in [
            ("host", true),
            ("host.timestamp", true),
            ("timestamp", false),
            ("timestamp.x", false),
            ("_source", false),
            ("a..b", false),
            (" ", false),
            ("a.", false),
        ] {
            assert_eq!(is_free(field), free, "{field}");
        }
    }
}
