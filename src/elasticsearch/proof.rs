//! What answers of `_ml/info` and `_tasks` prove about upgrade mode, for the gate and the operator commands alike.
//!
//! Source: elasticsearch, `AbstractTransportSetUpgradeModeAction.java`, `TransportListTasksAction.java`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What keeps an acknowledgement from being believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// `action description (task id)` of each, at most ten, and how many there are.
    #[error("[{count}] ML tasks are still running: {}", .named.join(", "))]
    TasksRun { count: usize, named: Vec<String> },
    /// Jobs and datafeeds that have a node although the mode is on, or still await it although it is off.
    #[error("[{count}] jobs and datafeeds are not where they should be: {}", .named.join(", "))]
    NotThere { count: usize, named: Vec<String> },
    #[error("_ml/info says upgrade_mode [{0}]")]
    ModeIs(bool),
    /// Not an answer that proves anything: a refusal, failures of nodes, an unknown shape.
    #[error("[{request}] gave no proof: {why}")]
    NoProof { request: &'static str, why: String },
}

/// How many tasks an error names.
pub(super) const NAMED_MAX: usize = 10;
/// On an acknowledgement that a gateway has verified.
pub const VERIFIED_HEADER: &str = "x-mlgate-verified";
pub const INFO: &str = "/_ml/info";
/// Tasks that write: jobs, datafeeds, data frame analytics, and job snapshot upgrades, as node tasks (`[c]`).
pub const TASKS: &str = "/_tasks?actions=xpack/ml/job*,xpack/ml/datafeed*,xpack/ml/data_frame/analytics*&detailed=true";

/// `upgrade_mode` of an answer of `_ml/info`.
///
/// # Errors
/// Anything but a good answer with the flag.
pub fn mode(status: StatusCode, body: &[u8]) -> Result<bool, Unverified> {
    #[derive(Deserialize)]
    struct Info {
        upgrade_mode: bool,
    }
    let no_proof = |why: String| Unverified::NoProof { request: INFO, why };
    if status != StatusCode::OK {
        return Err(no_proof(format!("status [{}]", status.as_u16())));
    }
    let info: Info = serde_json::from_slice(body).map_err(|_| no_proof("no [upgrade_mode]".to_owned()))?;
    Ok(info.upgrade_mode)
}

/// Whether an answer of `_tasks` proves that nothing runs.
///
/// # Errors
/// What runs, or why the answer proves nothing.
pub fn idle(status: StatusCode, body: &[u8]) -> Result<(), Unverified> {
    let mut named = running(status, body)?;
    match named.len() {
        0 => Ok(()),
        count => {
            named.truncate(NAMED_MAX);
            Err(Unverified::TasksRun { count, named })
        }
    }
}

/// `action description (task id)` of every task in a whole answer of `_tasks`.
///
/// # Errors
/// An answer that proves nothing.
pub fn running(status: StatusCode, body: &[u8]) -> Result<Vec<String>, Unverified> {
    let no_proof = |why: &str| Unverified::NoProof { request: TASKS, why: why.to_owned() };
    if status != StatusCode::OK {
        return Err(no_proof(&format!("status [{}]", status.as_u16())));
    }
    let tasks: Map<String, Value> = serde_json::from_slice(body).map_err(|_| no_proof("not JSON"))?;
    if ["node_failures", "task_failures"].iter().any(|failures| tasks.contains_key(*failures)) {
        return Err(no_proof("some nodes did not answer"));
    }
    let nodes = tasks.get("nodes").and_then(Value::as_object).ok_or_else(|| no_proof("no [nodes]"))?;
    let mut named = Vec::new();
    for node in nodes.values() {
        let tasks = node.get("tasks").and_then(Value::as_object).ok_or_else(|| no_proof("a node without [tasks]"))?;
        named.extend(tasks.iter().map(|(id, task)| name(id, task)));
    }
    Ok(named)
}

/// `xpack/ml/job[c] job-web (node:12)`
fn name(id: &str, task: &Value) -> String {
    let text = |member| task.get(member).and_then(Value::as_str).unwrap_or("?");
    format!("{} {} ({id})", text("action"), text("description"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle_at(status: u16, body: &str) -> Result<(), Unverified> {
        idle(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn only_a_whole_answer_without_tasks_proves_that_nothing_runs() {
        assert_eq!(idle_at(200, r#"{"nodes":{}}"#), Ok(()));
        assert_eq!(idle_at(200, r#"{"nodes":{"n":{"tasks":{}}}}"#), Ok(()));
        for body in [
            "",
            "[]",
            "{}",
            r#"{"nodes":[]}"#,
            r#"{"nodes":{"n":{}}}"#,
            r#"{"node_failures":[],"nodes":{}}"#,
            r#"{"task_failures":[{}],"nodes":{}}"#,
        ] {
            assert!(matches!(idle_at(200, body), Err(Unverified::NoProof { .. })), "{body}");
        }
        assert!(idle_at(403, r#"{"nodes":{}}"#).is_err());
    }

    #[test]
    fn running_tasks_are_named_and_counted() {
        let tasks: Vec<String> = (0..12)
            .map(|number| format!(r#""n:{number}":{{"action":"xpack/ml/job[c]","description":"job-{number}"}}"#))
            .collect();
        let body = format!(r#"{{"nodes":{{"n":{{"tasks":{{{}}}}}}}}}"#, tasks.join(","));
        let Err(Unverified::TasksRun { count, named }) = idle_at(200, &body) else { panic!("{body}") };
        assert_eq!(count, 12);
        assert_eq!(named.len(), NAMED_MAX);
        assert_eq!(named[0], "xpack/ml/job[c] job-0 (n:0)");
    }

    #[test]
    fn the_mode_is_a_boolean_of_a_good_answer_or_nothing() {
        assert_eq!(mode(StatusCode::OK, br#"{"upgrade_mode":true,"limits":{}}"#), Ok(true));
        for (status, body) in [(200, "{}"), (200, r#"{"upgrade_mode":"true"}"#), (401, r#"{"upgrade_mode":false}"#)] {
            assert!(mode(StatusCode::from_u16(status).unwrap(), body.as_bytes()).is_err(), "{status} {body}");
        }
    }
}
