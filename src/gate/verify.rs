//! Whether an acknowledgement is true: what the cluster's `_ml/info` and `_tasks` say.
//!
//! A bare cluster answers a request that changes nothing at once, even while tasks of an earlier one still write.
//!
//! Source: elasticsearch, `AbstractTransportSetUpgradeModeAction.java`, `TransportListTasksAction.java`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};

use super::fence::Gate;
use crate::upstream::UpstreamError;

/// What keeps an acknowledgement from being believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// `action description (task id)` of each, at most ten, and how many there are.
    #[error("[{count}] ML tasks are still running: {}", .named.join(", "))]
    TasksRun { count: usize, named: Vec<String> },
    #[error("_ml/info says upgrade_mode [{0}]")]
    ModeIs(bool),
    /// Not an answer that proves anything: a refusal, failures of nodes, an unknown shape.
    #[error("[{request}] gave no proof: {why}")]
    NoProof { request: &'static str, why: String },
}

/// How many tasks an error names.
const NAMED_MAX: usize = 10;
const INFO: &str = "/_ml/info";
/// Tasks that write: jobs, datafeeds, data frame analytics, and job snapshot upgrades, as node tasks (`[c]`).
const TASKS: &str = "/_tasks?actions=xpack/ml/job*,xpack/ml/datafeed*,xpack/ml/data_frame/analytics*&detailed=true";
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A look that begins may take this long, also when the caller's time is over.
const LOOK_MAX: Duration = Duration::from_secs(10);

impl Gate {
    /// Looks until the cluster proves that the switch is complete, at most until `deadline`, but at least once.
    ///
    /// # Errors
    /// The last thing that stood against it.
    pub(super) async fn verify(&self, enabled: bool, caller: &HeaderMap, deadline: Instant) -> Result<(), Unverified> {
        let mut pause = PAUSE_FIRST;
        loop {
            let Err(against) = self.proved(enabled, caller).await else { return Ok(()) };
            let next = Instant::now() + pause;
            if next >= deadline {
                return Err(against);
            }
            sleep_until(next).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn proved(&self, enabled: bool, caller: &HeaderMap) -> Result<(), Unverified> {
        let mode = mode(&self.ask(INFO, caller).await?)?;
        if mode != enabled {
            return Err(Unverified::ModeIs(mode));
        }
        // Tasks run again after disabling; which ones do is told by `upgrade-mode status`.
        if enabled { idle(&self.ask(TASKS, caller).await?) } else { Ok(()) }
    }

    /// Reads the cluster's flag with the gateway's own credentials.
    pub(super) async fn mode(&self) -> Result<bool, Unverified> {
        mode(&self.ask(INFO, &HeaderMap::new()).await?)
    }

    /// A GET with the gateway's credentials, or the caller's where it has none.
    async fn ask(&self, request: &'static str, caller: &HeaderMap) -> Result<Response<Bytes>, Unverified> {
        let mut get = Request::new(Bytes::new());
        *get.uri_mut() = Uri::from_static(request);
        let control = self.control();
        match &control.credentials {
            Some(own) => own.authorize(get.headers_mut()),
            None => copy_credentials(caller, get.headers_mut()),
        }
        let deadline = Instant::now() + LOOK_MAX;
        let answer = control.client.request(get, deadline.into_std()).await;
        answer.map_err(|failure| Unverified::NoProof { request, why: told(&failure) })
    }
}

fn copy_credentials(from: &HeaderMap, to: &mut HeaderMap) {
    for name in ["authorization", "es-client-authentication", "es-security-runas-user"] {
        if let Some(value) = from.get(name) {
            to.insert(name, value.clone());
        }
    }
    to.insert(header::ACCEPT, http::HeaderValue::from_static("application/json"));
}

fn told(failure: &UpstreamError) -> String {
    failure.to_string()
}

/// `upgrade_mode` of an answer of `_ml/info`.
fn mode(answer: &Response<Bytes>) -> Result<bool, Unverified> {
    #[derive(Deserialize)]
    struct Info {
        upgrade_mode: bool,
    }
    let no_proof = |why: String| Unverified::NoProof { request: INFO, why };
    if answer.status() != StatusCode::OK {
        return Err(no_proof(format!("status [{}]", answer.status().as_u16())));
    }
    let info: Info = serde_json::from_slice(answer.body()).map_err(|_| no_proof("no [upgrade_mode]".to_owned()))?;
    Ok(info.upgrade_mode)
}

/// Whether an answer of `_tasks` proves that nothing runs.
fn idle(answer: &Response<Bytes>) -> Result<(), Unverified> {
    let no_proof = |why: &str| Unverified::NoProof { request: TASKS, why: why.to_owned() };
    if answer.status() != StatusCode::OK {
        return Err(no_proof(&format!("status [{}]", answer.status().as_u16())));
    }
    let tasks: Map<String, Value> = serde_json::from_slice(answer.body()).map_err(|_| no_proof("not JSON"))?;
    if ["node_failures", "task_failures"].iter().any(|failures| tasks.contains_key(*failures)) {
        return Err(no_proof("some nodes did not answer"));
    }
    let nodes = tasks.get("nodes").and_then(Value::as_object).ok_or_else(|| no_proof("no [nodes]"))?;
    let mut named = Vec::new();
    for node in nodes.values() {
        let tasks = node.get("tasks").and_then(Value::as_object).ok_or_else(|| no_proof("a node without [tasks]"))?;
        named.extend(tasks.iter().map(|(id, task)| name(id, task)));
    }
    match named.len() {
        0 => Ok(()),
        count => {
            named.truncate(NAMED_MAX);
            Err(Unverified::TasksRun { count, named })
        }
    }
}

/// `xpack/ml/job[c] job-web (node:12)`
fn name(id: &str, task: &Value) -> String {
    let text = |member| task.get(member).and_then(Value::as_str).unwrap_or("?");
    format!("{} {} ({id})", text("action"), text("description"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    #[test]
    fn only_a_whole_answer_without_tasks_proves_that_nothing_runs() {
        assert_eq!(idle(&answer(200, r#"{"nodes":{}}"#)), Ok(()));
        assert_eq!(idle(&answer(200, r#"{"nodes":{"n":{"tasks":{}}}}"#)), Ok(()));
        for body in [
            "",
            "[]",
            "{}",
            r#"{"nodes":[]}"#,
            r#"{"nodes":{"n":{}}}"#,
            r#"{"node_failures":[],"nodes":{}}"#,
            r#"{"task_failures":[{}],"nodes":{}}"#,
        ] {
            assert!(matches!(idle(&answer(200, body)), Err(Unverified::NoProof { .. })), "{body}");
        }
        assert!(idle(&answer(403, r#"{"nodes":{}}"#)).is_err());
    }

    #[test]
    fn running_tasks_are_named_and_counted() {
        let tasks: Vec<String> = (0..12)
            .map(|number| format!(r#""n:{number}":{{"action":"xpack/ml/job[c]","description":"job-{number}"}}"#))
            .collect();
        let body = format!(r#"{{"nodes":{{"n":{{"tasks":{{{}}}}}}}}}"#, tasks.join(","));
        let Err(Unverified::TasksRun { count, named }) = idle(&answer(200, &body)) else { panic!("{body}") };
        assert_eq!(count, 12);
        assert_eq!(named.len(), NAMED_MAX);
        assert_eq!(named[0], "xpack/ml/job[c] job-0 (n:0)");
    }

    #[test]
    fn the_mode_is_a_boolean_of_a_good_answer_or_nothing() {
        assert_eq!(mode(&answer(200, r#"{"upgrade_mode":true,"limits":{}}"#)), Ok(true));
        for (status, body) in [(200, "{}"), (200, r#"{"upgrade_mode":"true"}"#), (401, r#"{"upgrade_mode":false}"#)] {
            assert!(mode(&answer(status, body)).is_err(), "{status} {body}");
        }
    }
}
