//! `_cat/ml/anomaly_detectors` and `_cat/ml/datafeeds`.
//!
//! Source: elasticsearch, `RestCatJobsAction.java`, `RestCatDatafeedsAction.java`.

use serde_json::Value;

use Written::{Bytes, Date, Milliseconds, Plain, Real};

use super::call::Call;
use super::stats::{datafeed_stats, job_stats};
use crate::node::http::{ApiError, Cell, Column, Reply, Table};
use crate::node::indices::dates;

/// How a figure is written.
#[derive(Clone, Copy)]
enum Written {
    Plain,
    /// With a decimal, as Java writes a double.
    Real,
    Bytes,
    Milliseconds,
    Date,
}

/// A column, and where its value stands in the statistics.
struct Figure {
    column: Column,
    pointer: &'static str,
    written: Written,
}

/// One that is shown only if it is asked for.
const fn figure(
    name: &'static str,
    aliases: &'static [&'static str],
    description: &'static str,
    pointer: &'static str,
    written: Written,
) -> Figure {
    Figure { column: Column { name, aliases, description, shown: false, right: false }, pointer, written }
}

impl Figure {
    const fn shown(mut self) -> Self {
        self.column.shown = true;
        self
    }

    const fn right(mut self) -> Self {
        self.column.right = true;
        self
    }
}

#[rustfmt::skip] // a table: one column a line
const JOBS: &[Figure] = &[
    figure("id", &[], "the job_id", "/job_id", Plain).shown(),
    figure("state", &["s"], "the job state", "/state", Plain).shown().right(),
    figure("opened_time", &["ot"], "the amount of time the job has been opened", "/open_time", Plain),
    figure("assignment_explanation", &["ae"], "why the job is or is not assigned to a node", "/assignment_explanation", Plain),
    figure("data.processed_records", &["dpr", "dataProcessedRecords"], "number of processed records", "/data_counts/processed_record_count", Plain).shown(),
    figure("data.processed_fields", &["dpf", "dataProcessedFields"], "number of processed fields", "/data_counts/processed_field_count", Plain),
    figure("data.input_bytes", &["dib", "dataInputBytes"], "total input bytes", "/data_counts/input_bytes", Bytes),
    figure("data.input_records", &["dir", "dataInputRecords"], "total record count", "/data_counts/input_record_count", Plain),
    figure("data.input_fields", &["dif", "dataInputFields"], "total field count", "/data_counts/input_field_count", Plain),
    figure("data.invalid_dates", &["did", "dataInvalidDates"], "number of records with invalid dates", "/data_counts/invalid_date_count", Plain),
    figure("data.missing_fields", &["dmf", "dataMissingFields"], "number of records with missing fields", "/data_counts/missing_field_count", Plain),
    figure("data.out_of_order_timestamps", &["doot", "dataOutOfOrderTimestamps"], "number of records handled out of order", "/data_counts/out_of_order_timestamp_count", Plain),
    figure("data.empty_buckets", &["deb", "dataEmptyBuckets"], "number of empty buckets", "/data_counts/empty_bucket_count", Plain),
    figure("data.sparse_buckets", &["dsb", "dataSparseBuckets"], "number of sparse buckets", "/data_counts/sparse_bucket_count", Plain),
    figure("data.buckets", &["db", "dataBuckets"], "total bucket count", "/data_counts/bucket_count", Plain),
    figure("data.earliest_record", &["der", "dataEarliestRecord"], "earliest record time", "/data_counts/earliest_record_timestamp", Date),
    figure("data.latest_record", &["dlr", "dataLatestRecord"], "latest record time", "/data_counts/latest_record_timestamp", Date),
    figure("data.last", &["dl", "dataLast"], "last time data was seen", "/data_counts/last_data_time", Date),
    figure("data.last_empty_bucket", &["dleb", "dataLastEmptyBucket"], "last time an empty bucket occurred", "/data_counts/latest_empty_bucket_timestamp", Date),
    figure("data.last_sparse_bucket", &["dlsb", "dataLastSparseBucket"], "last time a sparse bucket occurred", "/data_counts/latest_sparse_bucket_timestamp", Date),
    figure("model.bytes", &["mb", "modelBytes"], "model size", "/model_size_stats/model_bytes", Bytes).shown(),
    figure("model.memory_status", &["mms", "modelMemoryStatus"], "current memory status", "/model_size_stats/memory_status", Plain).shown().right(),
    figure("model.bytes_exceeded", &["mbe", "modelBytesExceeded"], "how much the model has exceeded the limit", "/model_size_stats/model_bytes_exceeded", Bytes),
    figure("model.memory_limit", &["mml", "modelMemoryLimit"], "model memory limit", "/model_size_stats/model_bytes_memory_limit", Bytes),
    figure("model.by_fields", &["mbf", "modelByFields"], "count of 'by' fields", "/model_size_stats/total_by_field_count", Plain),
    figure("model.over_fields", &["mof", "modelOverFields"], "count of 'over' fields", "/model_size_stats/total_over_field_count", Plain),
    figure("model.partition_fields", &["mpf", "modelPartitionFields"], "count of 'partition' fields", "/model_size_stats/total_partition_field_count", Plain),
    figure("model.bucket_allocation_failures", &["mbaf", "modelBucketAllocationFailures"], "number of bucket allocation failures", "/model_size_stats/bucket_allocation_failures_count", Plain),
    figure("model.categorization_status", &["mcs", "modelCategorizationStatus"], "current categorization status", "/model_size_stats/categorization_status", Plain).right(),
    figure("model.categorized_doc_count", &["mcdc", "modelCategorizedDocCount"], "count of categorized documents", "/model_size_stats/categorized_doc_count", Plain),
    figure("model.total_category_count", &["mtcc", "modelTotalCategoryCount"], "count of categories", "/model_size_stats/total_category_count", Plain),
    figure("model.frequent_category_count", &["mfcc", "modelFrequentCategoryCount"], "count of frequent categories", "/model_size_stats/frequent_category_count", Plain),
    figure("model.rare_category_count", &["mrcc", "modelRareCategoryCount"], "count of rare categories", "/model_size_stats/rare_category_count", Plain),
    figure("model.dead_category_count", &["mdcc", "modelDeadCategoryCount"], "count of dead categories", "/model_size_stats/dead_category_count", Plain),
    figure("model.failed_category_count", &["mfcc", "modelFailedCategoryCount"], "count of failed categories", "/model_size_stats/failed_category_count", Plain),
    figure("model.log_time", &["mlt", "modelLogTime"], "when the model stats were gathered", "/model_size_stats/log_time", Date),
    figure("model.timestamp", &["mt", "modelTimestamp"], "the time of the last record when the model stats were gathered", "/model_size_stats/timestamp", Date),
    figure("forecasts.total", &["ft", "forecastsTotal"], "total number of forecasts", "/forecasts_stats/total", Plain).shown(),
    figure("forecasts.memory.min", &["fmmin", "forecastsMemoryMin"], "minimum memory used by forecasts", "/forecasts_stats/memory_bytes/min", Bytes),
    figure("forecasts.memory.max", &["fmmax", "forecastsMemoryMax"], "maximum memory used by forecasts", "/forecasts_stats/memory_bytes/max", Bytes),
    figure("forecasts.memory.avg", &["fmavg", "forecastsMemoryAvg"], "average memory used by forecasts", "/forecasts_stats/memory_bytes/avg", Bytes),
    figure("forecasts.memory.total", &["fmt", "forecastsMemoryTotal"], "total memory used by all forecasts", "/forecasts_stats/memory_bytes/total", Bytes),
    figure("forecasts.records.min", &["frmin", "forecastsRecordsMin"], "minimum record count for forecasts", "/forecasts_stats/records/min", Real),
    figure("forecasts.records.max", &["frmax", "forecastsRecordsMax"], "maximum record count for forecasts", "/forecasts_stats/records/max", Real),
    figure("forecasts.records.avg", &["fravg", "forecastsRecordsAvg"], "average record count for forecasts", "/forecasts_stats/records/avg", Real),
    figure("forecasts.records.total", &["frt", "forecastsRecordsTotal"], "total record count for all forecasts", "/forecasts_stats/records/total", Real),
    figure("forecasts.time.min", &["ftmin", "forecastsTimeMin"], "minimum runtime for forecasts", "/forecasts_stats/processing_time_ms/min", Milliseconds),
    figure("forecasts.time.max", &["ftmax", "forecastsTimeMax"], "maximum run time for forecasts", "/forecasts_stats/processing_time_ms/max", Milliseconds),
    figure("forecasts.time.avg", &["ftavg", "forecastsTimeAvg"], "average runtime for all forecasts (milliseconds)", "/forecasts_stats/processing_time_ms/avg", Real),
    figure("forecasts.time.total", &["ftt", "forecastsTimeTotal"], "total runtime for all forecasts", "/forecasts_stats/processing_time_ms/total", Milliseconds),
    figure("node.id", &["ni", "nodeId"], "id of the assigned node", "/node/id", Plain),
    figure("node.name", &["nn", "nodeName"], "name of the assigned node", "/node/name", Plain),
    figure("node.ephemeral_id", &["ne", "nodeEphemeralId"], "ephemeral id of the assigned node", "/node/ephemeral_id", Plain),
    figure("node.address", &["na", "nodeAddress"], "network address of the assigned node", "/node/transport_address", Plain),
    figure("buckets.count", &["bc", "bucketsCount"], "bucket count", "/timing_stats/bucket_count", Plain).shown(),
    figure("buckets.time.total", &["btt", "bucketsTimeTotal"], "total bucket processing time", "/timing_stats/total_bucket_processing_time_ms", Milliseconds),
    figure("buckets.time.min", &["btmin", "bucketsTimeMin"], "minimum bucket processing time", "/timing_stats/minimum_bucket_processing_time_ms", Milliseconds),
    figure("buckets.time.max", &["btmax", "bucketsTimeMax"], "maximum bucket processing time", "/timing_stats/maximum_bucket_processing_time_ms", Milliseconds),
    figure("buckets.time.exp_avg", &["btea", "bucketsTimeExpAvg"], "exponential average bucket processing time (milliseconds)", "/timing_stats/exponential_average_bucket_processing_time_ms", Real),
    figure("buckets.time.exp_avg_hour", &["bteah", "bucketsTimeExpAvgHour"], "exponential average bucket processing time by hour (milliseconds)", "/timing_stats/exponential_average_bucket_processing_time_per_hour_ms", Real),
];

#[rustfmt::skip] // a table: one column a line
const DATAFEEDS: &[Figure] = &[
    figure("id", &[], "the datafeed_id", "/datafeed_id", Plain).shown(),
    figure("state", &["s"], "the datafeed state", "/state", Plain).shown().right(),
    figure("assignment_explanation", &["ae"], "why the datafeed is or is not assigned to a node", "/assignment_explanation", Plain),
    figure("buckets.count", &["bc", "bucketsCount"], "bucket count", "/timing_stats/bucket_count", Plain).shown(),
    figure("search.count", &["sc", "searchCount"], "number of searches ran by the datafeed", "/timing_stats/search_count", Plain).shown(),
    figure("search.time", &["st", "searchTime"], "the total search time", "/timing_stats/total_search_time_ms", Milliseconds),
    figure("search.bucket_avg", &["sba", "searchBucketAvg"], "the average search time per bucket (millisecond)", "/timing_stats/average_search_time_per_bucket_ms", Real),
    figure("search.exp_avg_hour", &["seah", "searchExpAvgHour"], "the exponential average search time per hour (millisecond)", "/timing_stats/exponential_average_search_time_per_hour_ms", Real),
    figure("node.id", &["ni", "nodeId"], "id of the assigned node", "/node/id", Plain),
    figure("node.name", &["nn", "nodeName"], "name of the assigned node", "/node/name", Plain),
    figure("node.ephemeral_id", &["ne", "nodeEphemeralId"], "ephemeral id of the assigned node", "/node/ephemeral_id", Plain),
    figure("node.address", &["na", "nodeAddress"], "network address of the assigned node", "/node/transport_address", Plain),
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
    let mut table = Table::new(figures.iter().map(|figure| figure.column).collect());
    for one in stats {
        let of = |figure: &Figure| {
            one.pointer(figure.pointer).map_or(Value::Null.into(), |value| cell(value, figure.written))
        };
        table.row(figures.iter().map(of).collect());
    }
    table.reply(&call.request)
}

fn cell(value: &Value, how: Written) -> Cell {
    match (how, value.as_f64()) {
        (Bytes, Some(bytes)) => Cell::Bytes(bytes as u64),
        (Milliseconds, Some(duration_ms)) => Cell::Milliseconds(duration_ms as i64),
        (Real, Some(number)) => number.into(),
        (Date, _) => value.as_i64().map_or(Value::Null, |at| dates::format(at).into()).into(),
        _ => value.clone().into(),
    }
}
