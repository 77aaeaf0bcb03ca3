//! Configurations of datafeeds: create, list, update, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::lifecycle::{Manner, end_tasks};
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Datafeed, Job};
use crate::node::ml::metadata::Metadata;
use crate::node::ml::persistent::TaskKey;
use crate::node::ml::problem::Problem;
use crate::node::security::Access;
use crate::node::security::privileges::{Actions, Scope};

const SEARCH: &str = "indices:data/read/search";
const DELETE_TIMEOUT_MS: i64 = 300_000;

pub(super) async fn put(call: Call) -> Result<Reply, ApiError> {
    let id = call.expression("datafeed_id");
    let mut body = call.object()?;
    add_indices_options(&call, &mut body);
    let datafeed = Datafeed::create(&id, None, &body)?;
    check_readable(&call, &datafeed)?;
    call.permit()?;
    let datafeed = Arc::new(datafeed);
    let added = Arc::clone(&datafeed);
    call.change(|metadata, _| {
        check_new(metadata, &added)?;
        metadata.datafeeds.insert(added.id.clone(), added);
        Ok(())
    })
    .await?;
    Ok(Reply::json(Value::Object(datafeed.source().clone())))
}

/// The `indices_options` of a configuration may stand in the query instead; where both have some the configuration's count.
///
/// Source: elasticsearch, `RestPutDatafeedAction.java`, `RestUpdateDatafeedAction.java`.
pub(super) fn add_indices_options(call: &Call, datafeed: &mut Map<String, Value>) {
    let flags = ["ignore_unavailable", "allow_no_indices", "ignore_throttled"];
    let given = |name| Some((String::from(name), call.request.query.text(name)?));
    let mut options: Map<String, Value> =
        flags.into_iter().filter_map(given).map(|(name, text)| (name, json!(text))).collect();
    if let Some(words) = call.request.query.text("expand_wildcards") {
        options.insert("expand_wildcards".to_owned(), words.split(',').collect());
    }
    if !options.is_empty() {
        datafeed.entry("indices_options").or_insert(Value::Object(options));
    }
}

/// A datafeed reads for whoever made or changed it: the caller must be able to search everything that its names and wildcards mean.
///
/// # Errors
/// 403 with Elasticsearch's text.
///
/// Source: elasticsearch, `DatafeedManager.java`, `handlePrivsResponse`.
pub(super) fn check_readable(call: &Call, datafeed: &Datafeed) -> Result<(), ApiError> {
    let (Access::Granted(permissions), Some(asked)) = (&call.request.access, Actions::of(Scope::Index, SEARCH)) else {
        return Ok(());
    };
    let names = datafeed.source().get("indices").and_then(Value::as_array).into_iter().flatten();
    let granted: BTreeMap<&str, bool> =
        names.filter_map(Value::as_str).map(|name| (name, permissions.has_index(&asked, name))).collect();
    if granted.values().all(|granted| *granted) {
        return Ok(());
    }
    let indices: Map<String, Value> =
        granted.into_iter().map(|(name, granted)| (name.to_owned(), json!({SEARCH: granted}))).collect();
    let verb = if call.action.ends_with("/update") { "update" } else { "create" };
    let (datafeed, user) = (datafeed.id.clone(), call.request.caller.username.clone());
    Err(Problem::Unreadable { verb, datafeed, user, indices: Value::Object(indices).to_string() }.into())
}

/// # Errors
/// A taken id, a missing job, a job that has a datafeed or cannot have one.
pub(super) fn check_new(metadata: &Metadata, datafeed: &Datafeed) -> Result<(), ApiError> {
    if metadata.datafeeds.contains_key(&datafeed.id) {
        return Err(Problem::DatafeedExists(datafeed.id.clone()).into());
    }
    check_job(metadata.job(&datafeed.job_id)?, datafeed)?;
    match metadata.datafeed_of(&datafeed.job_id) {
        Some(other) => Err(Problem::JobHasDatafeed { datafeed: other.id.clone(), job: datafeed.job_id.clone() }.into()),
        None => Ok(()),
    }
}

/// # Errors
/// 400: the job cannot have this datafeed.
pub(super) fn check_job(job: &Job, datafeed: &Datafeed) -> Result<(), ApiError> {
    if job.plan.latency_ms > 0 {
        return Err(ApiError::illegal_argument("A job configured with datafeed cannot support latency"));
    }
    datafeed.delayed_data_window_ms(job.plan.bucket_span_ms)?;
    Ok(())
}

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let bare = call.request.query.flag("exclude_generated")?.unwrap_or(false);
    let no_match = call.no_match("allow_no_datafeeds")?;
    let metadata = call.metadata();
    let ids = metadata.expand_datafeeds(&call.expression("datafeed_id"), no_match)?;
    let datafeeds = ids.iter().filter_map(|id| metadata.datafeeds.get(id));
    let shown = |datafeed: &Arc<Datafeed>| if bare { datafeed.exported() } else { datafeed.source().clone() };
    let datafeeds: Vec<Value> = datafeeds.map(shown).map(Value::Object).collect();
    Ok(Reply::json(json!({"count": datafeeds.len(), "datafeeds": datafeeds})))
}

pub(super) async fn update(call: Call) -> Result<Reply, ApiError> {
    let mut body = call.object()?;
    add_indices_options(&call, &mut body);
    let id = call.expression("datafeed_id");
    call.permit()?;
    let updated = call.metadata().datafeed(&id)?.updated(&body)?;
    check_readable(&call, &updated)?;
    let shown = call
        .change(|metadata, _| {
            let datafeed = Arc::new(metadata.datafeed(&id)?.updated(&body)?);
            let state = metadata.datafeed_state(&id);
            if state != "stopped" {
                return Err(Problem::UpdateStartedDatafeed { datafeed: id.clone(), state }.into());
            }
            check_job(metadata.job(&datafeed.job_id)?, &datafeed)?;
            metadata.datafeeds.insert(id.clone(), Arc::clone(&datafeed));
            Ok(datafeed.source().clone())
        })
        .await?;
    Ok(Reply::json(Value::Object(shown)))
}

pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let force = call.request.query.flag("force")?.unwrap_or(false);
    call.permit()?;
    let id = call.expression("datafeed_id");
    call.metadata().datafeed(&id)?;
    if force {
        end_tasks(&call, &[TaskKey::Datafeed(id.clone())], Manner::Forced, DELETE_TIMEOUT_MS).await?;
    }
    call.change(|metadata, _| {
        metadata.datafeed(&id)?;
        let state = metadata.datafeed_state(&id);
        if state != "stopped" {
            return Err(Problem::DeleteStartedDatafeed { datafeed: id.clone(), state }.into());
        }
        metadata.datafeeds.remove(&id);
        Ok(())
    })
    .await?;
    Ok(Reply::json(json!({"acknowledged": true})))
}
