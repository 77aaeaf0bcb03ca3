//! Jobs and datafeeds as their `_stats` show them: state, node, and why there is none.
//!
//! Source: elasticsearch, `GetJobsStatsAction.java`, `GetDatafeedsStatsAction.java`, `MlTasks.java` (`AWAITING_UPGRADE`).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::proof::{NAMED_MAX, Unverified};

pub const JOBS: &str = "/_ml/anomaly_detectors/_stats?filter_path=count,jobs.job_id,jobs.state,jobs.node.id,jobs.node.name,jobs.assignment_explanation";
pub const DATAFEEDS: &str = "/_ml/datafeeds/_stats?filter_path=count,datafeeds.datafeed_id,datafeeds.state,datafeeds.node.id,datafeeds.node.name,datafeeds.assignment_explanation";

/// What `assignment_explanation` says of everything that upgrade mode has paused.
const AWAITING_UPGRADE: &str = "persistent task cannot be assigned while upgrade mode is enabled.";

/// One job or datafeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    pub kind: Kind,
    pub id: String,
    pub state: String,
    /// Name of the node where it runs.
    pub node: Option<String>,
    /// Why it has no node.
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Job,
    Datafeed,
}

impl Kind {
    /// What to ask for.
    pub const fn request(self) -> &'static str {
        match self {
            Self::Job => JOBS,
            Self::Datafeed => DATAFEEDS,
        }
    }

    const fn members(self) -> (&'static str, &'static str) {
        match self {
            Self::Job => ("jobs", "job_id"),
            Self::Datafeed => ("datafeeds", "datafeed_id"),
        }
    }
}

impl Work {
    /// It is assigned, or to be: neither stopped nor closed nor failed.
    pub fn is_up(&self) -> bool {
        matches!(self.state.as_str(), "opened" | "opening" | "started" | "starting")
    }

    pub fn awaits_upgrade(&self) -> bool {
        self.reason.as_deref() == Some(AWAITING_UPGRADE)
    }
}

/// `job [web] is [opened] without a node: reason`
impl std::fmt::Display for Work {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Job => "job",
            Kind::Datafeed => "datafeed",
        };
        write!(formatter, "{kind} [{}] is [{}]", self.id, self.state)?;
        match (&self.node, &self.reason) {
            (Some(node), _) => write!(formatter, " on node [{node}]"),
            (None, Some(reason)) => write!(formatter, " without a node: {reason}"),
            (None, None) => write!(formatter, " without a node"),
        }
    }
}

/// All jobs, or all datafeeds, of an answer to [`Kind::request`].
///
/// # Errors
/// An answer that does not show all of them.
pub fn read(kind: Kind, status: StatusCode, body: &[u8]) -> Result<Vec<Work>, Unverified> {
    let no_proof = |why: String| Unverified::NoProof { request: kind.request(), why };
    if status != StatusCode::OK {
        return Err(no_proof(format!("status [{}]", status.as_u16())));
    }
    let answer: Value = serde_json::from_slice(body).map_err(|_| no_proof("not JSON".to_owned()))?;
    let (list, id) = kind.members();
    let shown = answer.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let count = answer.get("count").and_then(Value::as_u64);
    if count != u64::try_from(shown.len()).ok() {
        return Err(no_proof(format!("[count] and [{list}] do not agree")));
    }
    let read = shown.iter().map(|one| one_of(kind, id, one)).collect::<Option<_>>();
    read.ok_or_else(|| no_proof(format!("one of [{list}] without id or state")))
}

fn one_of(kind: Kind, id: &str, shown: &Value) -> Option<Work> {
    let text = |member: &str| shown.get(member).and_then(Value::as_str).map(str::to_owned);
    let node = shown.get("node").filter(|node| node.is_object());
    let named = |member: &str| node.and_then(|node| node.get(member)).and_then(Value::as_str);
    Some(Work {
        kind,
        id: text(id)?,
        state: text("state")?,
        node: node.map(|_| named("name").or_else(|| named("id")).unwrap_or("?").to_owned()),
        reason: text("assignment_explanation").filter(|reason| !reason.is_empty()),
    })
}

/// Whether these show that the mode is in effect: while it is on, nothing has a node; once it is off, nothing awaits it.
///
/// # Errors
/// What contradicts it.
pub fn agree(enabled: bool, shown: &[Work]) -> Result<(), Unverified> {
    let against = |work: &&Work| if enabled { work.node.is_some() && work.is_up() } else { work.awaits_upgrade() };
    let mut named: Vec<String> = shown.iter().filter(against).map(Work::to_string).collect();
    match named.len() {
        0 => Ok(()),
        count => {
            named.truncate(NAMED_MAX);
            Err(Unverified::NotThere { count, named })
        }
    }
}

/// Those of `before` that ran then and do not run `now` as they did, as they are now. What is gone is named as `deleted`.
pub fn not_back(before: &[Work], now: &[Work]) -> Vec<Work> {
    let lost = before.iter().filter(|work| work.is_up()).filter_map(|then| {
        let same = now.iter().find(|work| (work.kind, &work.id) == (then.kind, &then.id));
        match same {
            None => Some(Work { state: "deleted".to_owned(), node: None, reason: None, ..then.clone() }),
            Some(work) if work.is_up() && work.node.is_some() => None,
            Some(work) => Some(work.clone()),
        }
    });
    lost.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(body: &str) -> Result<Vec<Work>, Unverified> {
        read(Kind::Job, StatusCode::OK, body.as_bytes())
    }

    fn job(id: &str, state: &str, node: Option<&str>, reason: Option<&str>) -> Work {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Work { kind: Kind::Job, id: id.to_owned(), state: state.to_owned(), node: own(node), reason: own(reason) }
    }

    #[test]
    fn an_answer_that_does_not_show_all_proves_nothing() {
        assert_eq!(jobs(r#"{"count":0}"#), Ok(Vec::new()));
        for body in ["", "[]", "{}", r#"{"count":1}"#, r#"{"count":1,"jobs":[{"job_id":"a"}]}"#, r#"{"jobs":[]}"#] {
            assert!(matches!(jobs(body), Err(Unverified::NoProof { .. })), "{body}");
        }
        assert!(read(Kind::Job, StatusCode::FORBIDDEN, br#"{"count":0}"#).is_err());
    }

    #[test]
    fn state_node_and_reason_are_read() {
        let body = r#"{"count":2,"jobs":[{"job_id":"a","state":"opened","node":{"id":"x","name":"n1"},"assignment_explanation":""},
            {"job_id":"b","state":"opened","assignment_explanation":"no room"}]}"#;
        let read = jobs(body).unwrap();
        assert_eq!(read, [job("a", "opened", Some("n1"), None), job("b", "opened", None, Some("no room"))]);
        assert_eq!(read[0].to_string(), "job [a] is [opened] on node [n1]");
        assert_eq!(read[1].to_string(), "job [b] is [opened] without a node: no room");
    }

    #[test]
    fn what_contradicts_the_mode_is_named() {
        let running = [job("a", "opened", Some("n1"), None)];
        let paused = [job("a", "opened", None, Some(AWAITING_UPGRADE)), job("b", "closed", None, None)];
        assert_eq!((agree(true, &paused), agree(false, &running)), (Ok(()), Ok(())));
        assert!(matches!(agree(true, &running), Err(Unverified::NotThere { count: 1, .. })));
        assert!(matches!(agree(false, &paused), Err(Unverified::NotThere { count: 1, .. })));
    }

    #[test]
    fn only_what_ran_has_to_come_back() {
        let then = [
            job("back", "opened", None, Some(AWAITING_UPGRADE)),
            job("failed", "opened", None, Some(AWAITING_UPGRADE)),
            job("gone", "opened", None, Some(AWAITING_UPGRADE)),
            job("closed", "closed", None, None),
        ];
        let now = [
            job("back", "opened", Some("n1"), None),
            job("failed", "failed", Some("n1"), None),
            job("closed", "closed", None, None),
        ];
        let lost = not_back(&then, &now);
        assert_eq!(
            lost.iter().map(|work| (&*work.id, &*work.state)).collect::<Vec<_>>(),
            [("failed", "failed"), ("gone", "deleted")]
        );
    }
}
