//! `_nodes`: the one node, as far as it has what Elasticsearch shows of one.
//!
//! Source: elasticsearch, `RestNodesInfoAction.java`, `NodeInfo.java`, `DiscoveryNodes.java`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::route;
use crate::node::http::{ApiError, BODY_BYTES_MAX, Reply, Request};
use crate::node::indices::wildcard;
use crate::node::router::Route;
use crate::node::{BUILD_HASH, INDEX_VERSION, Identity, Node, ROLES, VERSION};

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(GET "/_nodes" "cluster:monitor/nodes/info" ["flat_settings", "timeout"] => info),
        route!(GET "/_nodes/{node_id}" "cluster:monitor/nodes/info" ["flat_settings", "timeout"] => info),
        route!(GET "/_nodes/{node_id}/{metric}" "cluster:monitor/nodes/info" ["flat_settings", "timeout"] => info),
    ]
}

/// What Elasticsearch can be asked for. `jvm`, `thread_pool`, `transport`, `remote_cluster_server`, `aggregations` and `indices` are
/// nothing that this node has.
#[rustfmt::skip]
const METRICS: [&str; 14] = [
    "_all", "_none", "settings", "os", "process", "jvm", "thread_pool", "transport", "http", "remote_cluster_server", "plugins",
    "ingest", "aggregations", "indices",
];

/// APIs of Elasticsearch at the place of a node or a metric, which this node does not have.
const OTHER_APIS: [&str; 4] = ["hot_threads", "reload_secure_settings", "stats", "usage"];

async fn info(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    request.query.duration("timeout")?;
    let flat = request.query.flag("flat_settings")?.unwrap_or(false);
    let (ids, metrics) = asked(&request)?;
    let identity = &node.core.identity;
    let mut nodes = Map::new();
    if ids.split(',').any(|id| names(id.trim(), identity)) {
        nodes.insert(identity.node_id.clone(), described(identity, &metrics, flat));
    }
    Ok(Reply::json(json!({
        "_nodes": {"total": nodes.len(), "successful": nodes.len(), "failed": 0},
        "cluster_name": identity.cluster_name,
        "nodes": nodes,
    })))
}

/// Nodes and metrics; one segment alone is a list of metrics if all of it are such.
fn asked(request: &Request) -> Result<(String, Vec<String>), ApiError> {
    let list = |text: &str| text.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>();
    let known = |metric: &String| METRICS.contains(&metric.as_str());
    let all = || vec!["_all".to_owned()];
    let path = |name: &str| request.parameters.get(name);
    if path("metric").or(path("node_id")).is_some_and(|last| OTHER_APIS.contains(&last.as_str())) {
        return Err(ApiError::no_handler(&request.path, &request.method));
    }
    match (path("node_id"), path("metric")) {
        (None, _) => Ok(("_all".to_owned(), all())),
        (Some(first), None) if list(first).iter().all(known) => Ok(("_all".to_owned(), list(first))),
        (Some(ids), None) => Ok((ids.clone(), all())),
        (Some(ids), Some(metrics)) => {
            let metrics = list(metrics);
            let unknown: Vec<String> =
                metrics.iter().filter(|metric| !known(metric)).map(|metric| format!("[{metric}]")).collect();
            if unknown.is_empty() {
                return Ok((ids.clone(), metrics));
            }
            let several = if unknown.len() > 1 { "s" } else { "" };
            Err(ApiError::illegal_argument(format!(
                "request [{}] contains unrecognized metric{several}: {}",
                request.decoded_path(),
                unknown.join(", ")
            )))
        }
    }
}

/// Whether a node filter names the node: an id, a name, an address, a wildcard over them, or `role:true`.
fn names(filter: &str, identity: &Identity) -> bool {
    if matches!(filter, "_all" | "_local" | "_master" | "*") {
        return true;
    }
    if let Some((role, truth)) = filter.split_once(':') {
        let has = ROLES.contains(&role);
        if let Ok(wanted) = truth.parse::<bool>() {
            return has == wanted;
        }
    }
    let ip = identity.address.ip().to_string();
    [&identity.node_id, &identity.node_name, &ip].iter().any(|name| wildcard::matches(filter, name))
}

fn described(identity: &Identity, metrics: &[String], flat: bool) -> Value {
    let address = identity.address.to_string();
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("name", json!(identity.node_name));
    put("transport_address", json!(address));
    put("host", json!(identity.address.ip().to_string()));
    put("ip", json!(identity.address.ip().to_string()));
    put("version", json!(VERSION));
    put("index_version", json!(INDEX_VERSION));
    put("build_flavor", json!("default"));
    put("build_type", json!("mlgate"));
    put("build_hash", json!(BUILD_HASH));
    put("roles", json!(ROLES));
    put("attributes", json!({}));
    let asked = |name: &str| metrics.iter().any(|metric| metric == "_all" || metric == name);
    if asked("settings") {
        let (cluster, name) = (&identity.cluster_name, &identity.node_name);
        let settings = if flat {
            json!({"cluster.name": cluster, "node.name": name})
        } else {
            json!({"cluster": {"name": cluster}, "node": {"name": name}})
        };
        put("settings", settings);
    }
    if asked("os") {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (name, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let os = json!({
            "name": name, "arch": arch, "available_processors": processors, "allocated_processors": processors,
        });
        put("os", os);
    }
    if asked("process") {
        put("process", json!({"id": std::process::id(), "mlockall": false}));
    }
    if asked("http") {
        let http = json!({
            "bound_address": [address], "publish_address": address, "max_content_length_in_bytes": BODY_BYTES_MAX,
        });
        put("http", http);
    }
    if asked("plugins") {
        put("plugins", json!([]));
        put("modules", json!([]));
    }
    if asked("ingest") {
        put("ingest", json!({"processors": []}));
    }
    Value::Object(shown)
}
