//! `results/buckets`, `results/records`, `results/influencers`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::paging::Page;
use crate::node::documents::{Direction, Missing, QueryNode, SearchRequest, Sort, TrackTotal};
use crate::node::http::{ApiError, Reply};
use crate::node::indices::IndexExpression;
use crate::node::ml::configuration::{Fields, Job};
use crate::node::ml::problem::Problem;
use crate::node::security::Access;

/// `from` and `size` together, as Elasticsearch limits it.
const WINDOW_MAX: usize = 10_000;

/// Buckets whose records are read at once: fewer than the window holds.
const EXPANDED_AT_ONCE: usize = 20;

/// One kind of result.
#[derive(Clone, Copy)]
struct Kind {
    result_type: &'static str,
    /// The member of the answer that holds them.
    plural: &'static str,
    score_parameter: &'static str,
    score_field: &'static str,
    sort: &'static str,
    direction: Direction,
}

const BUCKETS: Kind = Kind {
    result_type: "bucket",
    plural: "buckets",
    score_parameter: "anomaly_score",
    score_field: "anomaly_score",
    sort: "timestamp",
    direction: Direction::Ascending,
};
const RECORDS: Kind = Kind {
    result_type: "record",
    plural: "records",
    score_parameter: "record_score",
    score_field: "record_score",
    sort: "record_score",
    direction: Direction::Descending,
};
const INFLUENCERS: Kind = Kind {
    result_type: "influencer",
    plural: "influencers",
    score_parameter: "influencer_score",
    score_field: "influencer_score",
    sort: "influencer_score",
    direction: Direction::Descending,
};

pub(super) async fn records(call: Call) -> Result<Reply, ApiError> {
    let (options, job) = prepare(&call, RECORDS, &["exclude_interim"])?;
    list(&call, RECORDS, &options, &job, Vec::new()).await.map(|(total, found)| shown(RECORDS, total, found))
}

pub(super) async fn influencers(call: Call) -> Result<Reply, ApiError> {
    let (options, job) = prepare(&call, INFLUENCERS, &["exclude_interim"])?;
    list(&call, INFLUENCERS, &options, &job, Vec::new()).await.map(|(total, found)| shown(INFLUENCERS, total, found))
}

pub(super) async fn buckets(call: Call) -> Result<Reply, ApiError> {
    let (options, job) = prepare(&call, BUCKETS, &["exclude_interim", "expand", "timestamp"])?;
    let fields = Fields::new("get_buckets_request", &options);
    let with_records = fields.flag("expand")?.unwrap_or(false);
    let one = one_bucket_ms(&call, &fields)?;
    let filters = one.map(|at_ms| vec![json!({"term": {"timestamp": at_ms}})]).unwrap_or_default();
    let (total, mut found) = list(&call, BUCKETS, &options, &job, filters).await?;
    if let Some(at_ms) = one.filter(|_| found.is_empty()) {
        return Err(Problem::UnknownBucket(at_ms.to_string()).into());
    }
    if with_records {
        for buckets in found.chunks_mut(EXPANDED_AT_ONCE) {
            expand(&call, &job, buckets).await?;
        }
    }
    Ok(shown(BUCKETS, total, found))
}

/// The time of the only bucket that is asked for, of the path or the body; nothing else narrows it.
fn one_bucket_ms(call: &Call, fields: &Fields<'_>) -> Result<Option<i64>, ApiError> {
    let mut path = Map::new();
    if let Some(text) = call.request.parameters.get("timestamp") {
        path.insert("timestamp".to_owned(), json!(text));
    }
    let one = match call.time_ms(&Fields::new("get_buckets_request", &path), "timestamp")? {
        Some(at_ms) => Some(at_ms),
        None => call.time_ms(fields, "timestamp")?,
    };
    const NARROWING: [(&str, &str); 6] = [
        ("from", "from, size"),
        ("size", "from, size"),
        ("page", "from, size"),
        ("start", "start"),
        ("end", "end"),
        ("anomaly_score", "anomaly_score"),
    ];
    match NARROWING.iter().find(|(name, _)| one.is_some() && fields.value(name).is_some()) {
        Some((_, names)) => {
            Err(ApiError::illegal_argument(format!("Param [{names}] is incompatible with [timestamp].")))
        }
        None => Ok(one),
    }
}

/// Puts the records of each bucket into it, the most unusual first.
async fn expand(call: &Call, job: &Job, buckets: &mut [Value]) -> Result<(), ApiError> {
    let time = |result: &Value| result.get("timestamp").cloned().unwrap_or_default();
    let times: Vec<Value> = buckets.iter().map(time).collect();
    let page = Map::from_iter([("size".to_owned(), json!(WINDOW_MAX))]);
    let (_, records) = list(call, RECORDS, &page, job, vec![json!({"terms": {"timestamp": times}})]).await?;
    for bucket in buckets {
        let own: Vec<&Value> = records.iter().filter(|record| time(record) == time(bucket)).collect();
        let own = json!(own);
        if let Some(members) = bucket.as_object_mut() {
            members.insert("records".to_owned(), own);
        }
    }
    Ok(())
}

fn shown(kind: Kind, total: u64, found: Vec<Value>) -> Reply {
    let mut answer = Map::new();
    answer.insert("count".to_owned(), json!(total));
    answer.insert(kind.plural.to_owned(), json!(found));
    Reply::json(Value::Object(answer))
}

fn prepare(call: &Call, kind: Kind, more: &[&str]) -> Result<(Map<String, Value>, Arc<Job>), ApiError> {
    let mut known = vec!["desc", "end", "from", "size", "sort", "start", kind.score_parameter];
    known.extend(more);
    let in_query: Vec<&str> = known.iter().copied().filter(|name| *name != "timestamp").collect();
    let options = call.options(&in_query)?;
    known.extend(["page", "job_id"]);
    Fields::new("get_results_request", &options).only(&known, &[])?;
    let job = Arc::clone(call.metadata().job(&call.expression("job_id"))?);
    Ok((options, job))
}

/// The results of one job, and how many there are in all.
async fn list(
    call: &Call,
    kind: Kind,
    options: &Map<String, Value>,
    job: &Job,
    mut filters: Vec<Value>,
) -> Result<(u64, Vec<Value>), ApiError> {
    let fields = Fields::new("get_results_request", options);
    filters.push(json!({"term": {"job_id": job.id}}));
    filters.push(json!({"term": {"result_type": kind.result_type}}));
    if let Some(score) = fields.number(kind.score_parameter)?.filter(|score| *score > 0.0) {
        let mut range = Map::new();
        range.insert(kind.score_field.to_owned(), json!({"gte": score}));
        filters.push(json!({"range": range}));
    }
    if fields.flag("exclude_interim")?.unwrap_or(false) {
        filters.push(json!({"term": {"is_interim": false}}));
    }
    if let Some(range) = time_range(call, &fields)? {
        filters.push(range);
    }
    let sort = Sort {
        field: fields.text("sort")?.unwrap_or(kind.sort).to_owned(),
        direction: direction(&fields, kind.direction)?,
        missing: Missing::Last,
        unmapped: false,
    };
    search(call, &job.results_index, filters, sort, &fields).await
}

/// The filter of `start` (inclusive) and `end` (exclusive).
///
/// # Errors
/// 400 for what is no time.
pub(super) fn time_range(call: &Call, fields: &Fields<'_>) -> Result<Option<Value>, ApiError> {
    let mut bounds = Map::new();
    for (name, operator) in [("start", "gte"), ("end", "lt")] {
        if let Some(at_ms) = call.time_ms(fields, name)? {
            bounds.insert(operator.to_owned(), json!(at_ms));
        }
    }
    Ok((!bounds.is_empty()).then(|| json!({"range": {"timestamp": bounds}})))
}

/// # Errors
/// 400 for a `desc` that is neither true nor false.
pub(super) fn direction(fields: &Fields<'_>, default: Direction) -> Result<Direction, ApiError> {
    Ok(match fields.flag("desc")? {
        Some(true) => Direction::Descending,
        Some(false) => Direction::Ascending,
        None => default,
    })
}

/// One page of an ML index.
///
/// # Errors
/// 400 for a page that is out of bounds; the store cannot be read.
pub(super) async fn search(
    call: &Call,
    index: &str,
    filters: Vec<Value>,
    sort: Sort,
    fields: &Fields<'_>,
) -> Result<(u64, Vec<Value>), ApiError> {
    let Page { from, size, .. } = Page::of(fields)?;
    if from.saturating_add(size) > WINDOW_MAX {
        return Err(ApiError::illegal_argument(format!(
            "The sum of parameters [from] and [size] cannot be higher than {WINDOW_MAX}."
        )));
    }
    let query = QueryNode::parse(&json!({"bool": {"filter": filters}}))?;
    let request = SearchRequest {
        from,
        size,
        sort: vec![sort],
        track_total: TrackTotal::Exactly,
        ..SearchRequest::new(IndexExpression::of(vec![index.to_owned()]), query)
    };
    // The action of the request was authorized; results are read on the job's behalf, as in Elasticsearch.
    let hits = call.node.core.documents.search(request, &Access::Everything).await?;
    let total = hits.total.map_or(hits.hits.len() as u64, |total| total.value);
    Ok((total, hits.hits.into_iter().map(|hit| hit.document.source).collect()))
}
