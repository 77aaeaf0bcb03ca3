//! Reads queries from JSON, with Elasticsearch's texts for what is wrong.

use serde_json::{Map, Value};

use super::{Bound, QueryNode, SearchError};
use crate::node::indices::field::DateFormats;

/// Clauses nested deeper are refused, as `indices.query.bool.max_nested_depth` does.
const DEPTH_MAX: usize = 30;
const CLAUSES_MAX: usize = 1024;
const TERMS_MAX: usize = 65_536;

/// Queries of Elasticsearch that the node does not have; other names are no queries at all.
#[rustfmt::skip]
const NOT_HERE: [&str; 28] = [
    "boosting", "combined_fields", "dis_max", "distance_feature", "function_score", "fuzzy", "geo_bounding_box",
    "geo_distance", "has_child", "has_parent", "intervals", "knn", "match_bool_prefix", "match_phrase", "match_phrase_prefix",
    "more_like_this", "multi_match", "nested", "parent_id", "percolate", "query_string", "rank_feature", "regexp", "script",
    "script_score", "simple_query_string", "span_term", "terms_set",
];

impl QueryNode {
    /// Reads `{"term": {...}}` and the like.
    ///
    /// # Errors
    /// What the node does not know, by name.
    pub fn parse(query: &Value) -> Result<Self, SearchError> {
        parse(query, 1)
    }
}

fn parse(query: &Value, depth: usize) -> Result<QueryNode, SearchError> {
    if depth > DEPTH_MAX {
        let reason = format!(
            "The nested depth of the query exceeds the maximum nested depth for queries set in \
                              [indices.query.bool.max_nested_depth]: [{DEPTH_MAX}]"
        );
        return Err(SearchError::argument(reason));
    }
    let Some(members) = query.as_object() else {
        return Err(SearchError::parsing("[_na] query malformed, must start with start_object"));
    };
    let mut members = members.iter();
    let Some((name, body)) = members.next() else {
        return Err(SearchError::argument("query malformed, empty clause found"));
    };
    if members.next().is_some() {
        return Err(SearchError::parsing(format!(
            "[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
        )));
    }
    let Some(body) = body.as_object() else {
        return Err(SearchError::parsing(format!("[{name}] query malformed, no start_object after query name")));
    };
    match name.as_str() {
        "match_all" => options(name, body, &[]).map(|()| QueryNode::MatchAll),
        "match_none" => options(name, body, &[]).map(|()| QueryNode::MatchNone),
        "bool" => boolean(body, depth),
        "constant_score" => constant_score(body, depth),
        "term" => term(body),
        "terms" => terms(body),
        "range" => range(body),
        "exists" => {
            options(name, body, &["field"])?;
            Ok(QueryNode::Exists { field: required(name, "field", body)? })
        }
        "prefix" => text_query(name, body).map(|(field, value, case_insensitive)| QueryNode::Prefix {
            field,
            value,
            case_insensitive,
        }),
        "wildcard" => text_query(name, body).map(|(field, pattern, case_insensitive)| QueryNode::Wildcard {
            field,
            pattern,
            case_insensitive,
        }),
        "ids" => ids(body),
        "match" => match_query(body),
        other if NOT_HERE.contains(&other) => {
            Err(SearchError::parsing(format!("[{other}] query is not supported by this node")))
        }
        other => Err(SearchError::parsing(format!("unknown query [{other}]"))),
    }
}

/// Refuses members that are neither known nor harmless.
fn options(query: &str, body: &Map<String, Value>, known: &[&str]) -> Result<(), SearchError> {
    for (key, value) in body {
        if known.contains(&key.as_str()) {
            continue;
        }
        // A boost of one changes nothing; any other would change scores, which the node does not weigh.
        if key == "boost" && value.as_f64().is_some_and(|boost| (boost - 1.0).abs() < f64::EPSILON) {
            continue;
        }
        return Err(SearchError::parsing(format!("[{query}] query does not support [{key}]")));
    }
    Ok(())
}

fn required(query: &str, key: &str, body: &Map<String, Value>) -> Result<String, SearchError> {
    let text = body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| SearchError::parsing(format!("[{query}] must be provided with a [{key}]")))
}

/// The one field of a query, and what stands there.
fn one_field<'a>(query: &str, body: &'a Map<String, Value>) -> Result<(&'a str, &'a Value), SearchError> {
    let mut fields = body.iter().filter(|(key, _)| *key != "boost");
    let Some((field, value)) = fields.next() else {
        return Err(SearchError::argument(format!("[{query}] query requires a field name")));
    };
    if let Some((second, _)) = fields.next() {
        let reason = format!("[{query}] query doesn't support multiple fields, found [{field}] and [{second}]");
        return Err(SearchError::parsing(reason));
    }
    Ok((field, value))
}

fn boolean(body: &Map<String, Value>, depth: usize) -> Result<QueryNode, SearchError> {
    options("bool", body, &["must", "filter", "should", "must_not", "minimum_should_match"])?;
    let clauses = |name: &str| -> Result<Vec<QueryNode>, SearchError> {
        match body.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() > CLAUSES_MAX => {
                Err(SearchError::argument(format!("maxClauseCount is set to {CLAUSES_MAX}")))
            }
            Some(Value::Array(items)) => items.iter().map(|item| parse(item, depth + 1)).collect(),
            Some(one) => Ok(vec![parse(one, depth + 1)?]),
        }
    };
    let (must, filter, should) = (clauses("must")?, clauses("filter")?, clauses("should")?);
    let needed = if must.is_empty() && filter.is_empty() && !should.is_empty() { 1 } else { 0 };
    let minimum_should_match = match body.get("minimum_should_match") {
        None => needed,
        Some(value) => minimum(value, should.len()).ok_or_else(|| {
            SearchError::argument(format!(
                "[bool] query does not support [minimum_should_match] of [{value}] on this node"
            ))
        })?,
    };
    Ok(QueryNode::Bool { must, filter, should, must_not: clauses("must_not")?, minimum_should_match })
}

/// How many of `clauses` must match: `2`, `-1` (all but one), `75%` or `-25%`, rounded down.
fn minimum(value: &Value, clauses: usize) -> Option<usize> {
    let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
    let clauses = i64::try_from(clauses).ok()?;
    let number = match text.strip_suffix('%') {
        Some(percent) => clauses.checked_mul(percent.parse().ok()?)? / 100,
        None => text.parse().ok()?,
    };
    let missing_allowed = text.starts_with('-');
    usize::try_from(if missing_allowed { clauses.checked_add(number)?.max(0) } else { number }).ok()
}

fn constant_score(body: &Map<String, Value>, depth: usize) -> Result<QueryNode, SearchError> {
    options("constant_score", body, &["filter"])?;
    let filter =
        body.get("filter").ok_or_else(|| SearchError::parsing("[constant_score] requires a 'filter' element"))?;
    // The score of a constant is that of `match_all`.
    Ok(QueryNode::Bool {
        must: vec![QueryNode::MatchAll],
        filter: vec![parse(filter, depth + 1)?],
        should: Vec::new(),
        must_not: Vec::new(),
        minimum_should_match: 0,
    })
}

fn term(body: &Map<String, Value>) -> Result<QueryNode, SearchError> {
    let (field, value) = one_field("term", body)?;
    let field = field.to_owned();
    match value {
        Value::Object(inner) => {
            options("term", inner, &["value", "case_insensitive"])?;
            let value = inner.get("value").filter(|value| !value.is_null());
            let value = value.ok_or_else(|| SearchError::argument("value cannot be null"))?.clone();
            Ok(QueryNode::Term { field, value, case_insensitive: flag(inner, "case_insensitive") })
        }
        Value::Array(_) => Err(SearchError::parsing("[term] query does not support array of values")),
        Value::Null => Err(SearchError::argument("value cannot be null")),
        value => Ok(QueryNode::Term { field, value: value.clone(), case_insensitive: false }),
    }
}

fn terms(body: &Map<String, Value>) -> Result<QueryNode, SearchError> {
    let (field, value) = one_field("terms", body)?;
    match value {
        Value::Array(values) if values.len() > TERMS_MAX => Err(SearchError::argument(format!(
            "The number of terms [{}] used in the Terms Query request has exceeded the allowed maximum of [{TERMS_MAX}]. This \
             maximum can be set by changing the [index.max_terms_count] index level setting.",
            values.len()
        ))),
        Value::Array(values) => Ok(QueryNode::Terms { field: field.to_owned(), values: values.clone() }),
        Value::Object(_) => {
            Err(SearchError::parsing("[terms] query with a terms lookup is not supported by this node"))
        }
        _ => Err(SearchError::parsing(format!("[terms] query does not support [{field}]"))),
    }
}

fn range(body: &Map<String, Value>) -> Result<QueryNode, SearchError> {
    let (field, value) = one_field("range", body)?;
    let Some(inner) = value.as_object() else {
        return Err(SearchError::parsing(format!("[range] query does not support [{field}]")));
    };
    options("range", inner, &["gt", "gte", "lt", "lte", "from", "to", "include_lower", "include_upper", "format"])?;
    let given = |key: &str| inner.get(key).filter(|value| !value.is_null()).cloned();
    let include = |key: &str| inner.get(key).and_then(Value::as_bool).unwrap_or(true);
    let bound = |strict: &str, inclusive: &str, old: &str, include_old: &str| {
        let exclusive = given(strict).map(|value| Bound { value, inclusive: false });
        let inclusive = || given(inclusive).map(|value| Bound { value, inclusive: true });
        let old = || given(old).map(|value| Bound { value, inclusive: include(include_old) });
        exclusive.or_else(inclusive).or_else(old)
    };
    let format =
        match inner.get("format").and_then(Value::as_str) {
            None => None,
            Some(text) => Some(DateFormats::parse(text).ok_or_else(|| {
                SearchError::argument(format!("Invalid format: [{text}]: not supported by this node"))
            })?),
        };
    Ok(QueryNode::Range {
        field: field.to_owned(),
        lower: bound("gt", "gte", "from", "include_lower"),
        upper: bound("lt", "lte", "to", "include_upper"),
        format,
    })
}

/// `{"field": "value"}` or `{"field": {"value": .., "case_insensitive": ..}}`
fn text_query(query: &str, body: &Map<String, Value>) -> Result<(String, String, bool), SearchError> {
    let (field, value) = one_field(query, body)?;
    let missing = || SearchError::argument("value cannot be null");
    match value {
        Value::Object(inner) => {
            options(query, inner, &["value", "wildcard", "case_insensitive"])?;
            let value =
                inner.get("value").or_else(|| inner.get("wildcard")).and_then(Value::as_str).ok_or_else(missing)?;
            Ok((field.to_owned(), value.to_owned(), flag(inner, "case_insensitive")))
        }
        Value::String(text) => Ok((field.to_owned(), text.clone(), false)),
        _ => Err(missing()),
    }
}

fn ids(body: &Map<String, Value>) -> Result<QueryNode, SearchError> {
    options("ids", body, &["values"])?;
    let values = match body.get("values") {
        Some(Value::Array(values)) => values.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => return Err(SearchError::argument("[ids] requires providing a [values] array")),
    };
    Ok(QueryNode::Ids(values.iter().map(crate::node::indices::field::plain).collect()))
}

fn match_query(body: &Map<String, Value>) -> Result<QueryNode, SearchError> {
    let (field, value) = one_field("match", body)?;
    let field = field.to_owned();
    let Some(inner) = value.as_object() else { return Ok(QueryNode::Match { field, text: value.clone(), all: false }) };
    options("match", inner, &["query", "operator"])?;
    let text = inner.get("query").filter(|text| !text.is_null()).cloned();
    let all = match inner.get("operator").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        None | Some("or") => false,
        Some("and") => true,
        Some(other) => return Err(SearchError::parsing(format!("[match] query does not support operator [{other}]"))),
    };
    Ok(QueryNode::Match {
        field,
        text: text.ok_or_else(|| SearchError::parsing("No text specified for text query"))?,
        all,
    })
}

fn flag(body: &Map<String, Value>, key: &str) -> bool {
    body.get(key).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn minimum_should_match_counts_from_both_ends() {
        for (value, wanted) in [
            (json!(2), Some(2)),
            (json!("3"), Some(3)),
            (json!(-1), Some(3)),
            (json!(-9), Some(0)),
            (json!("75%"), Some(3)),
            (json!("-30%"), Some(3)),
            (json!("2<75%"), None),
            (json!("x"), None),
            (json!(true), None),
        ] {
            assert_eq!(minimum(&value, 4), wanted, "{value}");
        }
    }

    #[test]
    fn says_what_it_does_not_know() {
        for (query, reason) in [
            (json!({"fuzzy": {"a": "b"}}), "[fuzzy] query is not supported by this node"),
            (json!({"trem": {"a": "b"}}), "unknown query [trem]"),
            (json!({}), "query malformed, empty clause found"),
            (json!({"term": {"a": 1, "b": 2}}), "[term] query doesn't support multiple fields, found [a] and [b]"),
            (json!({"term": {"a": {"value": 1, "boost": 2.0}}}), "[term] query does not support [boost]"),
            (json!({"bool": {"musst": []}}), "[bool] query does not support [musst]"),
            (json!({"range": {"a": {"time_zone": "+01:00"}}}), "[range] query does not support [time_zone]"),
            (json!({"match_all": {"x": 1}}), "[match_all] query does not support [x]"),
            (json!({"term": "x"}), "[term] query malformed, no start_object after query name"),
        ] {
            assert_eq!(QueryNode::parse(&query).expect_err("refused").to_string(), reason, "{query}");
        }
    }

    #[test]
    fn should_alone_needs_one_match() {
        let parsed = QueryNode::parse(&json!({"bool": {"should": [{"match_all": {}}]}})).expect("a query");
        assert!(matches!(parsed, QueryNode::Bool { minimum_should_match: 1, .. }));
        let parsed = QueryNode::parse(&json!({"bool": {"should": {"match_all": {}}, "filter": {"match_all": {}}}}));
        assert!(matches!(parsed, Ok(QueryNode::Bool { minimum_should_match: 0, .. })));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[{}\\[\\]\":,a-z0-9]{0,40}") {
            if let Ok(value) = serde_json::from_str(&text) {
                let _ = QueryNode::parse(&value);
            }
        }
    }
}
