//! `_stats` of jobs and datafeeds.

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::node::Core;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Job;
use crate::node::ml::detector::ModelSize;
use crate::node::ml::forecast;
use crate::node::ml::identifier::NoMatch;
use crate::node::ml::job::{self, Progress};
use crate::node::ml::local::Running;
use crate::node::ml::metadata::Metadata;
use crate::node::ml::persistent::{Assignment, PersistentTask, TaskKey};
use crate::node::ml::state_key;
use crate::node::ml::stored::read;

pub(super) async fn jobs(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let shown = job_stats(&call, call.no_match("allow_no_jobs")?)?;
    Ok(Reply::json(json!({"count": shown.len(), "jobs": shown})))
}

pub(super) async fn datafeeds(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let shown = datafeed_stats(&call, call.no_match("allow_no_datafeeds")?)?;
    Ok(Reply::json(json!({"count": shown.len(), "datafeeds": shown})))
}

/// The statistics of the jobs that the request names.
///
/// # Errors
/// 404; the store cannot be read.
pub(super) fn job_stats(call: &Call, no_match: NoMatch) -> Result<Vec<Value>, ApiError> {
    let metadata = call.metadata();
    let running = call.parts().local.now();
    let ids = metadata.expand_jobs(&call.expression("job_id"), no_match)?;
    let jobs = ids.iter().filter_map(|id| metadata.jobs.get(id));
    jobs.map(|job| job_of(&call.node.core, &metadata, &running, job)).collect()
}

fn job_of(core: &Core, metadata: &Metadata, running: &Running, job: &Job) -> Result<Value, ApiError> {
    let progress: Progress = read(core, &state_key::progress(&job.id))?.unwrap_or_default();
    let mut shown = Map::new();
    shown.insert("job_id".to_owned(), json!(job.id));
    shown.insert("data_counts".to_owned(), Value::Object(progress.counts.shown(&job.id)));
    shown.insert("model_size_stats".to_owned(), Value::Object(model_size(job, &progress, core.clock.now_ms())));
    shown.insert("forecasts_stats".to_owned(), forecast::summary(&forecast::made(core, &job.id)?));
    shown.insert("state".to_owned(), json!(metadata.job_state(&job.id)));
    let key = TaskKey::Job(job.id.clone());
    let wanted = metadata.tasks.get(&key);
    place(core, wanted, &mut shown);
    if let Some(task) = running.tasks.get(&key).filter(|_| wanted.is_some()) {
        let open_s = core.clock.now_ms().saturating_sub(task.started_ms).max(0) / 1000;
        shown.insert("open_time".to_owned(), json!(format!("{open_s}s")));
    }
    shown.insert("timing_stats".to_owned(), Value::Object(progress.timing.shown(&job.id)));
    Ok(Value::Object(shown))
}

/// What the last batch noted, or nothing yet.
fn model_size(job: &Job, progress: &Progress, now_ms: i64) -> Map<String, Value> {
    let mut shown = progress.model_size.clone();
    if shown.is_empty() {
        shown = job::model_size(&job.id, &ModelSize::default(), 0, now_ms, None);
    }
    shown.insert("model_bytes_memory_limit".to_owned(), json!(job.plan.memory_limit_bytes));
    shown
}

/// The node that a task is assigned to, and why it is not; nothing without a task.
fn place(core: &Core, task: Option<&PersistentTask>, shown: &mut Map<String, Value>) {
    let Some(task) = task else { return };
    if task.assignment == Assignment::Node {
        let identity = &core.identity;
        shown.insert(
            "node".to_owned(),
            json!({
                "id": identity.node_id,
                "name": identity.node_name,
                "ephemeral_id": identity.ephemeral_id,
                "transport_address": identity.address.to_string(),
                "attributes": {},
            }),
        );
    }
    shown.insert("assignment_explanation".to_owned(), json!(task.assignment.explanation()));
}

/// The statistics of the datafeeds that the request names.
///
/// # Errors
/// 404; the store cannot be read.
pub(super) fn datafeed_stats(call: &Call, no_match: NoMatch) -> Result<Vec<Value>, ApiError> {
    let metadata = call.metadata();
    let ids = metadata.expand_datafeeds(&call.expression("datafeed_id"), no_match)?;
    ids.iter().map(|id| datafeed_of(&call.node.core, &metadata, id)).collect()
}

fn datafeed_of(core: &Core, metadata: &Metadata, id: &str) -> Result<Value, ApiError> {
    let job_id = &metadata.datafeed(id)?.job_id;
    let progress: Progress = read(core, &state_key::progress(job_id))?.unwrap_or_default();
    let position = progress.position.unwrap_or_default();
    let task = metadata.datafeed_task(id);
    let state = match metadata.datafeed_state(id) {
        "starting" => "started",
        other => other,
    };
    let mut shown = Map::new();
    shown.insert("datafeed_id".to_owned(), json!(id));
    shown.insert("state".to_owned(), json!(state));
    place(core, task, &mut shown);
    let buckets = progress.fed_buckets;
    let average = if buckets == 0 { 0.0 } else { position.search_time_ms / buckets as f64 };
    shown.insert(
        "timing_stats".to_owned(),
        json!({
            "job_id": job_id,
            "search_count": position.searches,
            "bucket_count": buckets,
            "total_search_time_ms": position.search_time_ms,
            "average_search_time_per_bucket_ms": average,
            "exponential_average_search_time_per_hour_ms": position.search_time.value(),
            "exponential_average_calculation_context": position.search_time.shown(),
        }),
    );
    if let Some(task) = task {
        let configured = task.range.end_ms.is_none();
        let assigned = task.assignment == Assignment::Node;
        let mut running = Map::new();
        running.insert("real_time_configured".to_owned(), json!(configured));
        running.insert("real_time_running".to_owned(), json!(configured && position.real_time && assigned));
        if let Some((start_ms, end_ms)) = position.searched.filter(|_| assigned) {
            running.insert("search_interval".to_owned(), json!({"start_ms": start_ms, "end_ms": end_ms}));
        }
        shown.insert("running_state".to_owned(), Value::Object(running));
    }
    Ok(Value::Object(shown))
}
