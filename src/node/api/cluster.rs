//! `GET /`, `_cluster/health`, `_cluster/settings`.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use super::route;
use crate::node::http::{ApiError, Reply, Request};
use crate::node::indices::IndexExpression;
use crate::node::router::Route;
use crate::node::{BUILD_DATE, BUILD_HASH, Node, VERSION};

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(GET "/" "cluster:monitor/main" [] => main),
        route!(HEAD "/" "cluster:monitor/main" [] => main),
        route!(GET "/_cluster/health" "cluster:monitor/health" ["expand_wildcards", "level", "local", "master_timeout", "timeout", "wait_for_active_shards", "wait_for_events", "wait_for_no_initializing_shards", "wait_for_no_relocating_shards", "wait_for_nodes", "wait_for_status"] => health),
        route!(GET "/_cluster/health/{index}" "cluster:monitor/health" ["expand_wildcards", "level", "local", "master_timeout", "timeout", "wait_for_active_shards", "wait_for_events", "wait_for_no_initializing_shards", "wait_for_no_relocating_shards", "wait_for_nodes", "wait_for_status"] => health),
        route!(GET "/_cluster/settings" "cluster:monitor/settings" ["flat_settings", "include_defaults", "master_timeout", "timeout"] => settings),
    ]
}

async fn main(node: Arc<Node>, _: Request) -> Result<Reply, ApiError> {
    let identity = &node.core.identity;
    Ok(Reply::json(json!({
        "name": identity.node_name,
        "cluster_name": identity.cluster_name,
        "cluster_uuid": identity.cluster_uuid,
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "mlgate",
            "build_hash": BUILD_HASH,
            "build_date": BUILD_DATE,
            "build_snapshot": false,
            "lucene_version": "10.2.2",
            "minimum_wire_compatibility_version": "8.19.0",
            "minimum_index_compatibility_version": "8.0.0"
        },
        "tagline": "You Know, for Search"
    })))
}

async fn health(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let catalogue = node.core.store.catalogue();
    let expression = IndexExpression::parse(request.parameters.get("index").map_or("", String::as_str));
    let missing = |crate::node::indices::catalogue::Unknown(name)| ApiError::index_not_found(&name);
    let mut options = expression.options;
    options.expand_hidden = true;
    let shards = catalogue.resolve(&expression.with(options), |_| true).map_err(missing)?.len();
    // There is one node and no replica is kept, so whatever is waited for is so already or never will be.
    let never = request.query.text("wait_for_nodes").is_some_and(|wanted| !matches!(wanted, "1" | ">=1" | "ge(1)"));
    let body = json!({
        "cluster_name": node.core.identity.cluster_name,
        "status": "green",
        "timed_out": never,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": shards,
        "active_shards": shards,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 0,
        "unassigned_primary_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": 100.0
    });
    let status = if never { StatusCode::REQUEST_TIMEOUT } else { StatusCode::OK };
    Ok(Reply::with_status(status, body))
}

async fn settings(_: Arc<Node>, _: Request) -> Result<Reply, ApiError> {
    Ok(Reply::json(json!({ "persistent": {}, "transient": {} })))
}
