//! What Elasticsearch does every night: removes results and model snapshots that jobs no longer keep.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::Parts;
use super::configuration::Job;
use super::job::retention::{self, DAY_MS, by_time};
use super::operation::{Pace, Purge, remove};
use crate::node::Core;
use crate::node::documents::{Direction, QueryNode, SearchRequest, TrackTotal};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::security::Access;

/// When it begins, UTC.
const TIME_OF_DAY_MS: i64 = 3_600_000;

/// Runs once a day, not in upgrade mode; ends when the node stops.
pub(super) async fn daily(parts: Arc<Parts>, mut stop: watch::Receiver<bool>) {
    loop {
        let now_ms = parts.cluster.core().clock.now_ms();
        let wait_ms = DAY_MS - now_ms.saturating_sub(TIME_OF_DAY_MS).rem_euclid(DAY_MS);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait_ms.unsigned_abs())) => {}
            _ = stop.wait_for(|stopping| *stopping) => return,
        }
        let metadata = parts.cluster.now();
        for job in metadata.jobs.values() {
            if parts.cluster.now().standing.upgrade_mode {
                tracing::info!("skipping scheduled [ML] maintenance tasks because upgrade mode is enabled");
                break;
            }
            if let Err(problem) = expire(&parts, job, &Pace::default()).await {
                tracing::warn!(job = %job.id, reason = problem.reason(), "expired data was not removed");
            }
        }
    }
}

/// Removes what a job does not keep any longer; `false` if the pace said so before the end.
///
/// # Errors
/// The store cannot be read or written; the next time goes on from there.
pub(crate) async fn expire(parts: &Parts, job: &Job, pace: &Pace) -> Result<bool, ApiError> {
    let core = parts.cluster.core();
    if let Some(days) = job.retention.results_days
        && let Some(newest_ms) = newest_bucket_ms(core, job).await?
    {
        let before_ms = newest_ms.saturating_sub(days.saturating_mul(DAY_MS));
        if !remove(core, job, Purge::ResultsBefore(before_ms), pace).await? {
            return Ok(false);
        }
    }
    let expired = retention::expired(core, job, None).await?;
    if expired.is_empty() {
        return Ok(true);
    }
    parts
        .cluster
        .update(|metadata, batch| match metadata.jobs.get(&job.id) {
            Some(job) if !metadata.standing.upgrade_mode => retention::remove(core, job, &expired, batch),
            _ => Ok(()),
        })
        .await?;
    Ok(true)
}

async fn newest_bucket_ms(core: &Core, job: &Job) -> Result<Option<i64>, ApiError> {
    let query = QueryNode::parse(&json!({"bool": {
        "filter": [{"term": {"job_id": job.id}}, {"term": {"result_type": "bucket"}}],
    }}))?;
    let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
    let request = SearchRequest {
        size: 1,
        sort: vec![by_time(Direction::Descending)],
        track_total: TrackTotal::No,
        ..SearchRequest::new(IndexExpression::of(vec![job.results_index.clone()]).with(options), query)
    };
    let hits = core.documents.search(request, &Access::Everything).await?.hits;
    Ok(hits.first().and_then(|hit| hit.sort.first()).and_then(Value::as_i64))
}
