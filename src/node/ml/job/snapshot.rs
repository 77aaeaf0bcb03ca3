//! Model snapshots: the state that a close saves and an open continues from.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::work::Work;
use crate::node::Core;
use crate::node::documents::{QueryNode, SearchRequest};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::ml::configuration::Job;
use crate::node::ml::detector::{Engine, Learned, Unfinished};
use crate::node::ml::indices::STATE_INDEX;
use crate::node::ml::problem::Problem;
use crate::node::security::Access;
use crate::node::store::{Batch, Source};

/// Snapshots have no `result_type` in Elasticsearch; they are found by this field.
pub(crate) const SNAPSHOT_RESULT: &str = "snapshot_doc_count";
/// Old snapshots that one close removes.
const PRUNED_MAX: usize = 100;
const DAY_MS: i64 = 86_400_000;

#[derive(Serialize, Deserialize)]
struct Saved<L, U> {
    learned: L,
    unfinished: U,
}

fn state_id(job_id: &str, snapshot_id: &str) -> String {
    format!("{job_id}_model_state_{snapshot_id}#1")
}

fn document_id(job_id: &str, snapshot_id: &str) -> String {
    format!("{job_id}_model_snapshot_{snapshot_id}")
}

/// Reads the model of a snapshot.
///
/// # Errors
/// 404 for a snapshot whose state is not there, 500 if it cannot be read.
pub(super) async fn load(core: &Core, job: &Job, snapshot_id: &str) -> Result<Engine, ApiError> {
    let id = state_id(&job.id, snapshot_id);
    let missing = || Problem::UnknownSnapshot { job: job.id.clone(), snapshot: snapshot_id.to_owned() };
    let document = core.documents.get(STATE_INDEX, &id).await?.ok_or_else(missing)?;
    let text = document.source.get("state").and_then(Value::as_str).ok_or_else(missing)?;
    let saved: Saved<Learned, Unfinished> = serde_json::from_str(text)
        .map_err(|problem| Problem::StateUnreadable { key: id.clone(), problem: problem.to_string() })?;
    Ok(Engine::restore(job.plan.clone(), saved.learned, saved.unfinished))
}

/// Puts a snapshot of the job into the batch; gives its id.
///
/// # Errors
/// A value that JSON cannot hold.
pub(super) fn save(work: &Work, now_ms: i64, batch: &mut Batch) -> Result<String, ApiError> {
    let job = &work.job;
    // Seconds, as in Elasticsearch; two closes within one second still differ.
    let last: i64 = job.snapshot_id().and_then(|id| id.parse().ok()).unwrap_or(0);
    let snapshot_id = (now_ms / 1000).max(last + 1).to_string();
    let saved = Saved { learned: work.engine.learned(), unfinished: work.engine.unfinished() };
    let text = serde_json::to_string(&saved)
        .map_err(|problem| Problem::StateUnreadable { key: snapshot_id.clone(), problem: problem.to_string() })?;
    let state = json!({"job_id": job.id, "snapshot_id": snapshot_id, "state": text});
    batch.index(STATE_INDEX, state_id(&job.id, &snapshot_id), Source::from_value(state)?);
    let document = json!({
        "job_id": job.id,
        "min_version": "6.4.0",
        "timestamp": now_ms,
        "description": format!("State persisted due to job close at {}", crate::node::indices::dates::format(now_ms)),
        "snapshot_id": snapshot_id,
        "snapshot_doc_count": 1,
        "model_size_stats": work.progress.model_size,
        "latest_record_time_stamp": work.progress.counts.latest_record_timestamp,
        "latest_result_time_stamp": work.progress.counts.latest_bucket_timestamp,
        "retain": false,
    });
    batch.index(&job.results_index, document_id(&job.id, &snapshot_id), Source::from_value(document)?);
    Ok(snapshot_id)
}

/// Removes snapshots that are older than the job keeps them, measured from the newest; never a retained one.
///
/// # Errors
/// The store cannot be read.
pub(super) async fn prune(core: &Core, job: &Job, newest_ms: i64, batch: &mut Batch) -> Result<(), ApiError> {
    let oldest_ms = newest_ms - job.snapshot_retention_days.saturating_mul(DAY_MS);
    let query = QueryNode::parse(&json!({"bool": {
        "filter": [
            {"term": {"job_id": job.id}},
            {"exists": {"field": SNAPSHOT_RESULT}},
            {"range": {"timestamp": {"lt": oldest_ms}}},
        ],
        "must_not": [{"term": {"retain": true}}],
    }}))?;
    let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
    let indices = IndexExpression::of(vec![job.results_index.clone()]).with(options);
    let request = SearchRequest { size: PRUNED_MAX, ..SearchRequest::new(indices, query) };
    for hit in core.documents.search(request, &Access::Everything).await?.hits {
        let Some(id) = hit.document.source.get("snapshot_id").and_then(Value::as_str) else { continue };
        if job.snapshot_id() != Some(id) {
            batch.delete(&job.results_index, document_id(&job.id, id));
            batch.delete(STATE_INDEX, state_id(&job.id, id));
        }
    }
    Ok(())
}
