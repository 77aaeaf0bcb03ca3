//! Takes a closed job back to the model of a snapshot, or to none.

use serde_json::{Map, Value, json};

use super::progress::{Position, Progress};
use super::snapshot::{self, Saved};
use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::ml::JOB_VERSION;
use crate::node::ml::configuration::{EMPTY_SNAPSHOT, Job};
use crate::node::ml::detector::Unfinished;
use crate::node::ml::state_key;
use crate::node::ml::stored::{bytes, read};
use crate::node::store::{Batch, Source};

/// What becomes of the results after the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intervening {
    /// They stand; new records are judged by the old model from where the job is now.
    Kept,
    /// They go, and the job goes on from where it was then: its datafeed reads again what came after.
    Deleted,
}

/// What a revert has come to.
pub(crate) struct Reverted {
    pub(crate) job: Job,
    /// The snapshot, as it is shown.
    pub(crate) model: Value,
    /// Results from this time on belong to what was taken back, milliseconds.
    pub(crate) results_from_ms: i64,
}

/// Puts the job's state after the revert into the batch. To be called while nothing else changes the job.
///
/// # Errors
/// 404 without the snapshot or its state, 500 if that cannot be read.
pub(crate) fn revert(
    core: &Core,
    job: &Job,
    snapshot_id: &str,
    intervening: Intervening,
    batch: &mut Batch,
) -> Result<Reverted, ApiError> {
    let (model, saved) = match snapshot_id {
        EMPTY_SNAPSHOT => (empty(job), Saved::default()),
        id => (snapshot::find(core, job, id)?, snapshot::saved(core, job, id)?),
    };
    let time = |name: &str| model.get(name).and_then(Value::as_i64);
    let now_ms = core.clock.now_ms();
    let mut progress: Progress = read(core, &state_key::progress(&job.id))?.unwrap_or_default();
    match intervening {
        Intervening::Kept => {
            // The partial bucket is newer than the snapshot: it stays.
            batch.put_state(state_key::unfinished(&job.id), bytes(&unfinished(core, job)?)?);
            batch.put_state(state_key::learned(&job.id), bytes(&saved.learned)?);
            // So that the next close saves what is then the model.
            progress.changed_ms = Some(now_ms);
        }
        Intervening::Deleted => {
            batch.delete_state(state_key::unfinished(&job.id));
            batch.delete_state(state_key::learned(&job.id));
            progress.counts.latest_record_timestamp = time("latest_record_time_stamp");
            progress.counts.latest_bucket_timestamp = time("latest_result_time_stamp");
            let Position { searches, search_time_ms, search_time, .. } = progress.position.unwrap_or_default();
            progress.position =
                saved.position.map(|position| Position { searches, search_time_ms, search_time, ..position });
            progress.changed_ms = None;
        }
    }
    progress.model_size = model_size(&model, now_ms);
    write(job, &progress, batch)?;
    Ok(Reverted {
        job: job.with(&[("model_snapshot_id", json!(snapshot_id))])?,
        results_from_ms: time("latest_result_time_stamp").unwrap_or(0).saturating_add(1),
        model,
    })
}

fn empty(job: &Job) -> Value {
    json!({
        "job_id": job.id,
        "min_version": JOB_VERSION,
        "snapshot_id": EMPTY_SNAPSHOT,
        "snapshot_doc_count": 0,
        "retain": false,
    })
}

/// What the job has not finished: of a job that was closed by force in its own state, else in its snapshot.
fn unfinished(core: &Core, job: &Job) -> Result<Unfinished, ApiError> {
    if let Some(unfinished) = read(core, &state_key::unfinished(&job.id))? {
        return Ok(unfinished);
    }
    job.snapshot_id().map_or_else(|| Ok(Unfinished::default()), |id| Ok(snapshot::saved(core, job, id)?.unfinished))
}

fn model_size(model: &Value, now_ms: i64) -> Map<String, Value> {
    let mut size = model.get("model_size_stats").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(logged) = size.get_mut("log_time") {
        *logged = json!(now_ms);
    }
    size
}

/// The counters, with the documents that show them.
fn write(job: &Job, progress: &Progress, batch: &mut Batch) -> Result<(), ApiError> {
    let index = &job.results_index;
    let counts = progress.counts.shown(&job.id);
    batch.index(index, format!("{}_data_counts", job.id), Source::from_value(Value::Object(counts))?);
    let size_id = format!("{}_model_size_stats", job.id);
    if progress.model_size.is_empty() {
        batch.delete(index, size_id);
    } else {
        batch.index(index, size_id, Source::from_value(Value::Object(progress.model_size.clone()))?);
    }
    batch.put_state(state_key::progress(&job.id), bytes(progress)?);
    Ok(())
}
