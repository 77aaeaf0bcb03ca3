//! A cluster that does what the test says, over HTTP.

use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Map, Value, json};

use crate::harness::{Exchange, PATIENCE, Upstream};

/// What the fake cluster says, and what it was asked.
#[derive(Default)]
pub(super) struct Cluster {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) upgrade_mode: bool,
    /// Descriptions of job tasks that still run.
    pub(super) tasks: Vec<&'static str>,
    pub(super) node_failures: bool,
    /// Marks its answers as a gateway would.
    pub(super) claims_verified: bool,
    /// Answers `_ml/info` with 503.
    pub(super) silent: bool,
    /// Answers a switch with 500, after it has set the flag.
    pub(super) switch_fails: bool,
    /// Breaks off the next switch after it has set the flag.
    pub(super) breaks_off: bool,
    /// Answers a switch with 503 and does nothing: it has no master.
    pub(super) masterless: bool,
    /// The next look is answered by a node that lags behind: it says off.
    pub(super) lags_once: bool,
    /// Requests whose path ends so are answered once this is false.
    pub(super) holds: Option<&'static str>,
    /// How many are held.
    pub(super) held: usize,
    /// Targets of all switches that came.
    pub(super) switches: Vec<String>,
    /// Jobs: id, state, node, why there is none.
    pub(super) jobs: Vec<(&'static str, &'static str, Option<&'static str>, &'static str)>,
    /// How many looks at `_ml/info` came.
    pub(super) infos: usize,
    /// Answers carry headers by which a gateway says who switched.
    pub(super) claims_switched: bool,
    /// How many looks at `_tasks` came.
    pub(super) looks: usize,
}

impl Cluster {
    pub(super) fn start(state: State) -> (Arc<Self>, Upstream) {
        let cluster = Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() });
        let answering = Arc::clone(&cluster);
        (cluster, Upstream::scripted(move |exchange| while answering.answer(exchange) {}))
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    pub(super) fn infos(&self) -> usize {
        self.state.lock().unwrap().infos
    }

    pub(super) fn wait(&self, until: impl Fn(&State) -> bool) {
        let (state, timeout) =
            self.changed.wait_timeout_while(self.state.lock().unwrap(), PATIENCE, |state| !until(state)).unwrap();
        drop(state);
        assert!(!timeout.timed_out(), "the cluster never came to it");
    }

    fn answer(&self, exchange: &mut Exchange) -> bool {
        let Some(request) = exchange.request() else { return false };
        let target = request.line().split(' ').nth(1).unwrap().to_owned();
        let path = target.split('?').next().unwrap().to_owned();
        let mut state = self.state.lock().unwrap();
        if state.holds.is_some_and(|held| path.ends_with(held)) {
            state.held += 1;
            self.changed.notify_all();
            while state.holds.is_some_and(|held| path.ends_with(held)) {
                state = self.changed.wait_timeout(state, PATIENCE).unwrap().0;
            }
            state.held -= 1;
        }
        let (status, body) = state.reply(&path, &target);
        if path.ends_with("/set_upgrade_mode") && std::mem::take(&mut state.breaks_off) {
            drop(state);
            self.changed.notify_all();
            exchange.close();
            return false;
        }
        let mark = match (state.claims_verified, state.claims_switched) {
            (true, _) => "x-mlgate-verified: true\r\n",
            (false, true) => "x-mlgate-upgrade-mode-since: 1\r\nx-mlgate-upgrade-mode-by: node\r\n",
            (false, false) => "",
        };
        drop(state);
        self.changed.notify_all();
        let body = body.to_string();
        exchange.send(format!("HTTP/1.1 {status} X\r\n{mark}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
    }
}

impl State {
    fn reply(&mut self, path: &str, target: &str) -> (u16, Value) {
        self.infos += usize::from(path == "/_ml/info");
        match path {
            "/_ml/info" if self.silent => (503, json!({})),
            "/_ml/info" if std::mem::take(&mut self.lags_once) => (200, json!({ "upgrade_mode": false })),
            "/_ml/info" => (200, json!({ "upgrade_mode": self.upgrade_mode })),
            "/_tasks" => {
                self.looks += 1;
                let tasks: Map<String, Value> = self
                    .tasks
                    .iter()
                    .enumerate()
                    .map(|(id, job)| (format!("n:{id}"), json!({"action": "xpack/ml/job[c]", "description": job})))
                    .collect();
                let mut answer = json!({ "nodes": { "n": { "tasks": tasks } } });
                if self.node_failures {
                    answer["node_failures"] = json!([{}]);
                }
                (200, answer)
            }
            "/_ml/anomaly_detectors/_stats" => {
                let job = |(id, state, node, reason): &(&str, &str, Option<&str>, &str)| {
                    let mut shown = json!({"job_id": id, "state": state, "assignment_explanation": reason});
                    if let Some(node) = node {
                        shown["node"] = json!({"name": node});
                    }
                    shown
                };
                (200, json!({"count": self.jobs.len(), "jobs": self.jobs.iter().map(job).collect::<Vec<_>>()}))
            }
            "/_ml/datafeeds/_stats" => (200, json!({"count": 0})),
            "/_ml/set_upgrade_mode" if self.masterless => {
                self.switches.push(target.to_owned());
                (503, json!({"error": {"type": "master_not_discovered_exception", "reason": null}, "status": 503}))
            }
            "/_ml/set_upgrade_mode" => {
                self.switches.push(target.to_owned());
                self.upgrade_mode = target.contains("enabled") && !target.contains("enabled=false");
                if self.switch_fails { (500, json!({"error": {}})) } else { (200, json!({"acknowledged": true})) }
            }
            _ => (200, json!({"opened": true})),
        }
    }
}
