//! Removes what a job has written.

use serde_json::{Value, json};

use crate::node::Core;
use crate::node::documents::{QueryNode, SearchRequest, SourceFilter, TrackTotal};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::ml::configuration::Job;
use crate::node::ml::forecast;
use crate::node::ml::indices::STATE_INDEX;
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
                {"terms": {"result_type": ["model_size_stats", forecast::STATS_RESULT, forecast::VALUE_RESULT]}},
            ],
        }})
    }
}

/// The batches that remove documents of a job; each may be made again, and what is gone is not found again.
#[derive(Debug)]
pub(crate) struct Purging {
    /// Goes before all others.
    first: Option<Batch>,
    /// The last one is first.
    requests: Vec<SearchRequest>,
}

impl Purging {
    /// # Errors
    /// None: the query is ours.
    pub(crate) fn new(job: &Job, what: Purge) -> Result<Self, ApiError> {
        let query = QueryNode::parse(&what.query(job))?;
        Ok(Self { first: None, requests: what.indices(job).into_iter().map(|index| request(index, &query)).collect() })
    }

    /// First this batch, then what the queries find in an index, one query after the other.
    ///
    /// # Errors
    /// 400 for what is no query.
    pub(crate) fn after(first: Batch, index: &str, queries: &[Value]) -> Result<Self, ApiError> {
        let parsed = |query| Ok(request(index, &QueryNode::parse(query)?));
        let requests = queries.iter().rev().map(parsed).collect::<Result<_, ApiError>>()?;
        Ok(Self { first: Some(first), requests })
    }

    /// The next batch, and of how many documents it is; `None` when nothing is left.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn next(&mut self, core: &Core) -> Result<Option<(Batch, usize)>, ApiError> {
        if let Some(first) = self.first.take() {
            return Ok(Some((first, 0)));
        }
        while let Some(request) = self.requests.last() {
            let hits = core.documents.search(request.clone(), &Access::Everything).await?.hits;
            if hits.is_empty() {
                self.requests.pop();
                continue;
            }
            let count = hits.len();
            let mut batch = Batch::new();
            for hit in hits {
                batch.delete(hit.document.index.as_ref(), hit.document.id);
            }
            return Ok(Some((batch, count)));
        }
        Ok(None)
    }
}

fn request(index: &str, query: &QueryNode) -> SearchRequest {
    let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
    SearchRequest {
        size: BATCH,
        source: SourceFilter { enabled: false, ..SourceFilter::default() },
        track_total: TrackTotal::No,
        ..SearchRequest::new(IndexExpression::of(vec![index.to_owned()]).with(options), query.clone())
    }
}
