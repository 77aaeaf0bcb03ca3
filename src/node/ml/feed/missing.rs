//! Looks for documents that came after their time had been read: the delayed data check.
//!
//! Source: elasticsearch, `DatafeedDelayedDataDetector.java`, `DatafeedJob.java`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::node::Core;
use crate::node::documents::{QueryNode, SearchRequest};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions, dates};
use crate::node::ml::configuration::{Datafeed, Job, SPANNABLE_BUCKETS_MAX};
use crate::node::security::Access;

/// Between two checks.
const INTERVAL_MS: i64 = 900_000;

/// The check of one datafeed.
pub(super) struct MissingData {
    window_ms: i64,
    /// When it was done last.
    checked_ms: Option<i64>,
    /// What was found last, so that it is told once.
    found: Option<Missing>,
}

/// Documents that are stored and were not given to the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Missing {
    documents: u64,
    /// Start of the newest bucket that lacks some.
    latest_ms: i64,
}

impl MissingData {
    pub(super) const fn new(window_ms: i64) -> Self {
        Self { window_ms, checked_ms: None, found: None }
    }

    /// Whether a check is due; if so it counts as done.
    pub(super) fn begin(&mut self, now_ms: i64) -> bool {
        let due = self.checked_ms.is_none_or(|checked_ms| now_ms > checked_ms.saturating_add(INTERVAL_MS));
        if due {
            self.checked_ms = Some(now_ms);
        }
        due
    }

    /// Compares the finished buckets of the window with what is stored; the message, if something new is missing.
    ///
    /// `latest_ms` is the start of the newest finished bucket; what is older than `since_ms` was never to be read.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn check(
        &mut self,
        core: &Core,
        job: &Job,
        datafeed: &Datafeed,
        latest_ms: i64,
        since_ms: i64,
    ) -> Result<Option<String>, ApiError> {
        let span_ms = job.plan.bucket_span_ms;
        let first_whole_ms = since_ms.saturating_add(span_ms - 1).div_euclid(span_ms).saturating_mul(span_ms);
        let from_ms = latest_ms.saturating_sub(self.window_ms).div_euclid(span_ms) * span_ms;
        let from_ms = from_ms.max(first_whole_ms);
        let counted = counted(core, job, from_ms, latest_ms).await?;
        let stored = stored(core, job, datafeed, from_ms, latest_ms.saturating_add(span_ms)).await?;
        let mut missing = Missing { documents: 0, latest_ms: from_ms };
        for (start_ms, events) in counted {
            let more = stored.get(&start_ms).map_or(0, |documents| documents.saturating_sub(events));
            if more > 0 {
                missing = Missing { documents: missing.documents + more, latest_ms: start_ms };
            }
        }
        let found = Some(missing).filter(|missing| missing.documents > 0);
        let news = found.filter(|missing| self.found != Some(*missing));
        self.found = found;
        Ok(news.map(|Missing { documents, latest_ms }| {
            format!(
                "Datafeed has missed {documents} documents due to ingest latency, latest bucket with missing data is [{}]. \
                 Consider increasing query_delay",
                dates::format(latest_ms)
            )
        }))
    }
}

/// What the job counted: start and events of its finished buckets.
async fn counted(core: &Core, job: &Job, from_ms: i64, to_ms: i64) -> Result<BTreeMap<i64, u64>, ApiError> {
    let query = QueryNode::parse(&json!({"bool": {"filter": [
        {"term": {"job_id": job.id}},
        {"term": {"result_type": "bucket"}},
        {"term": {"is_interim": false}},
        {"range": {"timestamp": {"gte": from_ms, "lte": to_ms, "format": "epoch_millis"}}},
    ]}}))?;
    let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
    let indices = IndexExpression::of(vec![job.results_index.clone()]).with(options);
    let request = SearchRequest { size: SPANNABLE_BUCKETS_MAX, ..SearchRequest::new(indices, query) };
    let hits = core.documents.search(request, &Access::Everything).await?.hits;
    let bucket = |source: &Value| Some((source.get("timestamp")?.as_i64()?, source.get("event_count")?.as_u64()?));
    Ok(hits.iter().filter_map(|hit| bucket(&hit.document.source)).collect())
}

/// What the datafeed would read now: start of the bucket, and documents.
async fn stored(
    core: &Core,
    job: &Job,
    datafeed: &Datafeed,
    from_ms: i64,
    to_ms: i64,
) -> Result<BTreeMap<i64, u64>, ApiError> {
    let span_ms = job.plan.bucket_span_ms;
    let Datafeed { indices, query, scroll_size, .. } = datafeed;
    let (mut stored, mut after) = (BTreeMap::new(), None);
    loop {
        let page = core.documents.range(indices, query, &job.time_field, from_ms, to_ms, after, *scroll_size).await?;
        for document in &page.documents {
            *stored.entry(document.time_ms.div_euclid(span_ms) * span_ms).or_insert(0) += 1;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(stored),
        }
    }
}
