//! Model snapshots: the state that a close saves, and that an open or a revert continues from.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::progress::{Position, Progress};
use super::work::Work;
use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::indices::dates;
use crate::node::ml::JOB_VERSION;
use crate::node::ml::configuration::Job;
use crate::node::ml::detector::{Engine, Learned, Unfinished};
use crate::node::ml::indices::STATE_INDEX;
use crate::node::ml::problem::Problem;
use crate::node::store::{Batch, Source};

/// Snapshots have no `result_type` in Elasticsearch; they are found by this field.
pub(crate) const SNAPSHOT_RESULT: &str = "snapshot_doc_count";

/// What a snapshot holds.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) learned: Learned,
    pub(crate) unfinished: Unfinished,
    /// Where the datafeed stood.
    #[serde(default)]
    pub(crate) position: Option<Position>,
}

fn state_id(job_id: &str, snapshot_id: &str) -> String {
    format!("{job_id}_model_state_{snapshot_id}#1")
}

pub(crate) fn document_id(job_id: &str, snapshot_id: &str) -> String {
    format!("{job_id}_model_snapshot_{snapshot_id}")
}

/// The document that describes a snapshot.
///
/// # Errors
/// 404 if the job has no such snapshot.
pub(crate) fn find(core: &Core, job: &Job, snapshot_id: &str) -> Result<Value, ApiError> {
    let found = core.documents.document(&job.results_index, &document_id(&job.id, snapshot_id))?;
    // Two jobs with one index can make up the same document id between them.
    let is = |source: &Value, name: &str, wanted: &str| source.get(name).and_then(Value::as_str) == Some(wanted);
    let own = |source: &Value| is(source, "job_id", &job.id) && is(source, "snapshot_id", snapshot_id);
    let source = found.map(|document| document.source).filter(own);
    source.ok_or_else(|| Problem::UnknownSnapshot { job: job.id.clone(), snapshot: snapshot_id.to_owned() }.into())
}

/// Reads the state of a snapshot.
///
/// # Errors
/// 404 for a snapshot whose state is not there, 500 if it cannot be read.
pub(crate) fn saved(core: &Core, job: &Job, snapshot_id: &str) -> Result<Saved, ApiError> {
    let id = state_id(&job.id, snapshot_id);
    let missing = || Problem::UnknownSnapshot { job: job.id.clone(), snapshot: snapshot_id.to_owned() };
    let document = core.documents.document(STATE_INDEX, &id)?.ok_or_else(missing)?;
    let text = document.source.get("state").and_then(Value::as_str).ok_or_else(missing)?;
    parse(&id, text)
}

fn parse<T: DeserializeOwned>(id: &str, text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text)
        .map_err(|problem| Problem::StateUnreadable { key: id.to_owned(), problem: problem.to_string() }.into())
}

/// The model of a snapshot.
///
/// # Errors
/// As [`saved`].
pub(super) fn load(core: &Core, job: &Job, snapshot_id: &str) -> Result<Engine, ApiError> {
    let saved = saved(core, job, snapshot_id)?;
    Ok(Engine::restore(job.plan.clone(), saved.learned, saved.unfinished))
}

/// The id of a new snapshot: seconds since 1970, as in Elasticsearch, and more than any that the job has had.
pub(super) fn next_id(progress: &mut Progress, job: &Job, now_ms: i64) -> String {
    let current = job.snapshot_id().and_then(|id| id.parse().ok()).unwrap_or(0);
    progress.last_snapshot = (now_ms / 1000).max(current + 1).max(progress.last_snapshot + 1);
    progress.last_snapshot.to_string()
}

/// Puts a snapshot of the job into the batch.
///
/// # Errors
/// A value that JSON cannot hold.
pub(super) fn save(work: &Work, snapshot_id: &str, now_ms: i64, batch: &mut Batch) -> Result<(), ApiError> {
    let (job, progress) = (&work.job, &work.progress);
    let saved = Saved {
        learned: work.engine.learned(),
        unfinished: work.engine.unfinished(),
        position: progress.position.clone(),
    };
    let text = serde_json::to_string(&saved)
        .map_err(|problem| Problem::StateUnreadable { key: snapshot_id.to_owned(), problem: problem.to_string() })?;
    let state = json!({"job_id": job.id, "snapshot_id": snapshot_id, "state": text});
    batch.index(STATE_INDEX, state_id(&job.id, snapshot_id), Source::from_value(state)?);
    let document = json!({
        "job_id": job.id,
        "min_version": JOB_VERSION,
        "timestamp": now_ms,
        "description": format!("State persisted due to job close at {}", dates::format(now_ms)),
        "snapshot_id": snapshot_id,
        "snapshot_doc_count": 1,
        "model_size_stats": progress.model_size,
        "latest_record_time_stamp": progress.counts.latest_record_timestamp,
        "latest_result_time_stamp": progress.counts.latest_bucket_timestamp,
        "retain": false,
    });
    batch.index(&job.results_index, document_id(&job.id, snapshot_id), Source::from_value(document)?);
    Ok(())
}

/// Removes a snapshot and its state.
pub(crate) fn remove(job: &Job, snapshot_id: &str, batch: &mut Batch) {
    batch.delete(&job.results_index, document_id(&job.id, snapshot_id));
    batch.delete(STATE_INDEX, state_id(&job.id, snapshot_id));
}
