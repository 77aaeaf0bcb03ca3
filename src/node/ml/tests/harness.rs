//! A node without its HTTP server: a store in a folder, a clock that tests set, and the handlers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::node::clock::{Clock, SetClock};
use crate::node::documents::Documents;
use crate::node::http::{Content, Query, Request};
use crate::node::ml::{Ml, routes};
use crate::node::security::{Access, Caller};
use crate::node::store::{Batch, Source, Store};
use crate::node::{Core, Identity, Node};

/// 2026-01-01T00:00:00Z
pub(super) const START_MS: i64 = 1_767_225_600_000;
pub(super) const MINUTE_MS: i64 = 60_000;
/// What the clock shows where a test does not say.
const NOW_MS: i64 = START_MS + 400 * MINUTE_MS;
/// No test waits longer for anything; what is awaited comes at once.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Bench {
    pub(super) node: Arc<Node>,
    pub(super) clock: SetClock,
}

/// Runs something on a node and then ends all of the node's tasks wherever they stand, as a kill does.
pub(super) fn killed<T>(folder: &Path, what: impl AsyncFnOnce(&Bench) -> T) -> T {
    killed_at(folder, NOW_MS, what)
}

/// As [`killed`], on a node whose clock stands at `now_ms` at first.
pub(super) fn killed_at<T>(folder: &Path, now_ms: i64, what: impl AsyncFnOnce(&Bench) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (answer, store) = runtime.block_on(async {
        let bench = Bench::start_at(folder, now_ms).await;
        (what(&bench).await, bench.node.core.store.clone())
    });
    drop(runtime);
    store.close();
    answer
}

impl Bench {
    pub(super) async fn start(folder: &Path) -> Self {
        Self::start_at(folder, NOW_MS).await
    }

    /// With a clock that stands at `now_ms`.
    pub(super) async fn start_at(folder: &Path, now_ms: i64) -> Self {
        let (clock, hand) = Clock::settable(now_ms);
        let store = Store::open(folder).unwrap();
        let documents = Documents::new(store.clone(), clock.clone());
        let identity = Identity {
            cluster_name: "test".to_owned(),
            cluster_uuid: "uuid".to_owned(),
            node_id: "node-id".to_owned(),
            node_name: "node".to_owned(),
            ephemeral_id: "ephemeral".to_owned(),
            address: ([127, 0, 0, 1], 9200).into(),
        };
        let core = Core::new(store, documents, clock, identity);
        let ml = Ml::start(&core).await.unwrap();
        Self { node: Arc::new(Node { core, ml }), clock: hand }
    }

    /// Calls a handler as the router does; gives status and body.
    pub(super) async fn call(&self, line: &str, body: Value) -> (u16, Value) {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method: Method = method.parse().unwrap();
        let (route, parameters) = routes()
            .into_iter()
            .filter(|route| route.method == method)
            .filter_map(|route| Some((captures(route.template, path)?, route)))
            .map(|(parameters, route)| (route, parameters))
            .min_by_key(|(_, parameters)| parameters.len())
            .unwrap_or_else(|| panic!("no route for {line}"));
        let body = match body {
            Value::Null => Bytes::new(),
            Value::String(text) => Bytes::from(text),
            body => Bytes::from(body.to_string()),
        };
        let request = Request {
            method,
            path: path.to_owned(),
            parameters,
            query: Query::parse(query).unwrap(),
            headers: HeaderMap::new(),
            body,
            stream: None,
            caller: Caller::anyone(),
            access: Access::Everything,
        };
        let reply = (route.handler)(Arc::clone(&self.node), request).await.unwrap_or_else(|error| error.into_reply());
        let body = match reply.content {
            Content::Json(value) => value,
            Content::Text(text) => Value::String(text),
            _ => Value::Null,
        };
        (reply.status.as_u16(), body)
    }

    /// As [`Bench::call`], for what must succeed.
    pub(super) async fn done(&self, line: &str, body: Value) -> Value {
        let (status, answer) = self.call(line, body).await;
        assert!(status < 300, "{line}: {status} {answer}");
        answer
    }

    /// As [`Bench::call`]: status, type and reason of the error.
    pub(super) async fn refused(&self, line: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(line, body).await;
        let reason = answer.pointer("/error/reason").and_then(Value::as_str);
        (status, reason.unwrap_or_else(|| panic!("{line}: {answer}")).to_owned())
    }

    pub(super) async fn index(&self, documents: impl Iterator<Item = (String, Value)>) {
        let mut batch = Batch::new();
        for (id, document) in documents {
            batch.index("logs", id, Source::from_value(document).unwrap());
        }
        self.node.core.store.commit(batch).await.unwrap().all().unwrap();
    }

    pub(super) async fn job_stats(&self, id: &str) -> Value {
        self.done(&format!("GET /_ml/anomaly_detectors/{id}/_stats"), Value::Null).await["jobs"][0].clone()
    }

    pub(super) async fn datafeed_stats(&self, id: &str) -> Value {
        self.done(&format!("GET /_ml/datafeeds/{id}/_stats"), Value::Null).await["datafeeds"][0].clone()
    }

    /// Waits until the job's statistics are as wanted; looks again after each commit and each change of the tasks.
    pub(super) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut commits = self.node.core.store.subscribe();
        let mut running = self.node.ml.parts.local.subscribe();
        let mut changes = self.node.ml.parts.cluster.subscribe();
        let waiting = async {
            loop {
                commits.borrow_and_update();
                running.borrow_and_update();
                changes.borrow_and_update();
                let stats = self.job_stats(id).await;
                if wanted(&stats) {
                    return stats;
                }
                tokio::select! {
                    changed = commits.changed() => changed.unwrap(),
                    changed = running.changed() => changed.unwrap(),
                    changed = changes.changed() => changed.unwrap(),
                }
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(stats) => stats,
            Err(_) => panic!("{id} did not come to what was wanted: {}", self.job_stats(id).await),
        }
    }

    pub(super) async fn until_counted(&self, id: &str, records: u64) -> Value {
        self.until(id, |stats| stats["data_counts"]["processed_record_count"] == json!(records)).await
    }

    pub(super) async fn until_state(&self, id: &str, state: &str) -> Value {
        self.until(id, |stats| stats["state"] == state).await
    }

    /// A job on `value` with 1-minute buckets and a datafeed of the same name on `logs` that does not lag.
    pub(super) async fn job_with_datafeed(&self, id: &str) {
        self.done(&format!("PUT /_ml/anomaly_detectors/{id}"), job("mean", Some("value"))).await;
        let datafeed =
            json!({"job_id": id, "indices": ["logs"], "query_delay": "0s", "frequency": "1s", "scroll_size": 37});
        self.done(&format!("PUT /_ml/datafeeds/{id}"), datafeed).await;
    }
}

pub(super) fn job(function: &str, field: Option<&str>) -> Value {
    let detector = match field {
        Some(field) => json!({"function": function, "field_name": field}),
        None => json!({"function": function}),
    };
    json!({
        "analysis_config": {"bucket_span": "1m", "detectors": [detector]},
        "data_description": {"time_field": "time", "time_format": "epoch_ms"},
    })
}

/// `count` documents from minute `from`, three a minute, of which two share a time stamp; deterministic values.
pub(super) fn documents(from: i64, count: i64) -> impl Iterator<Item = (String, Value)> {
    (0..count).map(move |number| {
        let minute = from + number / 3;
        let time = START_MS + minute * MINUTE_MS + if number % 3 == 2 { 30_000 } else { 10_000 };
        let value = if minute == 90 { 500 } else { 100 + (minute * 7 + number * 3) % 11 };
        (format!("{from}-{number:05}"), json!({"time": time, "value": value}))
    })
}

/// The buckets and records of a job, without the times at which things were done.
pub(super) async fn results(bench: &Bench, id: &str) -> (Value, Value) {
    let page = json!({"page": {"from": 0, "size": 5000}});
    let buckets = bench.done(&format!("POST /_ml/anomaly_detectors/{id}/results/buckets"), page.clone()).await;
    let sorted = json!({"page": {"from": 0, "size": 5000}, "sort": "timestamp", "desc": false});
    let records = bench.done(&format!("POST /_ml/anomaly_detectors/{id}/results/records"), sorted).await;
    (buckets, records)
}

fn captures(template: &'static str, path: &str) -> Option<BTreeMap<&'static str, String>> {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut captured = BTreeMap::new();
    for (pattern, segment) in template.into_iter().zip(path) {
        match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                captured.insert(name, segment.to_owned());
            }
            None if pattern == segment => {}
            None => return None,
        }
    }
    Some(captured)
}

impl Bench {
    /// Stops the node in order and frees its folder.
    pub(super) async fn stop(self) {
        self.node.ml.stop().await;
        self.node.core.store.close();
        drop(self);
    }
}
