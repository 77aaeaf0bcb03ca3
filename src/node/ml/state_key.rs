//! The keys of the store's state that ML uses.

use super::persistent::TaskKey;

pub(crate) const STANDING: &str = "ml/standing";
pub(crate) const JOBS: &str = "ml/job/";
pub(crate) const DATAFEEDS: &str = "ml/datafeed/";
pub(crate) const TASKS: &str = "ml/task/";
pub(crate) const FILTERS: &str = "ml/filter/";
pub(crate) const CALENDARS: &str = "ml/calendar/";
pub(crate) const EVENTS: &str = "ml/event/";
pub(crate) const BLOCKED: &str = "ml/blocked/";

/// What a job is blocked by.
pub(crate) fn blocked(job_id: &str) -> String {
    format!("{BLOCKED}{job_id}")
}

pub(crate) fn task(key: &TaskKey) -> String {
    format!("{TASKS}{key}")
}

/// The allocation that may write for a task. Every batch of a running job expects its own here, so that nothing is written for a
/// task that was removed or unassigned in the meantime.
pub(crate) fn owner(key: &TaskKey) -> String {
    format!("ml/owner/{key}")
}

pub(crate) fn owner_value(allocation: u64) -> Vec<u8> {
    allocation.to_string().into_bytes()
}

/// What is known of a forecast.
pub(crate) fn forecast(job_id: &str, forecast_id: &str) -> String {
    format!("{}{forecast_id}", forecasts(job_id))
}

/// The beginning of [`forecast`] for all of a job.
pub(crate) fn forecasts(job_id: &str) -> String {
    format!("ml/forecast/{job_id}/")
}

/// A job's counters and the position of its datafeed.
pub(crate) fn progress(job_id: &str) -> String {
    format!("ml/progress/{job_id}")
}

/// The open buckets of a job that is not closed.
pub(crate) fn unfinished(job_id: &str) -> String {
    format!("ml/unfinished/{job_id}")
}

/// The models of a job that is not closed.
pub(crate) fn learned(job_id: &str) -> String {
    format!("ml/learned/{job_id}")
}
