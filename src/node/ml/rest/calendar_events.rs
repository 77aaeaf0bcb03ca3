//! Scheduled events of calendars: add, list, delete.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::paging::Page;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Event, Fields};
use crate::node::ml::metadata::Metadata;
use crate::node::ml::problem::Problem;
use crate::node::store::document_id;

/// Events of all calendars together: they are kept in memory.
const EVENTS_MAX: usize = 10_000;

pub(super) async fn post(call: Call) -> Result<Reply, ApiError> {
    let body = call.object()?;
    let fields = Fields::new("post_calendar_events_request", &body).only(&["calendar_id", "events"], &[])?;
    let calendar_id = call.expression("calendar_id");
    let list = fields.value("events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if list.is_empty() {
        return Err(ApiError::status_exception(400, "At least 1 event is required"));
    }
    let now_ms = call.node.core.clock.now_ms();
    let read = |event: &Value| Event::create(&calendar_id, &document_id(now_ms), event);
    let events = list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    call.permit()?;
    let shown: Vec<Value> = events.iter().map(|event| without_id(event.source())).collect();
    call.change(|metadata, _| {
        metadata.calendar(&calendar_id)?;
        if metadata.events.len() + events.len() > EVENTS_MAX {
            return Err(ApiError::illegal_argument(format!("there can be at most [{EVENTS_MAX}] scheduled events")));
        }
        let added = events.into_iter().map(|event| (event.id.clone(), Arc::new(event)));
        Arc::make_mut(&mut metadata.events).extend(added);
        Ok(())
    })
    .await?;
    Ok(Reply::json(json!({"events": shown})))
}

/// Elasticsearch repeats the events as they were sent.
fn without_id(mut event: Map<String, Value>) -> Value {
    event.remove("event_id");
    Value::Object(event)
}

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    const KNOWN: [&str; 5] = ["end", "from", "job_id", "size", "start"];
    let options = call.options(&KNOWN)?;
    let fields = Fields::new("get_calendar_events_request", &options)
        .only(&["calendar_id", "end", "from", "job_id", "page", "size", "start"], &[])?;
    let page = Page::of(&fields)?;
    let (from_ms, to_ms) = (call.time_ms(&fields, "start")?, call.time_ms(&fields, "end")?);
    let calendars = call.expression("calendar_id");
    let job = fields.text("job_id")?;
    if job.is_some() && calendars != "_all" {
        return Err(ApiError::validation(&["If job_id is used calendar_id must be '_all'".to_owned()]));
    }
    let metadata = call.metadata();
    let wanted = match job {
        Some(job) => calendars_of(&metadata, job)?,
        None => metadata.expand_calendars(&calendars)?,
    };
    let overlaps = |event: &Event| {
        from_ms.is_none_or(|from_ms| event.scheduled.end_ms > from_ms)
            && to_ms.is_none_or(|to_ms| event.scheduled.start_ms < to_ms)
    };
    let mut found: Vec<&Event> = metadata
        .events
        .values()
        .map(Arc::as_ref)
        .filter(|event| wanted.contains(&event.calendar_id) && overlaps(event))
        .collect();
    found.sort_by_key(|event| {
        (event.scheduled.start_ms, event.scheduled.end_ms, &event.scheduled.description, &event.id)
    });
    Ok(page.reply("events", found.into_iter().map(Event::source).collect()))
}

/// The calendars of a job or a group.
fn calendars_of(metadata: &Metadata, name: &str) -> Result<Vec<String>, Problem> {
    if let Some(job) = metadata.jobs.get(name) {
        return Ok(metadata.calendars_of(job).map(|calendar| calendar.id.clone()).collect());
    }
    let group = name.to_owned();
    if !metadata.jobs.values().any(|job| job.groups.contains(&group)) {
        return Err(Problem::UnknownJob(group));
    }
    let calendars = metadata.calendars.values().filter(|calendar| calendar.is_for(std::iter::once(&group)));
    Ok(calendars.map(|calendar| calendar.id.clone()).collect())
}

pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let (calendar, event) = (call.expression("calendar_id"), call.expression("event_id"));
    call.permit()?;
    call.change(|metadata, _| {
        metadata.calendar(&calendar)?;
        let found = metadata.events.get(&event).ok_or_else(|| Problem::UnknownEvent(event.clone()))?;
        if found.calendar_id != calendar {
            let of = found.calendar_id.clone();
            return Err(Problem::EventOfOther { event: event.clone(), of, calendar: calendar.clone() }.into());
        }
        Arc::make_mut(&mut metadata.events).remove(&event);
        Ok(())
    })
    .await?;
    Ok(Reply::json(json!({"acknowledged": true})))
}
