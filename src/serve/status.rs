//! What the admin address shows: facts of the running parts, put together when asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::api::Api;
use super::clusters::RunningCluster;
use super::workers::Scrapes;
use crate::admin::{Readiness, Sources};
use crate::gate::Gate;
use crate::gateway::Shared;
use crate::policy::upgrade_mode::GateState;
use crate::realm::jwt::IssuerKeys;
use crate::telemetry::clock;
use crate::telemetry::metrics::{Family, Kind, Page};
use crate::upstream::{Health, NodeState};

const GATE_STATE: Family = Family {
    name: "mlgate_gate_state",
    help: "Upgrade-mode gate: 0 unknown, 1 off, 2 enabling, 3 on, 4 disabling",
    labels: &["cluster"],
};
const UPGRADE_MODE_SECONDS: Family = Family {
    name: "mlgate_upgrade_mode_seconds",
    help: "How long the upgrade-mode fence has been up; 0 while it is down",
    labels: &["cluster"],
};
const UPGRADE_MODE_INFO: Family = Family {
    name: "mlgate_upgrade_mode_info",
    help: "Who put up the upgrade-mode fence, and why; there while it is up, always 1",
    labels: &["cluster", "by", "reason"],
};
const UPGRADE_MODE_OVERDUE: Family = Family {
    name: "mlgate_upgrade_mode_overdue",
    help: "1 when the upgrade-mode fence has been up for longer than alert_after",
    labels: &["cluster"],
};
const UPSTREAM_HEALTHY: Family =
    Family { name: "mlgate_upstream_healthy", help: "Whether a node answers", labels: &["cluster", "node"] };
const CONNECTIONS: Family =
    Family { name: "mlgate_connections", help: "Open downstream connections", labels: &["listener"] };
const RELOADS: Family =
    Family { name: "mlgate_config_reloads_total", help: "Reloads of the config", labels: &["outcome"] };

const JWKSET_KEYS: Family =
    Family { name: "mlgate_jwkset_keys", help: "Keys of an issuer that are in use", labels: &["realm"] };
const JWKSET_AGE: Family = Family {
    name: "mlgate_jwkset_age_seconds",
    help: "Time since the last good fetch of an issuer's keys",
    labels: &["realm"],
};
const JWKSET_FETCHES: Family = Family {
    name: "mlgate_jwkset_fetches_total",
    help: "Fetches of an issuer's keys since the last change of its settings",
    labels: &["realm", "outcome"],
};

/// Live facts, for the admin address.
pub(super) struct Status {
    scrapes: Scrapes,
    shared: Arc<Shared>,
    listeners: Vec<SocketAddr>,
    clusters: Mutex<Vec<Cluster>>,
    reloads: Mutex<Reloads>,
}

struct Cluster {
    name: String,
    gate: Arc<Gate>,
    health: Arc<Health>,
    nodes: Vec<String>,
}

#[derive(Default)]
struct Reloads {
    good: u64,
    bad: u64,
    /// Why the last one was bad.
    problem: Option<String>,
}

impl Status {
    pub(super) fn new(scrapes: Scrapes, shared: Arc<Shared>, listeners: Vec<SocketAddr>) -> Self {
        Self { scrapes, shared, listeners, clusters: Mutex::default(), reloads: Mutex::default() }
    }

    /// Shows these from now on.
    pub(super) fn follow(&self, clusters: &[RunningCluster]) {
        let followed = clusters.iter().map(|cluster| Cluster {
            name: cluster.name.clone(),
            gate: Arc::clone(&cluster.gate),
            health: Arc::clone(&cluster.health),
            nodes: cluster.nodes(),
        });
        *self.clusters.lock().unwrap_or_else(PoisonError::into_inner) = followed.collect();
    }

    pub(super) fn reloaded(&self, outcome: Result<(), String>) {
        let mut reloads = self.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        match &outcome {
            Ok(()) => reloads.good += 1,
            Err(_) => reloads.bad += 1,
        }
        reloads.problem = outcome.err();
    }

    fn readiness(&self) -> Readiness {
        let clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = clusters.iter().all(|cluster| cluster.health.any_up());
        let shown: serde_json::Map<String, Value> =
            clusters.iter().map(|cluster| (cluster.name.clone(), cluster.shown())).collect();
        let reloads = self.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        let key_sets = self.key_sets();
        let detail = json!({ "clusters": shown, "key_sets": key_sets, "last_reload_problem": reloads.problem });
        Readiness { ready, detail }
    }

    /// By realm. They do not count for `ready`: callers with other credentials are served all the same.
    fn key_sets(&self) -> serde_json::Map<String, Value> {
        let shown = |keys: &Arc<IssuerKeys>| {
            let status = keys.status();
            let detail = json!({
                "state": status.state.name(), "keys": status.keys,
                "age_seconds": status.age_seconds, "problem": status.problem,
            });
            (keys.realm().to_owned(), detail)
        };
        self.shared.realms().issuer_keys().map(shown).collect()
    }

    /// What the status API shows to one who may see these clusters.
    pub(super) fn of(&self, names: &[Arc<str>]) -> Value {
        let clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = clusters.iter().filter(|cluster| names.iter().any(|name| **name == *cluster.name));
        let shown: serde_json::Map<String, Value> =
            seen.map(|cluster| (cluster.name.clone(), cluster.detailed())).collect();
        let reloads = self.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "config": {
                "generation": self.shared.generation(),
                "reloads": { "success": reloads.good, "failure": reloads.bad },
                "last_reload_problem": reloads.problem,
            },
            "listeners": self.listeners.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "connections": self.shared.connections().total(),
            "key_sets": self.key_sets(),
            "clusters": shown,
        })
    }

    async fn metrics(&self) -> String {
        let mut page = self.scrapes.collect(Page::default()).await;
        for cluster in self.clusters.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            cluster.measured(&mut page);
        }
        for keys in self.shared.realms().issuer_keys() {
            let (realm, status) = (keys.realm(), keys.status());
            page.put(&JWKSET_KEYS, Kind::Gauge, &[realm], number(status.keys));
            if let Some(age) = status.age_seconds {
                page.put(&JWKSET_AGE, Kind::Gauge, &[realm], number(age));
            }
            page.put(&JWKSET_FETCHES, Kind::Counter, &[realm, "success"], number(status.fetched));
            page.put(&JWKSET_FETCHES, Kind::Counter, &[realm, "failure"], number(status.failed));
        }
        let all = self.listeners.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",");
        page.put(&CONNECTIONS, Kind::Gauge, &[&all], number(self.shared.connections().total()));
        let reloads = self.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        page.put(&RELOADS, Kind::Counter, &["success"], number(reloads.good));
        page.put(&RELOADS, Kind::Counter, &["failure"], number(reloads.bad));
        page.text()
    }
}

impl Cluster {
    fn shown(&self) -> Value {
        let node = |(index, name): (usize, &String)| {
            let state = match self.health.state(index) {
                NodeState::Unknown => "unknown",
                NodeState::Up => "up",
                NodeState::Down => "down",
            };
            (name.clone(), json!(state))
        };
        let nodes: serde_json::Map<String, Value> = self.nodes.iter().enumerate().map(node).collect();
        let state = self.gate.state().name();
        json!({ "nodes": nodes, "upgrade_mode": state, "upgrade_mode_overdue": self.gate.is_overdue() })
    }

    /// With what only those may see who may see the cluster's ML.
    fn detailed(&self) -> Value {
        let view = self.gate.view();
        let fence = view.fence.as_ref();
        let report = self.gate.report_of_return().map(|report| {
            json!({
                "begun": clock::rfc3339(report.begun),
                "looked": clock::rfc3339(report.looked),
                "not_back": report.not_back,
            })
        });
        let mut shown = self.shown();
        if let Value::Object(members) = &mut shown {
            members.insert(
                "upgrade_mode".to_owned(),
                json!({
                    "state": self.gate.state().name(),
                    "since": fence.map(|facts| clock::rfc3339(facts.since)),
                    "by": fence.and_then(|facts| facts.by.as_deref()),
                    "reason": fence.and_then(|facts| facts.reason.as_deref()),
                    "overdue": self.gate.is_overdue(),
                    "view_age_seconds": self.gate.age().map(|age| age.as_secs_f64()),
                    "in_flight": self.gate.in_flight(),
                    "after": report,
                }),
            );
            members.remove("upgrade_mode_overdue");
        }
        shown
    }

    fn measured(&self, page: &mut Page) {
        let state = match self.gate.state() {
            GateState::Unknown => 0.0,
            GateState::Off => 1.0,
            GateState::Enabling => 2.0,
            GateState::On => 3.0,
            GateState::Disabling => 4.0,
        };
        page.put(&GATE_STATE, Kind::Gauge, &[&self.name], state);
        let view = self.gate.view();
        let up = view.fence.as_ref().and_then(|fence| clock::now().duration_since(fence.since).ok());
        page.put(&UPGRADE_MODE_SECONDS, Kind::Gauge, &[&self.name], up.unwrap_or_default().as_secs_f64());
        if let Some(fence) = &view.fence {
            let said = |text: &Option<String>| text.clone().unwrap_or_default();
            page.put(&UPGRADE_MODE_INFO, Kind::Gauge, &[&self.name, &said(&fence.by), &said(&fence.reason)], 1.0);
        }
        let overdue = if self.gate.is_overdue() { 1.0 } else { 0.0 };
        page.put(&UPGRADE_MODE_OVERDUE, Kind::Gauge, &[&self.name], overdue);
        for (index, node) in self.nodes.iter().enumerate() {
            let up = if self.health.state(index) == NodeState::Up { 1.0 } else { 0.0 };
            page.put(&UPSTREAM_HEALTHY, Kind::Gauge, &[&self.name, node], up);
        }
    }
}

fn number(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}

/// The functions that the admin address calls.
pub(super) fn sources(status: &Arc<Status>, api: Api) -> Sources {
    let (ready, measured) = (Arc::clone(status), Arc::clone(status));
    Sources {
        readiness: Arc::new(move || ready.readiness()),
        metrics: Arc::new(move || {
            let status = Arc::clone(&measured);
            Box::pin(async move { status.metrics().await })
        }),
        status: Arc::new(move |request, address| Box::pin(api.clone().status(request, address))),
    }
}
