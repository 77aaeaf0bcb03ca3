//! The operator commands, through the binary, against a scripted cluster and against the embedded node.

mod interrupted;
mod ml;
mod node;
mod terminal;
mod two_hundred;
mod upgrade_mode;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::{Run, mlgate};
use crate::harness::{Exchange, PATIENCE, Upstream};

#[derive(Clone, Copy, PartialEq)]
enum Carried {
    Out,
    Not,
}

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
    /// The jobs have closed by themselves when they have been looked at so often.
    looks_until_closed: Option<usize>,
    /// The next request whose path ends so is carried out and not answered.
    dropped: Option<&'static str>,
    /// The next request whose path ends so is answered with this status and changes nothing, as while there is no master.
    failing: Vec<(&'static str, u16)>,
    /// Requests whose path ends so wait until this is another.
    held: Option<&'static str>,
    /// Requests whose path ends so take all the time they are given, and are not done then.
    slow: Option<&'static str>,
    /// The request with this number is not answered until this is `None`: it is carried out, or not even that.
    halt: Option<(usize, Carried)>,
    halted: bool,
    requests: usize,
    /// Datafeeds with an end, and whether the cluster state tells it.
    ends: BTreeMap<&'static str, Option<i64>>,
    /// A switch sets the flag and is answered with 500.
    switch_times_out: bool,
    verified_header: bool,
    /// What open jobs say of their assignment.
    unassigned: bool,
    /// Every POST: the target.
    posts: Vec<String>,
    reasons: Vec<String>,
    credentials: Vec<String>,
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

    /// Whether the halt comes; false when `ended` says that it will not.
    fn halts_before(&self, mut ended: impl FnMut() -> bool) -> bool {
        let mut state = self.state.lock().unwrap();
        let begun = Instant::now();
        while !state.halted {
            assert!(begun.elapsed() < PATIENCE, "neither halted nor ended");
            if ended() {
                return state.halted;
            }
            state = self.changed.wait_timeout(state, Duration::from_millis(2)).unwrap().0;
        }
        true
    }

    fn answer(&self, exchange: &mut Exchange) -> bool {
        let Some(request) = exchange.request() else { return false };
        let (method, target) = request.line().split_once(' ').unwrap();
        let target = target.split(' ').next().unwrap().to_owned();
        let path = target.split('?').next().unwrap().to_owned();
        let mut state = self.state.lock().unwrap();
        state.credentials.extend(request.value("authorization").map(str::to_owned));
        if method == "POST" {
            state.posts.push(target.clone());
            state.reasons.extend(request.value("x-mlgate-reason").map(str::to_owned));
            self.changed.notify_all();
        }
        // A gateway's own requests carry credentials, a command's none.
        let number = state.requests;
        if request.value("authorization").is_none() {
            state.requests += 1;
        }
        let halts =
            |state: &State, carried| request.value("authorization").is_none() && state.halt == Some((number, carried));
        if halts(&state, Carried::Not) {
            drop(self.halt(state));
            return false;
        }
        while state.held.is_some_and(|held| path.ends_with(held)) {
            state = self.changed.wait_timeout(state, PATIENCE).unwrap().0;
        }
        if state.slow.is_some_and(|slow| path.ends_with(slow)) {
            // As long as the request says; the test may end it before.
            let given = Duration::from_millis(timeout_ms(&target));
            state = self.changed.wait_timeout_while(state, given, |state| state.slow.is_some()).unwrap().0;
        }
        let (status, body) = state.reply(&path, &target);
        if halts(&state, Carried::Out) {
            drop(self.halt(state));
            return false;
        }
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

    fn halt<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.halted = true;
        self.changed.notify_all();
        self.changed.wait_timeout_while(state, PATIENCE, |state| state.halt.is_some()).unwrap().0
    }
}

fn timeout_ms(target: &str) -> u64 {
    let given = target.split(['?', '&']).find_map(|parameter| parameter.strip_prefix("timeout="));
    given.unwrap().strip_suffix("ms").unwrap().parse().unwrap()
}

impl State {
    fn reply(&mut self, path: &str, target: &str) -> (u16, Value) {
        if let Some((_, status)) = self.refused.iter().find(|(end, _)| path.ends_with(**end)) {
            return (*status, json!({"error": {"type": "x", "reason": "refused by the test"}, "status": status}));
        }
        if let Some(index) = self.failing.iter().position(|(end, _)| path.ends_with(end)) {
            let status = self.failing.remove(index).1;
            return (
                status,
                json!({"error": {"type": "master_not_discovered_exception", "reason": null}, "status": status}),
            );
        }
        if self.slow.is_some_and(|slow| path.ends_with(slow)) {
            let reason = "Timed out when waiting for persistent tasks";
            return (500, json!({"error": {"type": "illegal_state_exception", "reason": reason}, "status": 500}));
        }
        match path {
            "/_cluster/state/metadata" => (200, self.persistent_tasks()),
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

    fn job_stats(&mut self) -> Value {
        if let Some(looks) = &mut self.looks_until_closed {
            match looks.checked_sub(1) {
                Some(left) => *looks = left,
                None => self.jobs.values_mut().for_each(|state| *state = "closed"),
            }
        }
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
        let all = self.datafeeds.iter().map(|(id, (_, state))| {
            let running = json!({"real_time_configured": !self.ends.contains_key(id), "real_time_running": true});
            json!({"datafeed_id": id, "state": state, "running_state": running})
        });
        json!({"datafeeds": all.collect::<Vec<_>>()})
    }

    fn persistent_tasks(&self) -> Value {
        let started = self.datafeeds.iter().filter(|(_, (_, state))| *state == "started");
        let tasks = started.filter_map(|(id, _)| {
            let end = (*self.ends.get(id)?)?;
            let params = json!({"datafeed_id": id, "start": "0", "end": end.to_string()});
            Some(json!({"id": format!("datafeed-{id}"), "task": {"xpack/ml/datafeed": {"params": params}}}))
        });
        json!({"metadata": {"persistent_tasks": {"tasks": tasks.collect::<Vec<_>>()}}})
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
