//! The operator commands, through the binary, against a scripted cluster and against the embedded node.

mod ml;
mod node;
mod upgrade_mode;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::cli::{Run, mlgate};
use crate::harness::{Exchange, PATIENCE, Upstream};

/// A cluster that does what the test says.
struct Cluster {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    upgrade_mode: bool,
    /// Descriptions of tasks that run.
    tasks: Vec<&'static str>,
    /// After so many looks at `_tasks` they have ended.
    looks_until_idle: Option<usize>,
    looks: usize,
    /// State by id.
    jobs: BTreeMap<&'static str, &'static str>,
    /// Job and state by id.
    datafeeds: BTreeMap<&'static str, (&'static str, &'static str)>,
    /// Requests whose path ends so are answered with this status and change nothing.
    refused: BTreeMap<&'static str, u16>,
    /// The next request whose path ends so is carried out and not answered.
    dropped: Option<&'static str>,
    /// Requests whose path ends so wait until this is another.
    held: Option<&'static str>,
    /// A switch sets the flag and is answered with 500.
    switch_times_out: bool,
    verified_header: bool,
    /// What open jobs say of their assignment.
    unassigned: bool,
    /// Every POST: the target.
    posts: Vec<String>,
    reasons: Vec<String>,
}

fn start(state: State) -> (Arc<Cluster>, Upstream) {
    let cluster = Arc::new(Cluster { state: Mutex::new(state), changed: Condvar::new() });
    let answering = Arc::clone(&cluster);
    (cluster, Upstream::scripted(move |exchange| while answering.answer(exchange) {}))
}

fn two_jobs() -> State {
    State {
        jobs: BTreeMap::from([("db", "opened"), ("idle", "closed"), ("web", "opened")]),
        datafeeds: BTreeMap::from([("web-feed", ("web", "started")), ("idle-feed", ("idle", "stopped"))]),
        ..State::default()
    }
}

/// Runs a command with short looks.
fn run(upstream: &Upstream, folder: &Path, arguments: &[&str]) -> Run {
    let url = format!("http://{}", upstream.address);
    let all = [arguments, &["--url", &url, "--poll-interval", "5ms"]].concat();
    mlgate(folder, &all, "")
}

impl Cluster {
    fn set<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        changed
    }

    fn wait(&self, until: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let (state, late) = self.changed.wait_timeout_while(state, PATIENCE, |state| !until(state)).unwrap();
        drop(state);
        assert!(!late.timed_out(), "the cluster never came to it");
    }

    fn answer(&self, exchange: &mut Exchange) -> bool {
        let Some(request) = exchange.request() else { return false };
        let (method, target) = request.line().split_once(' ').unwrap();
        let target = target.split(' ').next().unwrap().to_owned();
        let path = target.split('?').next().unwrap().to_owned();
        let mut state = self.state.lock().unwrap();
        if method == "POST" {
            state.posts.push(target.clone());
            state.reasons.extend(request.value("x-mlgate-reason").map(str::to_owned));
            self.changed.notify_all();
        }
        while state.held.is_some_and(|held| path.ends_with(held)) {
            state = self.changed.wait_timeout(state, PATIENCE).unwrap().0;
        }
        let (status, body) = state.reply(&path, &target);
        let header = if state.verified_header { "x-mlgate-verified: true\r\n" } else { "" };
        let dropped = state.dropped.take_if(|dropped| path.ends_with(*dropped)).is_some();
        drop(state);
        self.changed.notify_all();
        let body = body.to_string();
        if dropped {
            exchange.close();
            return false;
        }
        exchange.send(format!("HTTP/1.1 {status} X\r\n{header}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
    }
}

impl State {
    fn reply(&mut self, path: &str, target: &str) -> (u16, Value) {
        if let Some((_, status)) = self.refused.iter().find(|(end, _)| path.ends_with(**end)) {
            return (*status, json!({"error": {"type": "x", "reason": "refused by the test"}, "status": status}));
        }
        match path {
            "/" => (200, json!({"cluster_name": "fake", "cluster_uuid": "u"})),
            "/_ml/info" => (200, json!({"upgrade_mode": self.upgrade_mode})),
            "/_tasks" => self.show_tasks(),
            "/_ml/anomaly_detectors/_stats" => (200, self.job_stats()),
            "/_ml/datafeeds" => (200, self.configured()),
            "/_ml/datafeeds/_stats" => (200, self.datafeed_stats()),
            "/_ml/set_upgrade_mode" => {
                self.upgrade_mode = target.contains("enabled=true");
                match self.switch_times_out {
                    true => (500, json!({"error": {"type": "x", "reason": "Failed node [n]"}, "status": 500})),
                    false => (200, json!({"acknowledged": true})),
                }
            }
            _ => self.act(path),
        }
    }

    fn show_tasks(&mut self) -> (u16, Value) {
        self.looks += 1;
        if self.looks_until_idle.is_some_and(|looks| self.looks > looks) {
            self.tasks.clear();
        }
        let tasks = self.tasks.iter().enumerate();
        let tasks: serde_json::Map<String, Value> = tasks
            .map(|(id, job)| (format!("n:{id}"), json!({"action": "xpack/ml/job[c]", "description": job})))
            .collect();
        (200, json!({"nodes": {"n": {"tasks": tasks}}}))
    }

    fn job_stats(&self) -> Value {
        let jobs = self.jobs.iter().map(|(id, state)| {
            let mut job = json!({"job_id": id, "state": state, "data_counts": {"latest_bucket_timestamp": 1_767_225_600_000_i64}});
            if *state == "opened" && self.unassigned {
                job["assignment_explanation"] = json!("no node is big enough");
            } else if *state == "opened" {
                job["node"] = json!({"id": "n", "name": "node-1"});
            }
            job
        });
        json!({"jobs": jobs.collect::<Vec<_>>()})
    }

    fn configured(&self) -> Value {
        let all = self.datafeeds.iter().map(|(id, (job, _))| json!({"datafeed_id": id, "job_id": job}));
        json!({"datafeeds": all.collect::<Vec<_>>()})
    }

    fn datafeed_stats(&self) -> Value {
        let all = self.datafeeds.iter().map(|(id, (_, state))| json!({"datafeed_id": id, "state": state}));
        json!({"datafeeds": all.collect::<Vec<_>>()})
    }

    /// Opens, closes, starts, stops.
    fn act(&mut self, path: &str) -> (u16, Value) {
        let parts: Vec<&str> = path.split('/').collect();
        let job =
            |state: &mut Self, to| state.jobs.iter_mut().filter(|job| *job.0 == parts[3]).for_each(|job| *job.1 = to);
        let feed = |state: &mut Self, to| {
            state.datafeeds.iter_mut().filter(|feed| *feed.0 == parts[3]).for_each(|feed| feed.1.1 = to);
        };
        match parts[4] {
            "_close" => job(self, "closed"),
            "_open" => job(self, "opened"),
            "_stop" => feed(self, "stopped"),
            "_start" => feed(self, "started"),
            _ => return (200, json!({"model_snapshots": [{"snapshot_id": "s1", "timestamp": 1_767_225_600_000_i64}]})),
        }
        (200, json!({"opened": true, "closed": true, "started": true, "stopped": true}))
    }
}
