//! Calendars: create, list, delete, and which jobs they are for.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::paging::Page;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Calendar, Fields};
use crate::node::ml::metadata::Metadata;
use crate::node::ml::problem::Problem;

pub(super) async fn put(call: Call) -> Result<Reply, ApiError> {
    let body = if call.request.json()?.is_some() { call.object()? } else { Map::new() };
    let calendar = Arc::new(Calendar::create(&call.expression("calendar_id"), &body)?);
    call.permit()?;
    let added = Arc::clone(&calendar);
    call.change(|metadata, _| {
        if metadata.calendars.contains_key(&added.id) {
            return Err(Problem::CalendarExists(added.id.clone()).into());
        }
        metadata.calendars.insert(added.id.clone(), added);
        Ok(())
    })
    .await?;
    Ok(Reply::json(Value::Object(calendar.source().clone())))
}

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["from", "size"])?;
    let fields = Fields::new("get_calendars_request", &options).only(&["calendar_id", "page", "from", "size"], &[])?;
    let page = Page::of(&fields)?;
    let in_path = call.request.parameters.get("calendar_id").map(String::as_str);
    let id = in_path.or(fields.text("calendar_id")?);
    if id.is_some() && page.given {
        return Err(ApiError::validation(&["Params [from, size] are incompatible with [calendar_id].".to_owned()]));
    }
    let metadata = call.metadata();
    let ids = metadata.expand_calendars(id.unwrap_or("_all"))?;
    let calendars = ids.iter().filter_map(|id| metadata.calendars.get(id));
    Ok(page.reply("calendars", calendars.map(|calendar| calendar.source().clone()).collect()))
}

/// Deletes a calendar with its events.
pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let id = call.expression("calendar_id");
    call.permit()?;
    call.change(|metadata, _| {
        metadata.calendar(&id)?;
        metadata.calendars.remove(&id);
        Arc::make_mut(&mut metadata.events).retain(|_, event| event.calendar_id != id);
        Ok(())
    })
    .await?;
    Ok(Reply::json(json!({"acknowledged": true})))
}

pub(super) async fn add_jobs(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    change_jobs(&call, |calendar, named| {
        let job_ids = calendar.job_ids.iter().cloned().chain(named);
        calendar.for_jobs(job_ids.collect())
    })
    .await
}

pub(super) async fn remove_jobs(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    change_jobs(&call, |calendar, named| {
        if let Some(job) = named.iter().find(|job| !calendar.job_ids.contains(job)) {
            return Err(Problem::NotInCalendar { job: job.clone(), calendar: calendar.id.clone() }.into());
        }
        calendar.for_jobs(calendar.job_ids.iter().filter(|job| !named.contains(job)).cloned().collect())
    })
    .await
}

/// Changes the jobs of a calendar by the ids and groups that the path names.
async fn change_jobs(
    call: &Call,
    change: impl FnOnce(&Calendar, Vec<String>) -> Result<Calendar, ApiError>,
) -> Result<Reply, ApiError> {
    let id = call.expression("calendar_id");
    let job_ids = call.expression("job_id");
    let named = job_ids.split(',').map(str::trim).filter(|job| !job.is_empty()).map(str::to_owned).collect();
    call.permit()?;
    let shown = call
        .change(|metadata: &mut Metadata, _| {
            let calendar = Arc::new(change(metadata.calendar(&id)?, named)?);
            metadata.calendars.insert(id.clone(), Arc::clone(&calendar));
            Ok(calendar.source().clone())
        })
        .await?;
    Ok(Reply::json(Value::Object(shown)))
}
