//! Indices: create, delete, exists, get, `_mapping`, `_settings`, `_refresh`, `_flush`.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::indices_options::expression;
use super::route;
use crate::node::documents::SearchError;
use crate::node::http::{ApiError, Reply, Request};
use crate::node::indices::IndexMetadata;
use crate::node::router::Route;
use crate::node::store::{Batch, Operation};
use crate::node::{INDEX_VERSION, Node};

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(PUT "/{index}" "indices:admin/create" ["master_timeout", "timeout", "wait_for_active_shards"] => create),
        route!(DELETE "/{index}" "indices:admin/delete" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "master_timeout", "timeout"] => delete),
        route!(HEAD "/{index}" "indices:admin/get" ["allow_no_indices", "expand_wildcards", "flat_settings", "ignore_unavailable", "include_defaults", "local"] => exists),
        route!(GET "/{index}" "indices:admin/get" ["allow_no_indices", "expand_wildcards", "features", "ignore_unavailable", "local", "master_timeout"] => get),
        route!(GET "/_mapping" "indices:admin/mappings/get" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "local", "master_timeout"] => get_mapping),
        route!(GET "/{index}/_mapping" "indices:admin/mappings/get" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "local", "master_timeout"] => get_mapping),
        route!(PUT "/{index}/_mapping" "indices:admin/mapping/put" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "master_timeout", "timeout", "write_index_only"] => put_mapping),
        route!(POST "/{index}/_mapping" "indices:admin/mapping/put" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "master_timeout", "timeout", "write_index_only"] => put_mapping),
        route!(GET "/{index}/_settings" "indices:monitor/settings/get" ["allow_no_indices", "expand_wildcards", "ignore_unavailable", "local", "master_timeout"] => get_settings),
        route!(GET "/_refresh" "indices:admin/refresh" ["allow_no_indices", "expand_wildcards", "ignore_unavailable"] => refresh),
        route!(POST "/_refresh" "indices:admin/refresh" ["allow_no_indices", "expand_wildcards", "ignore_unavailable"] => refresh),
        route!(GET "/{index}/_refresh" "indices:admin/refresh" ["allow_no_indices", "expand_wildcards", "ignore_unavailable"] => refresh),
        route!(POST "/{index}/_refresh" "indices:admin/refresh" ["allow_no_indices", "expand_wildcards", "ignore_unavailable"] => refresh),
        route!(POST "/_flush" "indices:admin/flush" ["allow_no_indices", "expand_wildcards", "force", "ignore_unavailable", "wait_if_ongoing"] => flush),
        route!(POST "/{index}/_flush" "indices:admin/flush" ["allow_no_indices", "expand_wildcards", "force", "ignore_unavailable", "wait_if_ongoing"] => flush),
    ]
}

fn name(request: &Request) -> &str {
    request.parameters.get("index").map_or("", String::as_str)
}

async fn create(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let index = name(&request).to_owned();
    request.access.check("indices:admin/create", &[&index])?;
    let body = request.json()?.unwrap_or_else(|| json!({}));
    if !body.is_object() {
        return Err(ApiError::parsing("request body is required to be an object"));
    }
    one(&node, Operation::CreateIndex { index: index.clone(), body }).await?;
    Ok(Reply::json(json!({ "acknowledged": true, "shards_acknowledged": true, "index": index })))
}

async fn one(node: &Node, operation: Operation) -> Result<(), ApiError> {
    let mut batch = Batch::new();
    batch.push(operation);
    node.core.store.commit(batch).await?.all()?;
    Ok(())
}

fn resolve(node: &Node, request: &Request, action: &str) -> Result<Vec<Arc<IndexMetadata>>, ApiError> {
    Ok(request.access.resolve(&node.core.store.catalogue(), &expression(request)?, action)?)
}

async fn delete(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    let expression = expression(&request)?;
    // As with `action.destructive_requires_name`, the default: a slip of a star must not cost all data.
    if expression.names().count() == 0 {
        return Err(ApiError::illegal_argument("Wildcard expressions or all indices are not allowed"));
    }
    let action = "indices:admin/delete";
    let catalogue = node.core.store.catalogue();
    let indices = request.access.resolve(&catalogue, &expression, action)?;
    for name in expression.names() {
        if catalogue.index(name).is_none() && catalogue.has_alias(name) {
            return Err(ApiError::illegal_argument(format!(
                "The provided expression [{name}] matches an alias, specify the corresponding concrete indices instead."
            )));
        }
    }
    let mut batch = Batch::new();
    for index in indices {
        batch.push(Operation::DeleteIndex { index: index.name.to_string() });
    }
    node.core.store.commit(batch).await?.all()?;
    Ok(Reply::json(json!({ "acknowledged": true })))
}

async fn exists(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    match resolve(&node, &request, "indices:admin/get") {
        Ok(indices) if !indices.is_empty() => Ok(Reply::json(json!({}))),
        Ok(_) => Ok(Reply::with_status(StatusCode::NOT_FOUND, json!({}))),
        Err(error) => Err(error),
    }
}

async fn get(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    shown(&node, &request, "indices:admin/get", |index| {
        json!({
            "aliases": index.aliases,
            "mappings": index.mapping.to_json(),
            "settings": index.settings_json(INDEX_VERSION)
        })
    })
}

async fn get_mapping(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    shown(&node, &request, "indices:admin/mappings/get", |index| json!({ "mappings": index.mapping.to_json() }))
}

async fn get_settings(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    shown(
        &node,
        &request,
        "indices:monitor/settings/get",
        |index| json!({ "settings": index.settings_json(INDEX_VERSION) }),
    )
}

fn shown(
    node: &Node,
    request: &Request,
    action: &str,
    show: impl Fn(&IndexMetadata) -> Value,
) -> Result<Reply, ApiError> {
    request.without_body()?;
    let mut body = Map::new();
    for index in resolve(node, request, action)? {
        body.insert(index.name.to_string(), show(&index));
    }
    Ok(Reply::json(Value::Object(body)))
}

async fn put_mapping(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let Some(mappings) = request.json()? else {
        return Err(ApiError::validation(&["mapping source is missing".to_owned()]));
    };
    let mut batch = Batch::new();
    for index in resolve(&node, &request, "indices:admin/mapping/put")? {
        batch.push(Operation::PutMapping { index: index.name.to_string(), mappings: mappings.clone() });
    }
    node.core.store.commit(batch).await?.all()?;
    Ok(Reply::json(json!({ "acknowledged": true })))
}

/// What is acknowledged can be found at once: there is nothing to refresh.
async fn refresh(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    broadcast(&node, &request, "indices:admin/refresh")
}

/// What is acknowledged is on disk: there is nothing to flush.
async fn flush(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    broadcast(&node, &request, "indices:admin/flush")
}

fn broadcast(node: &Node, request: &Request, action: &str) -> Result<Reply, ApiError> {
    request.without_body()?;
    let mut wanted = expression(request)?;
    if request.query.text("expand_wildcards").is_none() {
        wanted.options.expand_hidden = true;
    }
    let found: Result<_, SearchError> = request.access.resolve(&node.core.store.catalogue(), &wanted, action);
    let shards = found?.len();
    Ok(Reply::json(json!({ "_shards": { "total": shards, "successful": shards, "failed": 0 } })))
}
