//! The indices that ML writes to, with mappings that no configuration or result can conflict with.

use std::collections::BTreeSet;

use serde_json::{Value, json};

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

/// Creates the indices that every node has, where they are missing.
///
/// # Errors
/// The store cannot be written.
pub(crate) async fn ensure_own(core: &Core) -> Result<(), ApiError> {
    let keyword = json!({"type": "keyword"});
    ensure(core, CONFIG_INDEX, json!({"job_id": keyword, "datafeed_id": keyword, "config_type": keyword}), []).await?;
    let (date, boolean) = (json!({"type": "date"}), json!({"type": "boolean"}));
    let meta = json!({
        "type": keyword, "filter_id": keyword, "items": keyword, "calendar_id": keyword, "job_ids": keyword, "event_id": keyword,
        "start_time": date, "end_time": date, "skip_result": boolean, "skip_model_update": boolean,
    });
    ensure(core, META_INDEX, meta, []).await?;
    let message = json!({
        "job_id": keyword, "message": {"type": "text"}, "level": keyword, "timestamp": {"type": "date"}, "node_name": keyword,
        "job_type": keyword,
    });
    ensure(core, NOTIFICATIONS_INDEX, message, []).await?;
    ensure(core, STATE_INDEX, json!({"job_id": keyword, "snapshot_id": keyword}), []).await
}

/// Creates an index for results, where it is missing; one of an earlier build gets the fields that it lacks. The `terms` are the
/// fields of a job whose values stand in its results.
///
/// # Errors
/// The store cannot be written.
pub(crate) async fn ensure_results(core: &Core, job: &Job) -> Result<(), ApiError> {
    let (keyword, number) = (json!({"type": "keyword"}), json!({"type": "double"}));
    let properties = json!({
        "job_id": keyword,
        "result_type": keyword,
        "timestamp": {"type": "date"},
        "bucket_span": {"type": "long"},
        "event_count": {"type": "long"},
        "is_interim": {"type": "boolean"},
        "anomaly_score": number,
        "record_score": number,
        "influencer_score": number,
        "probability": number,
        "detector_index": {"type": "integer"},
        "function": keyword,
        "by_field_value": keyword,
        "over_field_value": keyword,
        "partition_field_value": keyword,
        "influencer_field_name": keyword,
        "influencer_field_value": keyword,
        "snapshot_id": keyword,
        "snapshot_doc_count": {"type": "long"},
        "retain": {"type": "boolean"},
        "forecast_id": keyword,
        "forecast_status": keyword,
        "forecast_start_timestamp": {"type": "date"},
        "forecast_end_timestamp": {"type": "date"},
        "forecast_create_timestamp": {"type": "date"},
        "forecast_expiry_timestamp": {"type": "date"},
        "forecast_prediction": number,
        "forecast_lower": number,
        "forecast_upper": number,
        "model_feature": keyword,
        "model_median": number,
        "model_lower": number,
        "model_upper": number,
        "actual": number,
    });
    let splits = job.plan.detectors.iter().flat_map(DetectorPlan::splits);
    let terms: BTreeSet<&String> = splits.chain(&job.plan.influencers).filter(|field| is_free(field)).collect();
    ensure(core, &job.results_index, properties, terms).await
}

async fn ensure<'a>(
    core: &Core,
    index: &str,
    properties: Value,
    terms: impl IntoIterator<Item = &'a String>,
) -> Result<(), ApiError> {
    let mappings = json!({"properties": properties});
    let body = json!({
        "settings": {"index": {"hidden": true}},
        "mappings": {"dynamic": false, "properties": properties},
    });
    let mut batch = Batch::new();
    batch.push(Operation::CreateIndex { index: index.to_owned(), body });
    batch.push(Operation::PutMapping { index: index.to_owned(), mappings });
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
