//! Which model snapshots a job still keeps.
//!
//! Source: elasticsearch, `ExpiredModelSnapshotsRemover.java`.

use serde_json::{Value, json};

use super::snapshot::{self, SNAPSHOT_RESULT};
use crate::node::Core;
use crate::node::documents::{Direction, Missing, QueryNode, SearchRequest, Sort, TrackTotal};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::ml::configuration::Job;
use crate::node::security::Access;
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
    let newest_ms = match newest_ms {
        Some(newest_ms) => Some(newest_ms),
        None => found(core, job, None, Direction::Descending, 1).await?.first().map(|(time_ms, _)| *time_ms),
    };
    let Some(newest_ms) = newest_ms else { return Ok(Vec::new()) };
    let before = |days: i64| newest_ms.saturating_sub(days.saturating_mul(DAY_MS));
    let daily_before_ms = before(job.retention.daily_snapshots_after_days);
    let considered = found(core, job, Some(daily_before_ms), Direction::Ascending, LOOKED_AT_MAX).await?;
    let others = considered.iter().filter(|(_, id)| Some(id.as_str()) != job.snapshot_id());
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
fn beyond<'a>(snapshots: impl Iterator<Item = &'a (i64, String)>, keep_from_ms: i64) -> Vec<String> {
    let mut next_to_keep_ms = keep_from_ms;
    let mut expired = Vec::new();
    for (time_ms, id) in snapshots {
        if *time_ms < next_to_keep_ms {
            expired.push(id.clone());
            continue;
        }
        let days = time_ms.saturating_sub(next_to_keep_ms) / DAY_MS + 1;
        next_to_keep_ms = next_to_keep_ms.saturating_add(days.saturating_mul(DAY_MS));
    }
    expired
}

/// Snapshots by time and id; those from before a time are only the ones that are not retained.
async fn found(
    core: &Core,
    job: &Job,
    before_ms: Option<i64>,
    direction: Direction,
    size: usize,
) -> Result<Vec<(i64, String)>, ApiError> {
    let mut filter = vec![json!({"term": {"job_id": job.id}}), json!({"exists": {"field": SNAPSHOT_RESULT}})];
    let mut must_not = Vec::new();
    if let Some(before_ms) = before_ms {
        filter.push(json!({"range": {"timestamp": {"lt": before_ms}}}));
        must_not.push(json!({"term": {"retain": true}}));
    }
    let query = QueryNode::parse(&json!({"bool": {"filter": filter, "must_not": must_not}}))?;
    let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
    let indices = IndexExpression::of(vec![job.results_index.clone()]).with(options);
    let request = SearchRequest {
        size,
        sort: vec![by_time(direction)],
        track_total: TrackTotal::No,
        ..SearchRequest::new(indices, query)
    };
    let hits = core.documents.search(request, &Access::Everything).await?.hits;
    let found = hits.iter().filter_map(|hit| {
        let id = hit.document.source.get("snapshot_id").and_then(Value::as_str)?;
        Some((hit.sort.first().and_then(Value::as_i64)?, id.to_owned()))
    });
    Ok(found.collect())
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
        let snapshots: Vec<(i64, String)> = hours.iter().map(|hour| (hour * 3_600_000, hour.to_string())).collect();
        assert_eq!(beyond(snapshots.iter(), 0), ["-30", "-1", "5", "23", "30", "97"]);
        assert!(beyond(snapshots.iter(), i64::MIN).len() >= 5, "extremes do not overflow");
    }
}
