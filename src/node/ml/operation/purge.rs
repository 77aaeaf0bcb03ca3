//! Removes what a job has written.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::node::Core;
use crate::node::documents::{QueryNode, SearchRequest, SourceFilter, TrackTotal};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::ml::configuration::Job;
use crate::node::ml::indices::STATE_INDEX;
use crate::node::ml::local::Signal;
use crate::node::security::Access;
use crate::node::store::Batch;

/// Documents that one batch removes.
const BATCH: usize = 5000;

/// Which documents of a job. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purge {
    /// Results, snapshots, saved state.
    Everything,
    /// Results with a time, from this one on; forecasts stand.
    ResultsFrom(i64),
    /// Results before this time; what is of the job as a whole, and forecasts, stand.
    ResultsBefore(i64),
}

impl Purge {
    fn indices(self, job: &Job) -> Vec<&str> {
        match self {
            Self::Everything => vec![job.results_index.as_str(), STATE_INDEX],
            Self::ResultsFrom(_) | Self::ResultsBefore(_) => vec![job.results_index.as_str()],
        }
    }

    fn query(self, job: &Job) -> Value {
        let own = json!({"term": {"job_id": job.id}});
        let range = match self {
            Self::Everything => return own,
            Self::ResultsFrom(from_ms) => json!({"gte": from_ms}),
            Self::ResultsBefore(before_ms) => json!({"lt": before_ms}),
        };
        json!({"bool": {
            "filter": [own, {"exists": {"field": "result_type"}}, {"range": {"timestamp": range}}],
            "must_not": [
                {"terms": {"result_type": ["model_size_stats", "model_forecast_request_stats", "model_forecast"]}},
            ],
        }})
    }
}

/// How fast documents are removed, and until when.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Whoever does it may be told to go.
    told: Option<watch::Receiver<Signal>>,
    deadline: Option<Instant>,
    /// Documents a second.
    rate: Option<f64>,
}

impl Pace {
    pub(crate) fn until(told: watch::Receiver<Signal>) -> Self {
        Self { told: Some(told), ..Self::default() }
    }

    pub(crate) fn timed(deadline: Option<Instant>, rate: Option<f64>) -> Self {
        Self { told: None, deadline, rate }
    }

    /// Waits as long as the rate asks for after so many documents; whether it goes on.
    pub(crate) async fn goes_on(&self, removed: usize) -> bool {
        let told = self.told.as_ref().is_some_and(|told| *told.borrow() == Signal::Vacate);
        if told || self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return false;
        }
        let Some(rate) = self.rate.filter(|_| removed > 0) else { return true };
        let Ok(pause) = Duration::try_from_secs_f64(removed as f64 / rate) else { return false };
        // A pause that ends after the deadline is not worth beginning.
        let Some(end) = Instant::now().checked_add(pause).filter(|end| self.deadline.is_none_or(|last| *end < last))
        else {
            return false;
        };
        tokio::time::sleep_until(end).await;
        true
    }
}

/// Removes documents of a job, batch by batch; `false` if the pace said so before the end.
///
/// # Errors
/// The store cannot be read or written; what is left is removed by the next attempt.
pub(crate) async fn remove(core: &Core, job: &Job, what: Purge, pace: &Pace) -> Result<bool, ApiError> {
    let query = QueryNode::parse(&what.query(job))?;
    for index in what.indices(job) {
        let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
        let indices = IndexExpression::of(vec![index.to_owned()]).with(options);
        let request = SearchRequest {
            size: BATCH,
            source: SourceFilter { enabled: false, ..SourceFilter::default() },
            track_total: TrackTotal::No,
            ..SearchRequest::new(indices, query.clone())
        };
        let mut removed = 0;
        loop {
            if !pace.goes_on(removed).await {
                return Ok(false);
            }
            let hits = core.documents.search(request.clone(), &Access::Everything).await?.hits;
            removed = hits.len();
            if hits.is_empty() {
                break;
            }
            let mut batch = Batch::new();
            for hit in hits {
                batch.delete(hit.document.index.as_ref(), hit.document.id);
            }
            core.store.commit(batch).await?.all()?;
        }
    }
    Ok(true)
}
