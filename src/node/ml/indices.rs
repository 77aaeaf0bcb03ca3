//! The indices that ML writes to, with mappings that no configuration or result can conflict with.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::ml::configuration::Job;
use crate::node::ml::detector::DetectorPlan;
use crate::node::ml::result_fields::is_free;
use crate::node::store::{Batch, Operation, OperationError};

/// Shows the configurations as documents.
pub(crate) const CONFIG_INDEX: &str = ".ml-config";
/// Shows filters, calendars and their events as documents.
pub(crate) const META_INDEX: &str = ".ml-meta";
/// Holds the messages about jobs.
pub(crate) const NOTIFICATIONS_INDEX: &str = ".ml-notifications-000002";
/// Holds the saved model state.
pub(crate) const STATE_INDEX: &str = ".ml-state";

/// The members of results that can be searched and sorted by, each type with its own.
///
/// Source: elasticsearch, `results_index_mappings.json`.
#[rustfmt::skip]
const RESULT_FIELDS: [(&str, &[&str]); 7] = [
    ("keyword", &[
        "job_id", "result_type", "scheduled_events", "function", "function_description", "field_name", "by_field_name", "by_field_value",
        "over_field_name", "over_field_value", "partition_field_name", "partition_field_value", "influencer_field_name",
        "influencer_field_value", "snapshot_id", "min_version", "forecast_id", "forecast_status", "model_feature",
    ]),
    ("date", &[
        "timestamp", "latest_record_time_stamp", "latest_result_time_stamp", "forecast_start_timestamp", "forecast_end_timestamp",
        "forecast_create_timestamp", "forecast_expiry_timestamp",
    ]),
    ("double", &[
        "anomaly_score", "initial_anomaly_score", "record_score", "initial_record_score", "influencer_score", "initial_influencer_score",
        "probability", "typical", "actual", "forecast_prediction", "forecast_lower", "forecast_upper", "model_median", "model_lower",
        "model_upper",
    ]),
    ("long", &["bucket_span", "event_count", "processing_time_ms", "snapshot_doc_count"]),
    ("integer", &["detector_index"]),
    ("boolean", &["is_interim", "retain"]),
    ("text", &["description"]),
];

/// The names of ML's indices, or how they begin, as Elasticsearch's feature `machine_learning` has them.
const OF_ML: [&str; 8] = [
    CONFIG_INDEX,
    META_INDEX,
    ".ml-inference",
    ".ml-anomalies-",
    STATE_INDEX,
    ".ml-stats-",
    ".ml-notifications",
    ".ml-annotations",
];

/// Creates the indices that every node has, where they are missing.
///
/// # Errors
/// The store cannot be written.
pub(crate) async fn ensure_own(core: &Core) -> Result<(), ApiError> {
    for (index, properties) in own() {
        ensure(core, index, properties, []).await?;
    }
    Ok(())
}

/// Removes every index of ML and makes those that every node has anew.
pub(crate) fn renew(core: &Core, batch: &mut Batch) {
    let catalogue = core.store.catalogue();
    for index in catalogue.indices().filter(|index| OF_ML.iter().any(|name| index.name.starts_with(name))) {
        batch.push(Operation::DeleteIndex { index: index.name.to_string() });
    }
    for (index, properties) in own() {
        batch.push(creation(index, &properties));
    }
}

/// The indices that every node has, and their fields.
fn own() -> [(&'static str, Value); 4] {
    let (keyword, date, boolean) = (json!({"type": "keyword"}), json!({"type": "date"}), json!({"type": "boolean"}));
    let meta = json!({
        "type": keyword, "filter_id": keyword, "items": keyword, "calendar_id": keyword, "job_ids": keyword, "event_id": keyword,
        "start_time": date, "end_time": date, "skip_result": boolean, "skip_model_update": boolean,
    });
    let message = json!({
        "job_id": keyword, "message": {"type": "text"}, "level": keyword, "timestamp": date, "node_name": keyword,
        "job_type": keyword,
    });
    [
        (CONFIG_INDEX, json!({"job_id": keyword, "datafeed_id": keyword, "config_type": keyword})),
        (META_INDEX, meta),
        (NOTIFICATIONS_INDEX, message),
        (STATE_INDEX, json!({"job_id": keyword, "snapshot_id": keyword})),
    ]
}

fn creation(index: &str, properties: &Value) -> Operation {
    let body = json!({
        "settings": {"index": {"hidden": true}},
        "mappings": {"dynamic": false, "properties": properties},
    });
    Operation::CreateIndex { index: index.to_owned(), body }
}

/// Creates an index for results, where it is missing; one of an earlier build gets the fields that it lacks. The `terms` are the
/// fields of a job whose values stand in its results.
///
/// # Errors
/// The store cannot be written.
pub(crate) async fn ensure_results(core: &Core, job: &Job) -> Result<(), ApiError> {
    let typed = RESULT_FIELDS.iter().flat_map(|(kind, names)| names.iter().map(move |name| (*kind, *name)));
    let properties: Map<String, Value> = typed.map(|(kind, name)| (name.to_owned(), json!({"type": kind}))).collect();
    let splits = job.plan.detectors.iter().flat_map(DetectorPlan::splits);
    let terms: BTreeSet<&String> = splits.chain(&job.plan.influencers).filter(|field| is_free(field)).collect();
    ensure(core, &job.results_index, Value::Object(properties), terms).await
}

async fn ensure<'a>(
    core: &Core,
    index: &str,
    properties: Value,
    terms: impl IntoIterator<Item = &'a String>,
) -> Result<(), ApiError> {
    let mut batch = Batch::new();
    batch.push(creation(index, &properties));
    batch.push(Operation::PutMapping { index: index.to_owned(), mappings: json!({"properties": properties}) });
    // Each for itself: one that there is no room for takes no other with it.
    for term in terms {
        let mappings = json!({"properties": {term: {"type": "keyword"}}});
        batch.push(Operation::PutMapping { index: index.to_owned(), mappings });
    }
    let mut outcomes = core.store.commit(batch).await?.outcomes.into_iter();
    match outcomes.next() {
        None | Some(Ok(_) | Err(OperationError::IndexExists { .. })) => {}
        Some(Err(problem)) => return Err(problem.into()),
    }
    for problem in outcomes.filter_map(Result::err) {
        // Somebody else made the index; what its mapping cannot hold shows when it is written.
        tracing::warn!(index, %problem, "the mapping of an ML index is not the node's");
    }
    Ok(())
}
