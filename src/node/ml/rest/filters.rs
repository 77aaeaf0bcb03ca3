//! Filters: create, list, change, delete.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::paging::Page;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Fields, Filter, Job};
use crate::node::ml::identifier::{NoMatch, expand};
use crate::node::ml::metadata::Metadata;
use crate::node::ml::problem::Problem;

pub(super) async fn put(call: Call) -> Result<Reply, ApiError> {
    let filter = Arc::new(Filter::create(&call.expression("filter_id"), &call.object()?)?);
    call.permit()?;
    let added = Arc::clone(&filter);
    call.change(|metadata, _| {
        if metadata.filters.contains_key(&added.id) {
            return Err(Problem::FilterExists(added.id.clone()).into());
        }
        metadata.filters.insert(added.id.clone(), added);
        Ok(())
    })
    .await?;
    Ok(Reply::json(Value::Object(filter.source().clone())))
}

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let options = call.options(&["from", "size"])?;
    let page = Page::of(&Fields::new("get_filters_request", &options))?;
    let metadata = call.metadata();
    let known = metadata.filters.keys().map(|id| (id.as_str(), std::iter::empty()));
    let ids = expand(&call.expression("filter_id"), known, NoMatch::Allowed).map_err(Problem::UnknownFilter)?;
    let filters = ids.iter().filter_map(|id| metadata.filters.get(id));
    Ok(page.reply("filters", filters.map(|filter| filter.source().clone()).collect()))
}

pub(super) async fn update(call: Call) -> Result<Reply, ApiError> {
    let body = call.object()?;
    let id = call.expression("filter_id");
    call.permit()?;
    let shown = call
        .change(|metadata, _| {
            let old = metadata.filters.get(&id).ok_or_else(|| Problem::UnknownFilter(id.clone()))?;
            let filter = Arc::new(old.updated(&body)?);
            metadata.filters.insert(id.clone(), Arc::clone(&filter));
            Ok(filter.source().clone())
        })
        .await?;
    Ok(Reply::json(Value::Object(shown)))
}

pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let id = call.expression("filter_id");
    call.permit()?;
    call.change(|metadata, _| {
        let uses = |job: &Arc<Job>| job.filters().contains(id.as_str());
        let users: Vec<String> = metadata.jobs.values().filter(|job| uses(job)).map(|job| job.id.clone()).collect();
        if !users.is_empty() {
            return Err(Problem::FilterInUse { filter: id.clone(), jobs: users.join(", ") }.into());
        }
        metadata.filters.remove(&id).map(|_| ()).ok_or_else(|| Problem::UnknownFilter(id.clone()).into())
    })
    .await?;
    Ok(Reply::json(json!({"acknowledged": true})))
}

/// # Errors
/// 404 for a filter that the job's rules name and that is not there.
pub(super) fn check_known(metadata: &Metadata, job: &Job) -> Result<(), Problem> {
    match job.filters().into_iter().find(|filter| !metadata.filters.contains_key(*filter)) {
        Some(filter) => Err(Problem::UnknownFilter(filter.to_owned())),
        None => Ok(()),
    }
}
