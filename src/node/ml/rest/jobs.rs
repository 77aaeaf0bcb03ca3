//! Configurations of jobs: create, list, update, delete, reset, validate.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::filters;
use super::operations::{Waiting, block};
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Datafeed, Job, read_detector};
use crate::node::ml::indices;
use crate::node::ml::job::Progress;
use crate::node::ml::metadata::Metadata;
use crate::node::ml::notification::{self, Level};
use crate::node::ml::persistent::{Operation, TaskKey};
use crate::node::ml::problem::Problem;
use crate::node::ml::state_key;
use crate::node::ml::stored::read;

pub(super) async fn put(call: Call) -> Result<Reply, ApiError> {
    let mut body = call.object()?;
    let id = call.expression("job_id");
    let datafeed = body.remove("datafeed_config");
    let job = Job::create(&id, &body, call.node.core.clock.now_ms())?;
    let datafeed = datafeed.map(|config| embedded(&call, &id, config)).transpose()?;
    if let Some(datafeed) = &datafeed {
        super::datafeeds::check_readable(&call, datafeed)?;
    }
    call.permit()?;
    check_new(&call.metadata(), &job)?;
    indices::ensure_results(&call.node.core, &job).await?;
    let job = Arc::new(job);
    let added = Arc::clone(&job);
    let shown = call
        .change(|metadata, batch| {
            check_new(metadata, &added)?;
            notification::put(&call.node.core, &added.id, Level::Info, "Job created", batch)?;
            metadata.jobs.insert(added.id.clone(), Arc::clone(&added));
            if let Some(datafeed) = datafeed {
                super::datafeeds::check_new(metadata, &datafeed)?;
                metadata.datafeeds.insert(datafeed.id.clone(), Arc::new(datafeed));
            }
            Ok(with_datafeed(&call, metadata, &added))
        })
        .await?;
    Ok(Reply::json(shown))
}

/// The `datafeed_config` of a job; its id is the job's unless it says otherwise.
fn embedded(call: &Call, job_id: &str, config: Value) -> Result<Datafeed, ApiError> {
    let Value::Object(mut config) = config else { return Err(ApiError::content("[datafeed_config] is not an object")) };
    super::datafeeds::add_indices_options(call, &mut config);
    let id = config.get("datafeed_id").and_then(Value::as_str).unwrap_or(job_id).to_owned();
    Datafeed::create(&id, Some(job_id), &config)
}

fn check_new(metadata: &Metadata, job: &Job) -> Result<(), ApiError> {
    if metadata.jobs.contains_key(&job.id) {
        return Err(Problem::JobExists(job.id.clone()).into());
    }
    filters::check_known(metadata, job)?;
    check_names(metadata, job)
}

/// Jobs and groups share one set of names.
fn check_names(metadata: &Metadata, job: &Job) -> Result<(), ApiError> {
    let taken = job.groups.iter().find(|group| metadata.jobs.contains_key(*group));
    let named = metadata.jobs.values().any(|other| other.groups.contains(&job.id));
    match taken.or(named.then_some(&job.id)) {
        Some(name) => Err(Problem::GroupName(name.clone()).into()),
        None => Ok(()),
    }
}

/// A job as `GET` shows it, with its datafeed.
fn with_datafeed(call: &Call, metadata: &Metadata, job: &Job) -> Value {
    let mut shown = job.source().clone();
    if let Some(datafeed) = metadata.datafeed_of(&job.id) {
        shown.insert("datafeed_config".to_owned(), Value::Object(datafeed.source().clone()));
    }
    if let Some(blocked) = metadata.blocked.get(&job.id) {
        let node_id = &call.node.core.identity.node_id;
        shown.insert(
            "blocked".to_owned(),
            json!({"reason": blocked.operation.name(), "task_id": format!("{node_id}:{}", blocked.task)}),
        );
    }
    Value::Object(shown)
}

/// As [`with_datafeed`], with `exclude_generated`.
fn exported(metadata: &Metadata, job: &Job) -> Value {
    let mut shown = job.exported();
    if let Some(datafeed) = metadata.datafeed_of(&job.id) {
        shown.insert("datafeed_config".to_owned(), Value::Object(datafeed.exported()));
    }
    Value::Object(shown)
}

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let bare = call.request.query.flag("exclude_generated")?.unwrap_or(false);
    let no_match = call.no_match("allow_no_jobs")?;
    let metadata = call.metadata();
    let ids = metadata.expand_jobs(&call.expression("job_id"), no_match)?;
    let jobs = ids.iter().filter_map(|id| metadata.jobs.get(id));
    let shown = |job: &Arc<Job>| match bare {
        true => exported(&metadata, job),
        false => with_datafeed(&call, &metadata, job),
    };
    let jobs: Vec<Value> = jobs.map(shown).collect();
    Ok(Reply::json(json!({"count": jobs.len(), "jobs": jobs})))
}

pub(super) async fn update(call: Call) -> Result<Reply, ApiError> {
    let body = call.object()?;
    let id = call.expression("job_id");
    call.permit()?;
    let shown = call
        .change(|metadata, batch| {
            let job = metadata.job(&id)?.updated(&body)?;
            let members: BTreeSet<&str> = body.keys().map(String::as_str).filter(|name| *name != "job_id").collect();
            let members = Vec::from_iter(members).join(", ");
            notification::put(&call.node.core, &id, Level::Info, format!("Job updated: [{members}]"), batch)?;
            filters::check_known(metadata, &job)?;
            check_names(metadata, &job)?;
            let old = metadata.job(&id)?;
            if old.source().get("analysis_limits") != job.source().get("analysis_limits") {
                check_limits(&call, metadata, &job)?;
            }
            let job = Arc::new(job);
            metadata.jobs.insert(id.clone(), Arc::clone(&job));
            Ok(with_datafeed(&call, metadata, &job))
        })
        .await?;
    Ok(Reply::json(shown))
}

/// # Errors
/// 400 while the job is open, and for less memory than its model takes.
fn check_limits(call: &Call, metadata: &Metadata, job: &Job) -> Result<(), ApiError> {
    const MIB: u64 = 1 << 20;
    if metadata.job_task(&job.id).is_some() {
        return Err(Problem::UpdateOpenLimits.into());
    }
    let progress: Progress = read(&call.node.core, &state_key::progress(&job.id))?.unwrap_or_default();
    let used = progress.model_size.get("model_bytes").and_then(Value::as_u64).unwrap_or(0);
    let limit = job.plan.memory_limit_bytes;
    if limit < used {
        return Err(ApiError::status_exception(
            400,
            format!(
                "Invalid update value for analysis_limits: model_memory_limit cannot be decreased below current usage; \
                 current usage [{}mb], update had [{}mb]",
                used.div_ceil(MIB),
                limit / MIB
            ),
        ));
    }
    Ok(())
}

/// Deletes a job with its datafeed, results and state.
pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let force = call.request.query.flag("force")?.unwrap_or(false);
    let waiting = Waiting::of(&call)?;
    call.permit()?;
    let id = call.expression("job_id");
    block(&call, &id, Operation::Delete, waiting, |metadata| {
        if let Some(datafeed) = metadata.datafeed_of(&id).cloned() {
            let state = metadata.datafeed_state(&datafeed.id);
            if !force && state != "stopped" {
                return Err(Problem::DeleteStartedDatafeed { datafeed: datafeed.id.clone(), state });
            }
        }
        if !force && metadata.job_task(&id).is_some() {
            return Err(Problem::DeleteOpenJob(id.clone()));
        }
        if let Some(datafeed) = metadata.datafeed_of(&id).cloned() {
            metadata.tasks.remove(&TaskKey::Datafeed(datafeed.id.clone()));
            metadata.datafeeds.remove(&datafeed.id);
        }
        metadata.tasks.remove(&TaskKey::Job(id.clone()));
        Ok(())
    })
    .await
}

/// Leaves the configuration and nothing else of a closed job.
pub(super) async fn reset(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let waiting = Waiting::of(&call)?;
    let id = call.expression("job_id");
    block(&call, &id, Operation::Reset, waiting, |metadata| match metadata.job_task(&id) {
        Some(_) => Err(Problem::ResetOpenJob),
        None => Ok(()),
    })
    .await
}

pub(super) async fn validate(call: Call) -> Result<Reply, ApiError> {
    let mut body: Map<String, Value> = call.object()?;
    let id = body.get("job_id").and_then(Value::as_str).unwrap_or("ok").to_owned();
    body.remove("datafeed_config");
    Job::create(&id, &body, call.node.core.clock.now_ms())?;
    Ok(Reply::json(json!({"acknowledged": true})))
}

pub(super) async fn validate_detector(call: Call) -> Result<Reply, ApiError> {
    read_detector(&Value::Object(call.object()?))?;
    Ok(Reply::json(json!({"acknowledged": true})))
}
