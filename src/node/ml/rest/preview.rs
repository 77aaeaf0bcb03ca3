//! `_preview`: the first documents of a datafeed as its job would see them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::sources;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Datafeed, Fields, Job};
use crate::node::ml::detector::find;

/// What an inline datafeed and an inline job are called.
const DATAFEED_ID: &str = "preview_id";
const JOB_ID: &str = "preview_job_id";

/// What is to be previewed.
struct Subject {
    datafeed: Arc<Datafeed>,
    job: Arc<Job>,
    /// Milliseconds; `from_ms` included, `to_ms` not.
    from_ms: i64,
    to_ms: i64,
}

/// Of a datafeed by its id, or of the configurations in the body.
///
/// Source: elasticsearch, `PreviewDatafeedAction.java`.
pub(super) async fn preview(call: Call) -> Result<Reply, ApiError> {
    let body = match call.request.json()? {
        None => Map::new(),
        Some(Value::Object(body)) => body,
        Some(_) => return Err(ApiError::content("the body is not an object")),
    };
    let fields =
        Fields::new("preview_datafeed_action", &body).only(&["datafeed_config", "job_config", "start", "end"], &[])?;
    let time_ms = |name: &str| match call.time_ms(&fields, name)? {
        Some(time_ms) => Ok(Some(time_ms)),
        None => call.query_time_ms(name),
    };
    let (from_ms, to_ms) = (time_ms("start")?.unwrap_or(0), time_ms("end")?.unwrap_or(i64::MAX));
    let (datafeed, job) = match call.request.parameters.get("datafeed_id") {
        Some(id) => stored(&call, id, &fields)?,
        None => inline(&call, &fields)?,
    };
    shown(&call, &Subject { datafeed, job, from_ms, to_ms }).await
}

fn stored(call: &Call, id: &str, fields: &Fields<'_>) -> Result<(Arc<Datafeed>, Arc<Job>), ApiError> {
    if fields.value("datafeed_config").or(fields.value("job_config")).is_some() {
        return Err(ApiError::illegal_argument(
            "[datafeed_id] cannot be supplied when either [job_config] or [datafeed_config] is present",
        ));
    }
    call.permit()?;
    let metadata = call.metadata();
    let datafeed = metadata.datafeed(id)?;
    Ok((Arc::clone(datafeed), Arc::clone(metadata.job(&datafeed.job_id)?)))
}

fn inline(call: &Call, fields: &Fields<'_>) -> Result<(Arc<Datafeed>, Arc<Job>), ApiError> {
    let mut job = fields.object("job_config")?.cloned();
    let within = job.as_mut().and_then(|job| job.remove("datafeed_config"));
    let mut datafeed = match (fields.object("datafeed_config")?.cloned(), within) {
        (Some(_), Some(_)) => {
            return Err(ApiError::illegal_argument(
                "[datafeed_config] must not be present when a [job_config.datafeed_config] is present",
            ));
        }
        (Some(datafeed), None) | (None, Some(Value::Object(datafeed))) => datafeed,
        (None, _) if job.is_some() => {
            return Err(ApiError::illegal_argument(
                "[datafeed_config] must be present when a [job_config.datafeed_config] is not present",
            ));
        }
        (None, _) => return Err(ApiError::illegal_argument("[datafeed_id] must not be null.")),
    };
    datafeed.remove("datafeed_id");
    let job = match job {
        Some(mut job) => {
            job.remove("job_id");
            datafeed.insert("job_id".to_owned(), json!(JOB_ID));
            Some(Arc::new(Job::create(JOB_ID, &job, call.node.core.clock.now_ms())?))
        }
        None if datafeed.get("job_id").is_none_or(Value::is_null) => {
            return Err(ApiError::illegal_argument(
                "[datafeed_config.job_id] must be set or a [job_config] must be provided",
            ));
        }
        None => None,
    };
    let datafeed = Datafeed::create(DATAFEED_ID, None, &datafeed)?;
    call.permit()?;
    let job = match job {
        Some(job) => job,
        None => Arc::clone(call.metadata().job(&datafeed.job_id)?),
    };
    Ok((Arc::new(datafeed), job))
}

async fn shown(call: &Call, subject: &Subject) -> Result<Reply, ApiError> {
    let Subject { datafeed, job, from_ms, to_ms } = subject;
    let documents = &call.node.core.documents;
    // The caller sees documents here, so the caller's own rights count, whoever made the datafeed.
    let indices = sources::found(call, datafeed, job, &call.request.access)?;
    let (query, limit) = (&datafeed.query, datafeed.scroll_size);
    let page = documents.range(&indices, query, &job.time_field, *from_ms, *to_ms, None, limit).await?;
    let shown = page.documents.iter().map(|document| {
        let mut shown = Map::new();
        shown.insert(job.time_field.clone(), json!(document.time_ms));
        for name in &job.fields {
            if let Some(value) = document.source.as_object().and_then(|source| find(source, name)) {
                shown.insert(name.clone(), value.clone());
            }
        }
        Value::Object(shown)
    });
    Ok(Reply::json(shown.collect()))
}
