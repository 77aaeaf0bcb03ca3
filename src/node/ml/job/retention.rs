//! Which model snapshots a job still keeps.
//!
//! Source: elasticsearch, `ExpiredModelSnapshotsRemover.java`.

use serde_json::Value;

use super::snapshot::{self, SNAPSHOT_RESULT};
use crate::node::Core;
use crate::node::documents::{Direction, Missing, Sort};
use crate::node::http::ApiError;
use crate::node::ml::configuration::Job;
use crate::node::store::Batch;

pub(crate) const DAY_MS: i64 = 86_400_000;
/// Snapshots that are looked at in one go, the oldest first; the rest comes next time.
const LOOKED_AT_MAX: usize = 1000;

/// The expired snapshots: all that are older than `model_snapshot_retention_days`, and all but the first of each day that are older than
/// `daily_model_snapshot_retention_after_days`, both before the newest snapshot. Never the job's own, or one that is retained.
///
/// `newest_ms` is the time of a snapshot that is about to be written; without it the newest stored one counts.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn expired(core: &Core, job: &Job, newest_ms: Option<i64>) -> Result<Vec<String>, ApiError> {
    let snapshots = stored(core, job).await?;
    let Some(newest_ms) = newest_ms.or_else(|| snapshots.last().map(|snapshot| snapshot.time_ms)) else {
        return Ok(Vec::new());
    };
    let before = |days: i64| newest_ms.saturating_sub(days.saturating_mul(DAY_MS));
    let daily_before_ms = before(job.retention.daily_snapshots_after_days);
    let considered = snapshots.iter().filter(|snapshot| snapshot.time_ms < daily_before_ms && !snapshot.retain);
    let others = considered.filter(|snapshot| Some(snapshot.id.as_str()) != job.snapshot_id()).take(LOOKED_AT_MAX);
    Ok(beyond(others, before(job.retention.snapshots_days)))
}

/// Removes snapshots that have expired, unless they have become the job's own or are to be retained by now.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn remove(core: &Core, job: &Job, expired: &[String], batch: &mut Batch) -> Result<(), ApiError> {
    for id in expired.iter().filter(|id| Some(id.as_str()) != job.snapshot_id()) {
        let Ok(document) = snapshot::find(core, job, id) else { continue };
        if document.get("retain") != Some(&Value::Bool(true)) {
            snapshot::remove(job, id, batch);
        }
    }
    Ok(())
}

/// Of snapshots in time order: those before `keep_from_ms`, and of each day from then on all but the first.
fn beyond<'a>(snapshots: impl Iterator<Item = &'a Stored>, keep_from_ms: i64) -> Vec<String> {
    let mut next_to_keep_ms = keep_from_ms;
    let mut expired = Vec::new();
    for Stored { time_ms, id, .. } in snapshots {
        if *time_ms < next_to_keep_ms {
            expired.push(id.clone());
            continue;
        }
        let days = time_ms.saturating_sub(next_to_keep_ms) / DAY_MS + 1;
        next_to_keep_ms = next_to_keep_ms.saturating_add(days.saturating_mul(DAY_MS));
    }
    expired
}

/// A snapshot of the job, as far as it matters here.
struct Stored {
    time_ms: i64,
    id: String,
    retain: bool,
}

/// The snapshots of a job, the oldest first. Found by their ids: other jobs have results in the same index.
async fn stored(core: &Core, job: &Job) -> Result<Vec<Stored>, ApiError> {
    let prefix = snapshot::document_id(&job.id, "");
    let (mut snapshots, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = core.documents.with_prefix(&job.results_index, &prefix, after.as_deref(), LOOKED_AT_MAX).await?;
        snapshots.extend(page.iter().filter_map(|(_, source)| of(source, job)));
        match page.last() {
            Some((id, _)) if page.len() == LOOKED_AT_MAX => after = Some(id.clone()),
            _ => break,
        }
    }
    snapshots.sort_by_key(|snapshot| snapshot.time_ms);
    Ok(snapshots)
}

fn of(source: &Value, job: &Job) -> Option<Stored> {
    source.get(SNAPSHOT_RESULT)?;
    // The id of another job may begin so.
    source.get("job_id").filter(|id| id.as_str() == Some(&job.id))?;
    Some(Stored {
        time_ms: source.get("timestamp")?.as_i64()?,
        id: source.get("snapshot_id")?.as_str()?.to_owned(),
        retain: source.get("retain") == Some(&Value::Bool(true)),
    })
}

/// Orders ML documents by their time.
pub(crate) fn by_time(direction: Direction) -> Sort {
    Sort { field: "timestamp".to_owned(), direction, missing: Missing::Last, unmapped: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_snapshot_a_day_outlives_the_daily_cutoff_and_none_the_hard_one() {
        let hours = [-30, -1, 0, 5, 23, 24, 30, 95, 96, 97];
        let stored = |hour: &i64| Stored { time_ms: hour * 3_600_000, id: hour.to_string(), retain: false };
        let snapshots: Vec<Stored> = hours.iter().map(stored).collect();
        assert_eq!(beyond(snapshots.iter(), 0), ["-30", "-1", "5", "23", "30", "97"]);
        assert!(beyond(snapshots.iter(), i64::MIN).len() >= 5, "extremes do not overflow");
    }
}
