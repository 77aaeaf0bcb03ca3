//! Calendars and their scheduled events.
//!
//! Source: elasticsearch, `Calendar.java`, `PutCalendarAction.java`, `ScheduledEvent.java`.

use serde_json::{Map, Value, json};

use super::fields::{Fields, not_supported};
use super::job::inconsistent;
use crate::node::http::ApiError;
use crate::node::indices::dates::{Rounding, format, parse_any};
use crate::node::ml::detector::{Actions, ScheduledEvent};
use crate::node::ml::identifier::check_id;

/// Jobs and groups of one calendar.
const JOBS_MAX: usize = 10_000;

/// Which jobs, by id or group, its events are for; `_all` means every job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calendar {
    pub(crate) id: String,
    pub(crate) job_ids: Vec<String>,
    source: Map<String, Value>,
}

impl Calendar {
    /// Reads the body of `PUT _ml/calendars/{id}`.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub(crate) fn create(id: &str, body: &Map<String, Value>) -> Result<Self, ApiError> {
        let fields = Fields::new("calendar", body).only(&["calendar_id", "description", "job_ids"], &[])?;
        if let Some(other) = fields.text("calendar_id")?.filter(|other| *other != id) {
            return Err(inconsistent("calendar_id", other, id));
        }
        let mut problems = Vec::new();
        if id == "_all" {
            problems.push("Cannot create a Calendar with the reserved name [_all]".to_owned());
        }
        problems.extend(check_id(id, "calendar_id").err().map(|problem| problem.reason().to_owned()));
        if !problems.is_empty() {
            return Err(ApiError::validation(&problems));
        }
        Self::new(id, fields.text("description")?, fields.texts("job_ids")?.unwrap_or_default())
    }

    /// Reads what [`Calendar::source`] gave.
    ///
    /// # Errors
    /// As [`Calendar::create`].
    pub(crate) fn read(source: &Map<String, Value>) -> Result<Self, ApiError> {
        let id = source.get("calendar_id").and_then(Value::as_str).unwrap_or_default();
        Self::create(id, source)
    }

    /// With other jobs and groups.
    ///
    /// # Errors
    /// 400 for too many.
    pub(crate) fn for_jobs(&self, job_ids: Vec<String>) -> Result<Self, ApiError> {
        Self::new(&self.id, self.source.get("description").and_then(Value::as_str), job_ids)
    }

    fn new(id: &str, description: Option<&str>, given: Vec<String>) -> Result<Self, ApiError> {
        let mut job_ids: Vec<String> = Vec::new();
        for job_id in given {
            if !job_ids.contains(&job_id) {
                job_ids.push(job_id);
            }
        }
        if job_ids.len() > JOBS_MAX {
            return Err(ApiError::illegal_argument(format!("a calendar can be for at most [{JOBS_MAX}] jobs")));
        }
        let mut source = Map::new();
        source.insert("calendar_id".to_owned(), json!(id));
        source.insert("job_ids".to_owned(), json!(job_ids));
        if let Some(description) = description {
            source.insert("description".to_owned(), json!(description));
        }
        Ok(Self { id: id.to_owned(), job_ids, source })
    }

    /// As `GET` shows it.
    pub(crate) fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// Whether its events are for a job that has these names: its id and its groups.
    pub(crate) fn is_for<'a>(&self, mut names: impl Iterator<Item = &'a String>) -> bool {
        self.job_ids.iter().any(|id| id == "_all") || names.any(|name| self.job_ids.contains(name))
    }
}

/// A scheduled event of a calendar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) calendar_id: String,
    pub(crate) scheduled: ScheduledEvent,
}

impl Event {
    /// Reads one of the `events` of a body.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub(crate) fn create(calendar_id: &str, id: &str, body: &Value) -> Result<Self, ApiError> {
        let fields = Fields::of("scheduled_event", body)?.only(
            &["calendar_id", "description", "end_time", "event_id", "skip_model_update", "skip_result", "start_time"],
            &["force_time_shift"],
        )?;
        if let Some(other) = fields.text("calendar_id")?.filter(|other| *other != calendar_id) {
            return Err(inconsistent("calendar_id", other, calendar_id));
        }
        let null = |name: &str| ApiError::status_exception(400, format!("Field [{name}] cannot be null"));
        let description = fields.text("description")?.ok_or_else(|| null("description"))?.to_owned();
        let start_ms = time_ms(&fields, "start_time")?.ok_or_else(|| null("start_time"))?;
        let end_ms = time_ms(&fields, "end_time")?.ok_or_else(|| null("end_time"))?;
        if start_ms >= end_ms {
            return Err(ApiError::status_exception(
                400,
                format!("Event start time [{}] must come before end time [{}]", instant(start_ms), instant(end_ms)),
            ));
        }
        let actions = Actions {
            skip_result: fields.flag("skip_result")?.unwrap_or(true),
            skip_model_update: fields.flag("skip_model_update")?.unwrap_or(true),
        };
        if actions == Actions::default() {
            return Err(not_supported("scheduled_event", "neither skip_result nor skip_model_update"));
        }
        let scheduled = ScheduledEvent { description, start_ms, end_ms, actions };
        Ok(Self { id: id.to_owned(), calendar_id: calendar_id.to_owned(), scheduled })
    }

    /// Reads what [`Event::source`] gave.
    ///
    /// # Errors
    /// As [`Event::create`].
    pub(crate) fn read(source: &Map<String, Value>) -> Result<Self, ApiError> {
        let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
        Self::create(text("calendar_id"), text("event_id"), &Value::Object(source.clone()))
    }

    /// As `GET` shows it.
    pub(crate) fn source(&self) -> Map<String, Value> {
        let ScheduledEvent { description, start_ms, end_ms, actions } = &self.scheduled;
        let shown = json!({
            "description": description,
            "start_time": start_ms,
            "end_time": end_ms,
            "skip_result": actions.skip_result,
            "skip_model_update": actions.skip_model_update,
            "calendar_id": self.calendar_id,
            "event_id": self.id,
        });
        if let Value::Object(shown) = shown { shown } else { Map::new() }
    }
}

/// Milliseconds since 1970, or a date.
fn time_ms(fields: &Fields<'_>, name: &str) -> Result<Option<i64>, ApiError> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok().or_else(|| parse_any(text, Rounding::Down)),
        _ => None,
    };
    let wrong = || ApiError::content(format!("[scheduled_event] failed to parse field [{name}]"));
    fields.value(name).map(|value| read(value).ok_or_else(wrong)).transpose()
}

/// As Java shows an instant: without a fraction that is zero.
fn instant(time_ms: i64) -> String {
    format(time_ms).replace(".000Z", "Z")
}
