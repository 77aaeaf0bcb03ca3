//! `_cat/ml/anomaly_detectors` and `_cat/ml/datafeeds`.
//!
//! Source: elasticsearch, `RestCatJobsAction.java`, `RestCatDatafeedsAction.java`.

use serde_json::Value;

use super::call::Call;
use super::stats::{datafeed_stats, job_stats};
use crate::node::http::{ApiError, Cell, Column, Reply, Table};
use crate::node::indices::dates;

/// How a figure is written.
#[derive(Clone, Copy)]
enum Written {
    Plain,
    Bytes,
    Milliseconds,
    Date,
}

/// A column, and where its value stands in the statistics.
type Figure = (Column, &'static str, Written);

#[rustfmt::skip] // a table: one column a line
const JOBS: &[Figure] = &[
    (Column { name: "id", aliases: &[], shown: true, right: false }, "/job_id", Written::Plain),
    (Column { name: "state", aliases: &["s"], shown: true, right: true }, "/state", Written::Plain),
    (Column { name: "opened_time", aliases: &["ot"], shown: false, right: false }, "/open_time", Written::Plain),
    (Column { name: "assignment_explanation", aliases: &["ae"], shown: false, right: false }, "/assignment_explanation", Written::Plain),
    (Column { name: "data.processed_records", aliases: &["dpr", "dataProcessedRecords"], shown: true, right: false }, "/data_counts/processed_record_count", Written::Plain),
    (Column { name: "data.processed_fields", aliases: &["dpf", "dataProcessedFields"], shown: false, right: false }, "/data_counts/processed_field_count", Written::Plain),
    (Column { name: "data.input_bytes", aliases: &["dib", "dataInputBytes"], shown: false, right: false }, "/data_counts/input_bytes", Written::Bytes),
    (Column { name: "data.input_records", aliases: &["dir", "dataInputRecords"], shown: false, right: false }, "/data_counts/input_record_count", Written::Plain),
    (Column { name: "data.input_fields", aliases: &["dif", "dataInputFields"], shown: false, right: false }, "/data_counts/input_field_count", Written::Plain),
    (Column { name: "data.invalid_dates", aliases: &["did", "dataInvalidDates"], shown: false, right: false }, "/data_counts/invalid_date_count", Written::Plain),
    (Column { name: "data.missing_fields", aliases: &["dmf", "dataMissingFields"], shown: false, right: false }, "/data_counts/missing_field_count", Written::Plain),
    (Column { name: "data.out_of_order_timestamps", aliases: &["doot", "dataOutOfOrderTimestamps"], shown: false, right: false }, "/data_counts/out_of_order_timestamp_count", Written::Plain),
    (Column { name: "data.empty_buckets", aliases: &["deb", "dataEmptyBuckets"], shown: false, right: false }, "/data_counts/empty_bucket_count", Written::Plain),
    (Column { name: "data.sparse_buckets", aliases: &["dsb", "dataSparseBuckets"], shown: false, right: false }, "/data_counts/sparse_bucket_count", Written::Plain),
    (Column { name: "data.buckets", aliases: &["db", "dataBuckets"], shown: false, right: false }, "/data_counts/bucket_count", Written::Plain),
    (Column { name: "data.earliest_record", aliases: &["der", "dataEarliestRecord"], shown: false, right: false }, "/data_counts/earliest_record_timestamp", Written::Date),
    (Column { name: "data.latest_record", aliases: &["dlr", "dataLatestRecord"], shown: false, right: false }, "/data_counts/latest_record_timestamp", Written::Date),
    (Column { name: "data.last", aliases: &["dl", "dataLast"], shown: false, right: false }, "/data_counts/last_data_time", Written::Date),
    (Column { name: "data.last_empty_bucket", aliases: &["dleb", "dataLastEmptyBucket"], shown: false, right: false }, "/data_counts/latest_empty_bucket_timestamp", Written::Date),
    (Column { name: "model.bytes", aliases: &["mb", "modelBytes"], shown: true, right: false }, "/model_size_stats/model_bytes", Written::Bytes),
    (Column { name: "model.memory_status", aliases: &["mms", "modelMemoryStatus"], shown: true, right: true }, "/model_size_stats/memory_status", Written::Plain),
    (Column { name: "model.memory_limit", aliases: &["mml", "modelMemoryLimit"], shown: false, right: false }, "/model_size_stats/model_bytes_memory_limit", Written::Bytes),
    (Column { name: "model.by_fields", aliases: &["mbf", "modelByFields"], shown: false, right: false }, "/model_size_stats/total_by_field_count", Written::Plain),
    (Column { name: "model.over_fields", aliases: &["mof", "modelOverFields"], shown: false, right: false }, "/model_size_stats/total_over_field_count", Written::Plain),
    (Column { name: "model.partition_fields", aliases: &["mpf", "modelPartitionFields"], shown: false, right: false }, "/model_size_stats/total_partition_field_count", Written::Plain),
    (Column { name: "model.bucket_allocation_failures", aliases: &["mbaf", "modelBucketAllocationFailures"], shown: false, right: false }, "/model_size_stats/bucket_allocation_failures_count", Written::Plain),
    (Column { name: "forecasts.total", aliases: &["ft", "forecastsTotal"], shown: true, right: false }, "/forecasts_stats/total", Written::Plain),
    (Column { name: "node.id", aliases: &["ni", "nodeId"], shown: false, right: false }, "/node/id", Written::Plain),
    (Column { name: "node.name", aliases: &["nn", "nodeName"], shown: false, right: false }, "/node/name", Written::Plain),
    (Column { name: "node.address", aliases: &["na", "nodeAddress"], shown: false, right: false }, "/node/transport_address", Written::Plain),
    (Column { name: "buckets.count", aliases: &["bc", "bucketsCount"], shown: true, right: false }, "/timing_stats/bucket_count", Written::Plain),
    (Column { name: "buckets.time.total", aliases: &["btt", "bucketsTimeTotal"], shown: false, right: false }, "/timing_stats/total_bucket_processing_time_ms", Written::Milliseconds),
];

#[rustfmt::skip] // a table: one column a line
const DATAFEEDS: &[Figure] = &[
    (Column { name: "id", aliases: &[], shown: true, right: false }, "/datafeed_id", Written::Plain),
    (Column { name: "state", aliases: &["s"], shown: true, right: true }, "/state", Written::Plain),
    (Column { name: "assignment_explanation", aliases: &["ae"], shown: false, right: false }, "/assignment_explanation", Written::Plain),
    (Column { name: "buckets.count", aliases: &["bc", "bucketsCount"], shown: true, right: false }, "/timing_stats/bucket_count", Written::Plain),
    (Column { name: "search.count", aliases: &["sc", "searchCount"], shown: true, right: false }, "/timing_stats/search_count", Written::Plain),
    (Column { name: "search.bucket_avg", aliases: &["sba", "searchBucketAvg"], shown: false, right: false }, "/timing_stats/average_search_time_per_bucket_ms", Written::Milliseconds),
    (Column { name: "search.time", aliases: &["st", "searchTime"], shown: false, right: false }, "/timing_stats/total_search_time_ms", Written::Milliseconds),
    (Column { name: "search.exp_avg_hour", aliases: &["seah", "searchExpAvgHour"], shown: false, right: false }, "/timing_stats/exponential_average_search_time_per_hour_ms", Written::Milliseconds),
    (Column { name: "node.id", aliases: &["ni", "nodeId"], shown: false, right: false }, "/node/id", Written::Plain),
    (Column { name: "node.name", aliases: &["nn", "nodeName"], shown: false, right: false }, "/node/name", Written::Plain),
    (Column { name: "node.address", aliases: &["na", "nodeAddress"], shown: false, right: false }, "/node/transport_address", Written::Plain),
];

pub(super) async fn jobs(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let stats = job_stats(&call, call.no_match("allow_no_jobs")?)?;
    reply(&call, JOBS, &stats)
}

pub(super) async fn datafeeds(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let stats = datafeed_stats(&call, call.no_match("allow_no_datafeeds")?)?;
    reply(&call, DATAFEEDS, &stats)
}

fn reply(call: &Call, figures: &[Figure], stats: &[Value]) -> Result<Reply, ApiError> {
    let mut table = Table::new(figures.iter().map(|(column, ..)| *column).collect());
    for one in stats {
        let cell =
            |(_, pointer, how): &Figure| one.pointer(pointer).map_or(Value::Null.into(), |value| cell(value, *how));
        table.row(figures.iter().map(cell).collect());
    }
    table.reply(&call.request)
}

fn cell(value: &Value, how: Written) -> Cell {
    match (how, value.as_u64(), value.as_f64()) {
        (Written::Bytes, Some(bytes), _) => Cell::Bytes(bytes),
        (Written::Milliseconds, _, Some(duration_ms)) => Cell::Milliseconds(duration_ms as i64),
        (Written::Date, Some(_), _) => value.as_i64().map_or(Value::Null, |at| dates::format(at).into()).into(),
        _ => value.clone().into(),
    }
}
