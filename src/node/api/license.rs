//! `_xpack` and `_license`: clients ask them whether machine learning is there.
//!
//! The node has no license and needs none. It says `trial`, the kind that has machine learning and promises nothing.
//!
//! Source: elasticsearch, `XPackInfoResponse.java`, `License.java`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::route;
use crate::node::http::{ApiError, Reply, Request};
use crate::node::router::Route;
use crate::node::security::Access;
use crate::node::{BUILD_DATE, BUILD_HASH, Node};

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(GET "/_xpack" "cluster:monitor/xpack/info" ["accept_enterprise", "categories"] => info),
        route!(GET "/_license" "cluster:monitor/xpack/license/get" ["accept_enterprise", "local", "master_timeout"] => license),
        route!(GET "/_license/basic_status" "cluster:admin/xpack/license/basic_status" ["master_timeout"] => basic_status),
        route!(GET "/_license/trial_status" "cluster:admin/xpack/license/trial_status" ["master_timeout"] => trial_status),
    ]
}

const KIND: &str = "trial";
/// Features of Elasticsearch that the node does not have.
#[rustfmt::skip]
const NOT_HERE: [&str; 22] = [
    "aggregate_metric", "analytics", "archive", "ccr", "data_streams", "data_tiers", "enrich", "enterprise_search", "eql",
    "esql", "graph", "ilm", "logsdb", "logstash", "monitoring", "rollup", "searchable_snapshots", "slm", "spatial", "sql",
    "transform", "watcher",
];

async fn info(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    let categories = request.query.text("categories").unwrap_or("_all");
    let asked =
        |name: &str| categories.split(',').any(|category| matches!(category.trim(), "_all") || category.trim() == name);
    for category in categories.split(',').map(str::trim) {
        if !["_all", "build", "features", "license", "_none"].contains(&category) {
            return Err(ApiError::illegal_argument(format!("No enum constant for category [{category}]")));
        }
    }
    let mut shown = Map::new();
    if asked("build") {
        shown.insert("build".to_owned(), json!({"hash": BUILD_HASH, "date": BUILD_DATE}));
    }
    if asked("license") {
        let uid = &node.core.identity.cluster_uuid;
        shown.insert("license".to_owned(), json!({"uid": uid, "type": KIND, "mode": KIND, "status": "active"}));
    }
    if asked("features") {
        let secured = !matches!(request.access, Access::Everything);
        let mut features: Map<String, Value> =
            NOT_HERE.iter().map(|name| ((*name).to_owned(), json!({"available": false, "enabled": false}))).collect();
        features.insert("ml".to_owned(), json!({"available": true, "enabled": true}));
        features.insert("security".to_owned(), json!({"available": true, "enabled": secured}));
        features.sort_keys();
        shown.insert("features".to_owned(), Value::Object(features));
    }
    if request.query.flag("human")? != Some(false) {
        shown.insert("tagline".to_owned(), json!("You know, for X"));
    }
    Ok(Reply::json(Value::Object(shown)))
}

async fn license(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    request.query.flag("local")?;
    let identity = &node.core.identity;
    Ok(Reply::json(json!({"license": {
        "status": "active",
        "uid": identity.cluster_uuid,
        "type": KIND,
        "issue_date": BUILD_DATE,
        "issue_date_in_millis": crate::node::indices::dates::parse_any(BUILD_DATE, crate::node::indices::dates::Rounding::Down),
        "max_nodes": 1,
        "max_resource_units": null,
        "issued_to": identity.cluster_name,
        "issuer": "mlgate",
        "start_date_in_millis": -1,
    }})))
}

async fn basic_status(_: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    Ok(Reply::json(json!({"eligible_to_start_basic": false})))
}

async fn trial_status(_: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    Ok(Reply::json(json!({"eligible_to_start_trial": false})))
}
