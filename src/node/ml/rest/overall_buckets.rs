//! `results/overall_buckets`: the buckets of several jobs, summarised by time.
//!
//! Source: elasticsearch, `TransportGetOverallBucketsAction.java`, `OverallBucketsProvider.java`, `OverallBucketsAggregator.java`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use crate::node::documents::QueryNode;
use crate::node::http::{ApiError, Reply};
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::ml::configuration::{Fields, Job};
use crate::node::ml::duration;
use crate::node::ml::identifier::NoMatch;

const RESULTS_MAX: usize = 10_000;
/// Documents that are read at a time.
const PAGE: usize = 1000;
const KNOWN: [&str; 8] =
    ["allow_no_jobs", "allow_no_match", "bucket_span", "end", "exclude_interim", "overall_score", "start", "top_n"];

pub(super) async fn overall_buckets(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&KNOWN)?;
    let fields = Fields::new("get_overall_buckets_request", &options);
    let mut known = KNOWN.to_vec();
    known.push("job_id");
    let fields = fields.only(&known, &[])?;
    let top_n = fields.integer("top_n")?.unwrap_or(1);
    let Some(top_n) = usize::try_from(top_n).ok().filter(|top_n| *top_n > 0) else {
        let reason = format!("[topN] parameter must be positive, found [{top_n}]");
        return Err(ApiError::illegal_argument(reason));
    };
    let no_match = NoMatch::from(fields.flag("allow_no_match")?.or(fields.flag("allow_no_jobs")?).unwrap_or(true));
    let wanted_ms = fields.duration_ms("bucket_span")?;
    let range = (call.time_ms(&fields, "start")?, call.time_ms(&fields, "end")?);
    let least = fields.number("overall_score")?.unwrap_or(0.0);
    let final_only = fields.flag("exclude_interim")?.unwrap_or(false);
    let metadata = call.metadata();
    let ids = metadata.expand_jobs(&call.expression("job_id"), no_match)?;
    let jobs: Vec<&Arc<Job>> = ids.iter().filter_map(|id| metadata.jobs.get(id)).collect();
    let span_ms = span_ms(&jobs, wanted_ms, top_n)?;
    let mut summary = Summary { span_ms, shown_ms: wanted_ms.unwrap_or(span_ms), top_n, least, ..Summary::default() };
    read(&call, &jobs, range, final_only, &mut summary).await?;
    let found = summary.end()?;
    Ok(Reply::json(json!({"count": found.len(), "overall_buckets": found})))
}

/// The span that jobs are compared by: the longest of theirs. With one score a bucket the requested one gives the same.
fn span_ms(jobs: &[&Arc<Job>], wanted_ms: Option<i64>, top_n: usize) -> Result<i64, ApiError> {
    let longest_ms = jobs.iter().map(|job| job.plan.bucket_span_ms).max().unwrap_or(1);
    match wanted_ms {
        Some(wanted_ms) if wanted_ms < longest_ms => Err(ApiError::status_exception(
            400,
            format!(
                "Param [bucket_span] must be greater or equal to the max bucket_span [{}]",
                duration::exact(longest_ms)
            ),
        )),
        Some(wanted_ms) if top_n == 1 || jobs.len() <= 1 => Ok(wanted_ms),
        _ => Ok(longest_ms),
    }
}

/// Adds the jobs' buckets within the range, in time order.
async fn read(
    call: &Call,
    jobs: &[&Arc<Job>],
    (start_ms, end_ms): (Option<i64>, Option<i64>),
    final_only: bool,
    summary: &mut Summary,
) -> Result<(), ApiError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let ids: Vec<&String> = jobs.iter().map(|job| &job.id).collect();
    let mut filters = vec![json!({"terms": {"job_id": ids}}), json!({"term": {"result_type": "bucket"}})];
    if final_only {
        filters.push(json!({"term": {"is_interim": false}}));
    }
    let query = QueryNode::parse(&json!({"bool": {"filter": filters}}))?;
    let indices: BTreeSet<String> = jobs.iter().map(|job| job.results_index.clone()).collect();
    let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
    let indices = IndexExpression::of(indices.into_iter().collect()).with(options);
    // Only whole overall buckets: a start is rounded up, an end down.
    let from_ms = start_ms.map_or(i64::MIN, |start_ms| {
        let floor = summary.floor(start_ms, summary.span_ms);
        if floor == start_ms { floor } else { floor.saturating_add(summary.span_ms) }
    });
    let to_ms = end_ms.map_or(i64::MAX, |end_ms| summary.floor(end_ms, summary.span_ms));
    let mut after = None;
    loop {
        let documents = &call.node.core.documents;
        let page = documents.range(&indices, &query, "timestamp", from_ms, to_ms, after.take(), PAGE).await?;
        for document in page.documents {
            summary.add(document.time_ms, &document.source)?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// One overall bucket.
#[derive(Debug, Default)]
struct Overall {
    start_ms: i64,
    score: f64,
    /// The highest score of each job.
    jobs: BTreeMap<String, f64>,
    interim: bool,
}

impl Overall {
    fn saw(&mut self, job_id: &str, score: f64) {
        let highest = self.jobs.entry(job_id.to_owned()).or_insert(score);
        *highest = highest.max(score);
    }

    /// The mean of the highest scores, of so many jobs at most.
    fn rate(&mut self, top_n: usize) {
        let mut scores: Vec<f64> = self.jobs.values().copied().collect();
        scores.sort_by(|left, right| right.total_cmp(left));
        scores.truncate(top_n);
        self.score = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    }
}

/// Overall buckets from buckets in time order: first by the jobs' span, and those again by the span that is shown.
#[derive(Debug, Default)]
struct Summary {
    span_ms: i64,
    shown_ms: i64,
    top_n: usize,
    least: f64,
    current: Option<Overall>,
    shown: Option<Overall>,
    done: Vec<Value>,
}

impl Summary {
    fn floor(&self, time_ms: i64, span_ms: i64) -> i64 {
        time_ms.saturating_sub(time_ms.rem_euclid(span_ms.max(1)))
    }

    fn add(&mut self, time_ms: i64, bucket: &Value) -> Result<(), ApiError> {
        let Some(job_id) = bucket.get("job_id").and_then(Value::as_str) else { return Ok(()) };
        let start_ms = self.floor(time_ms, self.span_ms);
        if self.current.as_ref().is_some_and(|current| current.start_ms != start_ms) {
            self.next()?;
        }
        let current = self.current.get_or_insert_with(|| Overall { start_ms, ..Overall::default() });
        current.saw(job_id, bucket.get("anomaly_score").and_then(Value::as_f64).unwrap_or(0.0));
        current.interim |= bucket.get("is_interim") == Some(&Value::Bool(true));
        Ok(())
    }

    /// The current overall bucket is whole.
    fn next(&mut self) -> Result<(), ApiError> {
        let Some(mut whole) = self.current.take() else { return Ok(()) };
        whole.rate(self.top_n);
        if whole.score < self.least {
            return Ok(());
        }
        let start_ms = self.floor(whole.start_ms, self.shown_ms);
        if self.shown.as_ref().is_some_and(|shown| shown.start_ms != start_ms) {
            self.show()?;
        }
        let shown = self.shown.get_or_insert_with(|| Overall { start_ms, ..Overall::default() });
        shown.score = shown.score.max(whole.score);
        shown.interim |= whole.interim;
        for (job_id, score) in &whole.jobs {
            shown.saw(job_id, *score);
        }
        Ok(())
    }

    fn show(&mut self) -> Result<(), ApiError> {
        let Some(shown) = self.shown.take() else { return Ok(()) };
        if self.done.len() == RESULTS_MAX {
            return Err(ApiError::status_exception(
                400,
                format!(
                    "Unable to return more than [{RESULTS_MAX}] results; please use parameters [start] and [end] to limit the time \
                     range"
                ),
            ));
        }
        let jobs: Vec<Value> =
            shown.jobs.iter().map(|(id, score)| json!({"job_id": id, "max_anomaly_score": score})).collect();
        self.done.push(json!({
            "timestamp": shown.start_ms,
            "bucket_span": self.shown_ms / 1000,
            "overall_score": shown.score,
            "jobs": jobs,
            "is_interim": shown.interim,
            "result_type": "overall_bucket",
        }));
        Ok(())
    }

    fn end(mut self) -> Result<Vec<Value>, ApiError> {
        self.next()?;
        self.show()?;
        Ok(self.done)
    }
}
