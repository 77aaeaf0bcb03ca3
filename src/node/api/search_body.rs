//! Reads a search from body and parameters.

use serde_json::{Map, Value};

use super::indices_options::expression;
use crate::elasticsearch::error_body::Exception;
use crate::node::documents::{Direction, Missing, QueryNode, SearchRequest, Sort, SourceFilter, TrackTotal};
use crate::node::http::{ApiError, Request};
use crate::node::indices::field::plain;

/// What the hits show beside their source.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    pub(super) version: bool,
    pub(super) seq_no: bool,
}

/// Reads the whole request.
///
/// # Errors
/// Keys that the node does not know, by name.
pub(super) fn search(request: &Request) -> Result<(SearchRequest, Shown), ApiError> {
    let body = object(request)?;
    let query = body.get("query").map(QueryNode::parse).transpose()?;
    let mut search = SearchRequest::new(expression(request)?, query.unwrap_or(QueryNode::MatchAll));
    let mut shown = Shown::default();
    for (key, value) in &body {
        match key.as_str() {
            "query" | "_source" => {}
            "from" => search.from = count(key, value)?,
            "size" => search.size = count(key, value)?,
            "sort" => search.sort = sorts(value)?,
            "search_after" => search.search_after = Some(list(key, value)?),
            "track_total_hits" => search.track_total = track_total(&plain(value))?,
            "version" => shown.version = flag(key, value)?,
            "seq_no_primary_term" => shown.seq_no = flag(key, value)?,
            // Scores are whole counts of clauses: there is nothing to turn off or to explain.
            "track_scores" | "explain" if *value == Value::Bool(false) => {}
            other => return Err(unknown_key(other)),
        }
    }
    for (name, place) in [("from", &mut search.from), ("size", &mut search.size)] {
        if let Some(text) = request.query.text(name) {
            *place = count(name, &Value::String(text.to_owned()))?;
        }
    }
    if let Some(text) = request.query.text("sort") {
        search.sort = text.split(',').map(sort_text).collect::<Result<_, _>>()?;
    }
    if let Some(text) = request.query.text("track_total_hits") {
        search.track_total = track_total(text)?;
    }
    if request.query.text("q").is_some() {
        return Err(ApiError::illegal_argument("[q] is not supported by this node, use a [query] in the body"));
    }
    search.source = source_filter(request, body.get("_source"))?;
    Ok((search, shown))
}

/// The query of `_count`.
///
/// # Errors
/// Keys that the node does not know, by name.
pub(super) fn count_query(request: &Request) -> Result<QueryNode, ApiError> {
    let body = object(request)?;
    if let Some(other) = body.keys().find(|key| *key != "query") {
        return Err(ApiError::parsing(format!("request does not support [{other}]")));
    }
    Ok(body.get("query").map(QueryNode::parse).transpose()?.unwrap_or(QueryNode::MatchAll))
}

fn object(request: &Request) -> Result<Map<String, Value>, ApiError> {
    match request.json()? {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(ApiError::parsing("Expected [START_OBJECT] but found [VALUE]")),
    }
}

/// Keys of a search that Elasticsearch has and the node has not.
const NOT_HERE: [&str; 25] = [
    "aggregations",
    "aggs",
    "collapse",
    "docvalue_fields",
    "explain",
    "ext",
    "fields",
    "highlight",
    "indices_boost",
    "knn",
    "min_score",
    "pit",
    "post_filter",
    "profile",
    "rank",
    "rescore",
    "retriever",
    "runtime_mappings",
    "script_fields",
    "slice",
    "stats",
    "stored_fields",
    "suggest",
    "terminate_after",
    "timeout",
];

fn unknown_key(key: &str) -> ApiError {
    if NOT_HERE.contains(&key) {
        return ApiError::illegal_argument(format!("[{key}] in a search is not supported by this node"));
    }
    ApiError::parsing(format!("Unknown key for a VALUE in [{key}]."))
}

fn count(key: &str, value: &Value) -> Result<usize, ApiError> {
    let text = plain(value);
    let number: i64 = text.parse().map_err(|_| {
        ApiError::illegal_argument(format!("Failed to parse int parameter [{key}] with value [{text}]"))
    })?;
    usize::try_from(number)
        .map_err(|_| ApiError::illegal_argument(format!("[{key}] parameter cannot be negative, found [{number}]")))
}

fn flag(key: &str, value: &Value) -> Result<bool, ApiError> {
    value.as_bool().ok_or_else(|| {
        let text = plain(value);
        ApiError::parsing(format!("[{key}]: Failed to parse value [{text}] as only [true] or [false] are allowed."))
    })
}

fn list(key: &str, value: &Value) -> Result<Vec<Value>, ApiError> {
    let values = value.as_array().ok_or_else(|| ApiError::parsing(format!("Expected [START_ARRAY] in [{key}]")))?;
    Ok(values.clone())
}

fn track_total(text: &str) -> Result<TrackTotal, ApiError> {
    match text {
        "true" | "" => Ok(TrackTotal::Exactly),
        "false" => Ok(TrackTotal::No),
        number => number.parse().map(TrackTotal::UpTo).map_err(|_| {
            ApiError::illegal_argument(format!(
                "[track_total_hits] parameter must be positive or equals to -1, got {number}"
            ))
        }),
    }
}

/// `field`, `field:desc`
fn sort_text(text: &str) -> Result<Sort, ApiError> {
    let (field, order) = text.split_once(':').unwrap_or((text, ""));
    sort(field, if order.is_empty() { None } else { Some(order) })
}

fn sort(field: &str, order: Option<&str>) -> Result<Sort, ApiError> {
    let direction = match order {
        None if field == "_score" => Direction::Descending,
        None | Some("asc") => Direction::Ascending,
        Some("desc") => Direction::Descending,
        Some(other) => return Err(ApiError::illegal_argument(format!("Unknown SortOrder [{other}]"))),
    };
    Ok(Sort { field: field.to_owned(), direction, missing: Missing::Last, unmapped: false })
}

fn sorts(value: &Value) -> Result<Vec<Sort>, ApiError> {
    match value {
        Value::Array(items) => items.iter().map(sort_item).collect(),
        one => Ok(vec![sort_item(one)?]),
    }
}

fn sort_item(value: &Value) -> Result<Sort, ApiError> {
    let members = match value {
        Value::String(text) => return sort_text(text),
        Value::Object(members) if members.len() == 1 => members,
        _ => {
            return Err(ApiError::parsing(
                "malformed sort format, within the sort array, an object, or an actual string are allowed",
            ));
        }
    };
    let Some((field, options)) = members.iter().next() else { return Err(ApiError::parsing("empty sort")) };
    let options = match options {
        Value::String(order) => return sort(field, Some(order)),
        Value::Object(options) => options,
        _ => return Err(ApiError::parsing(format!("[{field}] sort is malformed"))),
    };
    let mut parsed = sort(field, options.get("order").and_then(Value::as_str))?;
    for (key, value) in options {
        match (key.as_str(), value.as_str()) {
            ("order", Some(_)) => {}
            ("missing", Some("_last")) => parsed.missing = Missing::Last,
            ("missing", Some("_first")) => parsed.missing = Missing::First,
            ("unmapped_type", Some(_)) => parsed.unmapped = true,
            (other, _) => {
                return Err(ApiError::new(
                    400,
                    Exception::new("x_content_parse_exception", format!("[field_sort] unknown field [{other}]")),
                ));
            }
        }
    }
    Ok(parsed)
}

/// `_source` of the body, or the three parameters.
///
/// # Errors
/// A form that is none.
pub(super) fn source_filter(request: &Request, body: Option<&Value>) -> Result<SourceFilter, ApiError> {
    let mut filter = SourceFilter::default();
    match body {
        None => {}
        Some(Value::Bool(enabled)) => filter.enabled = *enabled,
        Some(Value::Object(members)) => {
            for (key, value) in members {
                match key.as_str() {
                    "includes" | "include" => filter.includes = texts(value),
                    "excludes" | "exclude" => filter.excludes = texts(value),
                    other => return Err(ApiError::parsing(format!("Unknown key for a VALUE in [{other}]."))),
                }
            }
        }
        Some(other) => filter.includes = texts(other),
    }
    match request.query.text("_source") {
        None => {}
        Some("false") => filter.enabled = false,
        Some("true" | "") => filter.enabled = true,
        Some(fields) => filter.includes = split(fields),
    }
    let includes = request.query.text("_source_includes").map(split);
    filter.includes = includes.unwrap_or(filter.includes);
    let excludes = request.query.text("_source_excludes").map(split);
    filter.excludes = excludes.unwrap_or(filter.excludes);
    Ok(filter)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        one => vec![plain(one)],
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}
