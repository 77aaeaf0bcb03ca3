//! `_cat/indices` and `_cat/health`.
//!
//! Source: elasticsearch, `RestIndicesAction.java`, `RestHealthAction.java`.

use std::sync::Arc;

use super::indices_options::expression;
use super::route;
use crate::node::Node;
use crate::node::http::{ApiError, Cell, Column, Reply, Request, Table};
use crate::node::router::Route;

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(GET "/_cat/indices" "indices:monitor/stats" ["bytes", "expand_wildcards", "h", "help", "master_timeout", "s", "time", "v"] => indices),
        route!(GET "/_cat/indices/{index}" "indices:monitor/stats" ["bytes", "expand_wildcards", "h", "help", "master_timeout", "s", "time", "v"] => indices),
        route!(GET "/_cat/health" "cluster:monitor/health" ["bytes", "h", "help", "s", "time", "v"] => health),
    ]
}

#[rustfmt::skip] // a table: one column a line
const INDICES: [Column; 10] = [
    Column { aliases: &["h"], description: "current health status", ..Column::new("health") },
    Column { aliases: &["s"], description: "open/close status", ..Column::new("status") },
    Column { aliases: &["i", "idx"], description: "index name", ..Column::new("index") },
    Column { aliases: &["id"], description: "index uuid", ..Column::new("uuid") },
    Column { aliases: &["p", "shards.primary", "shardsPrimary"], right: true, description: "number of primary shards", ..Column::new("pri") },
    Column { aliases: &["r", "shards.replica", "shardsReplica"], right: true, description: "number of replica shards", ..Column::new("rep") },
    Column { aliases: &["dc", "docsCount"], right: true, description: "available docs", ..Column::new("docs.count") },
    Column { aliases: &["dd", "docsDeleted"], right: true, description: "deleted docs", ..Column::new("docs.deleted") },
    Column { aliases: &["ss", "storeSize"], right: true, description: "store size of primaries & replicas", ..Column::new("store.size") },
    Column { right: true, description: "store size of primaries", ..Column::new("pri.store.size") },
];

async fn indices(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    let found =
        request.access.resolve(&node.core.store.catalogue(), &expression(&request)?, "indices:monitor/stats")?;
    let numbers: Vec<u32> = found.iter().map(|index| index.number).collect();
    let counters = node
        .core
        .store
        .read(|reader| numbers.iter().map(|number| reader.counters(*number)).collect::<Result<Vec<_>, _>>())?;
    let mut table = Table::new(INDICES.to_vec());
    for (index, counters) in found.iter().zip(counters) {
        table.row(vec![
            "green".into(),
            "open".into(),
            index.name.to_string().into(),
            index.uuid.clone().into(),
            index.settings.get("number_of_shards").cloned().unwrap_or_default().into(),
            0.into(),
            counters.documents.into(),
            0.into(),
            Cell::Bytes(counters.bytes),
            Cell::Bytes(counters.bytes),
        ]);
    }
    table.reply(&request)
}

#[rustfmt::skip] // a table: one column a line
const HEALTH: [Column; 14] = [
    Column { aliases: &["t", "time"], description: "seconds since 1970-01-01 00:00:00", ..Column::new("epoch") },
    Column { aliases: &["ts", "hms", "hhmmss"], description: "time in HH:MM:SS", ..Column::new("timestamp") },
    Column { aliases: &["cl"], description: "cluster name", ..Column::new("cluster") },
    Column { aliases: &["st"], description: "health status", ..Column::new("status") },
    Column { aliases: &["nt", "nodeTotal"], right: true, description: "total number of nodes", ..Column::new("node.total") },
    Column { aliases: &["nd", "nodeData"], right: true, description: "number of nodes that can store data", ..Column::new("node.data") },
    Column { aliases: &["t", "sh", "shards.total", "shardsTotal"], right: true, description: "total number of shards", ..Column::new("shards") },
    Column { aliases: &["p", "shards.primary", "shardsPrimary"], right: true, description: "number of primary shards", ..Column::new("pri") },
    Column { aliases: &["r", "shards.relocating", "shardsRelocating"], right: true, description: "number of relocating nodes", ..Column::new("relo") },
    Column { aliases: &["i", "shards.initializing", "shardsInitializing"], right: true, description: "number of initializing nodes", ..Column::new("init") },
    Column { aliases: &["u", "shards.unassigned", "shardsUnassigned"], right: true, description: "number of unassigned shards", ..Column::new("unassign") },
    Column { aliases: &["pt", "pendingTasks"], right: true, description: "number of pending tasks", ..Column::new("pending_tasks") },
    Column { aliases: &["mtwt", "maxTaskWaitTime"], right: true, description: "wait time of longest task pending", ..Column::new("max_task_wait_time") },
    Column { aliases: &["asp", "activeShardsPercent"], right: true, description: "active number of shards in percent", ..Column::new("active_shards_percent") },
];

async fn health(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    let shards = node.core.store.catalogue().indices().count();
    let now_ms = node.core.clock.now_ms();
    let time_of_day = crate::node::indices::dates::format(now_ms).get(11..19).unwrap_or_default().to_owned();
    let mut table = Table::new(HEALTH.to_vec());
    table.row(vec![
        (now_ms / 1000).into(),
        time_of_day.into(),
        node.core.identity.cluster_name.clone().into(),
        "green".into(),
        1.into(),
        1.into(),
        shards.into(),
        shards.into(),
        0.into(),
        0.into(),
        0.into(),
        0.into(),
        "-".into(),
        "100.0%".into(),
    ]);
    table.reply(&request)
}
