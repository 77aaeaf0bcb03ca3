//! What Elasticsearch does every night: removes results and model snapshots that jobs no longer keep.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Parts;
use super::configuration::Job;
use super::forecast;
use super::job::retention::{self, DAY_MS, by_time};
use super::metadata::Metadata;
use super::notification::{self, Level};
use super::operation::{Purge, Purging};
use super::upgrade_mode;
use crate::node::Core;
use crate::node::documents::{Direction, QueryNode, SearchRequest, TrackTotal};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::security::Access;
use crate::node::store::Batch;

const ACTION: &str = "cluster:admin/xpack/ml/delete_expired_data";
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
            if let Err(problem) = expire(&parts, job, Pace::default()).await {
                tracing::warn!(job = %job.id, reason = problem.reason(), "expired data was not removed");
            }
        }
    }
}

/// How fast documents are removed, and until when.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) deadline: Option<Instant>,
    /// Documents a second.
    pub(crate) rate: Option<f64>,
}

impl Pace {
    /// Waits as long as the rate asks for after so many documents; whether there is time for more.
    async fn goes_on(self, removed: usize) -> bool {
        let in_time = |time: Instant| self.deadline.is_none_or(|deadline| time < deadline);
        let pause = match self.rate {
            Some(rate) => Duration::try_from_secs_f64(removed as f64 / rate).ok(),
            None => Some(Duration::ZERO),
        };
        // A pause that ends after the deadline is not worth beginning.
        let Some(end) = pause.and_then(|pause| Instant::now().checked_add(pause)).filter(|end| in_time(*end)) else {
            return false;
        };
        tokio::time::sleep_until(end).await;
        true
    }
}

/// Removes what a job does not keep any longer; `false` if its time was up before the end.
///
/// # Errors
/// 429 in upgrade mode; the store cannot be read or written. The next time goes on from there.
pub(crate) async fn expire(parts: &Parts, job: &Job, pace: Pace) -> Result<bool, ApiError> {
    let core = parts.cluster.core();
    if let Some(days) = job.retention.results_days
        && let Some(newest_ms) = newest_bucket_ms(core, job).await?
    {
        let before_ms = newest_ms.saturating_sub(days.saturating_mul(DAY_MS));
        if !purge(parts, Purging::new(job, Purge::ResultsBefore(before_ms))?, pace).await? {
            return Ok(false);
        }
    }
    let now_ms = core.clock.now_ms();
    let over = forecast::list(core, job).await?.into_iter().filter(|one| one.expiry_ms.is_some_and(|at| at < now_ms));
    let over: Vec<String> = over.map(|one| one.id).collect();
    if !over.is_empty() && !purge(parts, forecast::removal(job, &over)?, pace).await? {
        return Ok(false);
    }
    let expired = retention::expired(core, job, None).await?;
    if !expired.is_empty() {
        write(parts, |metadata, batch| match metadata.jobs.get(&job.id) {
            Some(job) => {
                let message = format!("[{}] expired model snapshots deleted", expired.len());
                notification::put(core, &job.id, Level::Info, message, batch)?;
                retention::remove(core, job, &expired, batch)
            }
            None => Ok(()),
        })
        .await?;
    }
    Ok(true)
}

/// `false` if its time was up before the end.
async fn purge(parts: &Parts, mut purging: Purging, pace: Pace) -> Result<bool, ApiError> {
    let mut removed = 0;
    loop {
        if !pace.goes_on(removed).await {
            return Ok(false);
        }
        let Some((expired, count)) = purging.next(parts.cluster.core()).await? else { return Ok(true) };
        removed = count;
        write(parts, |_, batch| {
            *batch = expired;
            Ok(())
        })
        .await?;
    }
}

/// Writes as a change of the metadata, so that nothing is written once upgrade mode is on.
async fn write(
    parts: &Parts,
    change: impl FnOnce(&Metadata, &mut Batch) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let update = parts.cluster.update(|metadata, batch| {
        upgrade_mode::refuse(metadata, ACTION)?;
        change(metadata, batch)
    });
    update.await
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
