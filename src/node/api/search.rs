//! `_search` and `_count`.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::indices_options::expression;
use super::route;
use super::search_body::{self, Shown};
use crate::node::Node;
use crate::node::documents::{Hit, Hits, Relation};
use crate::node::http::{ApiError, Reply, Request};
use crate::node::router::Route;

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(GET "/_search" "indices:data/read/search" ["_source", "_source_excludes", "_source_includes", "allow_no_indices", "expand_wildcards", "from", "ignore_unavailable", "preference", "q", "rest_total_hits_as_int", "size", "sort", "track_total_hits", "typed_keys"] => search),
        route!(POST "/_search" "indices:data/read/search" ["_source", "_source_excludes", "_source_includes", "allow_no_indices", "expand_wildcards", "from", "ignore_unavailable", "preference", "q", "rest_total_hits_as_int", "size", "sort", "track_total_hits", "typed_keys"] => search),
        route!(GET "/{index}/_search" "indices:data/read/search" ["_source", "_source_excludes", "_source_includes", "allow_no_indices", "expand_wildcards", "from", "ignore_unavailable", "preference", "q", "rest_total_hits_as_int", "size", "sort", "track_total_hits", "typed_keys"] => search),
        route!(POST "/{index}/_search" "indices:data/read/search" ["_source", "_source_excludes", "_source_includes", "allow_no_indices", "expand_wildcards", "from", "ignore_unavailable", "preference", "q", "rest_total_hits_as_int", "size", "sort", "track_total_hits", "typed_keys"] => search),
        route!(GET "/_count" "indices:data/read/search" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "preference"] => count),
        route!(POST "/_count" "indices:data/read/search" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "preference"] => count),
        route!(GET "/{index}/_count" "indices:data/read/search" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "preference"] => count),
        route!(POST "/{index}/_count" "indices:data/read/search" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "preference"] => count),
    ]
}

async fn search(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let started = Instant::now();
    let (search, shown) = search_body::search(&request)?;
    let source = search.source.enabled;
    let as_number = request.query.flag("rest_total_hits_as_int")?.unwrap_or(false);
    let Hits { total, max_score, hits, shards } = node.core.documents.search(search, &request.access).await?;
    let mut found = Map::new();
    if let Some(total) = total {
        let relation = if total.relation == Relation::Exact { "eq" } else { "gte" };
        let shown = if as_number { json!(total.value) } else { json!({ "value": total.value, "relation": relation }) };
        found.insert("total".to_owned(), shown);
    }
    found.insert("max_score".to_owned(), json!(max_score));
    found.insert("hits".to_owned(), hits.into_iter().map(|hit| one(hit, shown, source)).collect());
    Ok(Reply::json(json!({
        "took": started.elapsed().as_millis(),
        "timed_out": false,
        "_shards": { "total": shards, "successful": shards, "skipped": 0, "failed": 0 },
        "hits": found
    })))
}

fn one(hit: Hit, shown: Shown, source: bool) -> Value {
    let document = hit.document;
    let mut members = Map::new();
    members.insert("_index".to_owned(), json!(&*document.index));
    members.insert("_id".to_owned(), json!(document.id));
    if shown.version {
        members.insert("_version".to_owned(), json!(document.version));
    }
    if shown.seq_no {
        members.insert("_seq_no".to_owned(), json!(document.seq_no));
        members.insert("_primary_term".to_owned(), json!(document.primary_term));
    }
    members.insert("_score".to_owned(), json!(hit.score));
    if source {
        members.insert("_source".to_owned(), document.source);
    }
    if !hit.sort.is_empty() {
        members.insert("sort".to_owned(), Value::Array(hit.sort));
    }
    Value::Object(members)
}

async fn count(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let (expression, query) = (expression(&request)?, search_body::count_query(&request)?);
    let action = "indices:data/read/search";
    let shards = request.access.resolve(&node.core.store.catalogue(), &expression, action)?.len();
    let count = node.core.documents.count(&expression, &query, &request.access).await?;
    let shards = json!({ "total": shards, "successful": shards, "skipped": 0, "failed": 0 });
    Ok(Reply::json(json!({ "count": count, "_shards": shards })))
}
