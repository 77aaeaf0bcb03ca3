//! Forecasts that were made: what is known of each, how they are found and removed.
//!
//! What is known of a forecast is a state key, which is the truth, and a document `model_forecast_request_stats` that shows it.
//! Its values are documents `model_forecast`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::configuration::Job;
use super::operation::Purging;
use super::state_key;
use super::stored::{all_of, bytes};
use crate::node::Core;
use crate::node::documents::{QueryNode, SearchRequest, TrackTotal};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::security::Access;
use crate::node::store::{Batch, Source};

pub(crate) const VALUE_RESULT: &str = "model_forecast";
pub(crate) const STATS_RESULT: &str = "model_forecast_request_stats";
/// As many forecasts of a job are looked at in one go.
const LISTED_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Started,
    Finished,
    Failed,
}

/// How far a forecast has come; times are milliseconds since 1970. The names are Elasticsearch's.
///
/// Source: elasticsearch, `ForecastRequestStats.java`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ForecastStats {
    pub(crate) job_id: String,
    pub(crate) result_type: String,
    pub(crate) forecast_id: String,
    /// Values that are written.
    pub(crate) processed_record_count: u64,
    pub(crate) forecast_messages: Vec<String>,
    pub(crate) timestamp: i64,
    pub(crate) forecast_start_timestamp: i64,
    pub(crate) forecast_end_timestamp: i64,
    pub(crate) forecast_create_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) forecast_expiry_timestamp: Option<i64>,
    /// 0 to 1.
    pub(crate) forecast_progress: f64,
    pub(crate) processing_time_ms: u64,
    /// The most that values took while they waited to be written.
    pub(crate) forecast_memory_bytes: u64,
    pub(crate) forecast_status: Status,
}

impl ForecastStats {
    /// Puts it into a batch, as state and as a document.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub(crate) fn put(&self, job: &Job, batch: &mut Batch) -> Result<(), ApiError> {
        batch.put_state(state_key::forecast(&job.id, &self.forecast_id), bytes(self)?);
        batch.index(&job.results_index, document_id(&job.id, &self.forecast_id), Source::from_value(json!(self))?);
        Ok(())
    }
}

fn document_id(job_id: &str, forecast_id: &str) -> String {
    format!("{job_id}_{STATS_RESULT}_{forecast_id}")
}

/// The forecasts that the node made for a job.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn made(core: &Core, job_id: &str) -> Result<Vec<ForecastStats>, ApiError> {
    all_of(core, &state_key::forecasts(job_id))
}

/// `forecasts_stats` of a job.
pub(crate) fn summary(forecasts: &[ForecastStats]) -> Value {
    let total = forecasts.len();
    if total == 0 {
        return json!({"total": 0, "forecasted_jobs": 0});
    }
    let spread = |figure: fn(&ForecastStats) -> u64| {
        let figures = || forecasts.iter().map(figure);
        let sum = figures().fold(0.0, |sum, figure| sum + figure as f64);
        json!({"total": sum, "min": figures().min(), "max": figures().max(), "avg": sum / total as f64})
    };
    let mut status = serde_json::Map::new();
    for one in [Status::Started, Status::Finished, Status::Failed] {
        let count = forecasts.iter().filter(|forecast| forecast.forecast_status == one).count();
        if let (Value::String(name), true) = (json!(one), count > 0) {
            status.insert(name, json!(count));
        }
    }
    json!({
        "total": total,
        "forecasted_jobs": 1,
        "memory_bytes": spread(|forecast| forecast.forecast_memory_bytes),
        "records": spread(|forecast| forecast.processed_record_count),
        "processing_time_ms": spread(|forecast| forecast.processing_time_ms),
        "status": status,
    })
}

/// A forecast as its document tells of it, whoever wrote that.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) expiry_ms: Option<i64>,
    /// Neither failed nor finished.
    pub(crate) unfinished: bool,
}

/// The forecasts that the job's results show.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn list(core: &Core, job: &Job) -> Result<Vec<Listed>, ApiError> {
    let query = QueryNode::parse(&json!({"bool": {
        "filter": [{"term": {"job_id": job.id}}, {"term": {"result_type": STATS_RESULT}}],
    }}))?;
    let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
    let request = SearchRequest {
        size: LISTED_MAX,
        track_total: TrackTotal::No,
        ..SearchRequest::new(IndexExpression::of(vec![job.results_index.clone()]).with(options), query)
    };
    let hits = core.documents.search(request, &Access::Everything).await?.hits;
    let listed = hits.iter().filter_map(|hit| {
        let source = &hit.document.source;
        let status = source.get("forecast_status").and_then(Value::as_str);
        Some(Listed {
            id: source.get("forecast_id").and_then(Value::as_str)?.to_owned(),
            expiry_ms: source.get("forecast_expiry_timestamp").and_then(Value::as_i64).filter(|expiry| *expiry > 0),
            unfinished: !matches!(status, Some("finished" | "failed")),
        })
    });
    Ok(listed.collect())
}

/// The batches that remove forecasts. Their documents go last, so that what is cut off can be asked for again.
///
/// # Errors
/// None: the queries are ours.
pub(crate) fn removal(job: &Job, forecast_ids: &[String]) -> Result<Purging, ApiError> {
    let mut first = Batch::new();
    for id in forecast_ids {
        first.delete_state(state_key::forecast(&job.id, id));
    }
    let of = |result_type: &str| {
        let own = [json!({"term": {"job_id": job.id}}), json!({"term": {"result_type": result_type}})];
        json!({"bool": {"filter": own, "must": {"terms": {"forecast_id": forecast_ids}}}})
    };
    Purging::after(first, &job.results_index, &[of(VALUE_RESULT), of(STATS_RESULT)])
}
