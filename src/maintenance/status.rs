//! What the cluster says about its ML work.

use serde::Serialize;
use serde_json::{Value, json};

use super::look_deadline;
use crate::elasticsearch::client::{Client, ClientError};
use crate::elasticsearch::proof;
use crate::elasticsearch::switched::Switched;
use crate::telemetry::clock;

/// Mode, jobs, datafeeds and tasks, read one after another.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub upgrade_mode: bool,
    /// Told by a gateway while the mode is on; a cluster does not know.
    pub switched: Switched,
    pub jobs: Vec<Job>,
    pub datafeeds: Vec<Datafeed>,
    pub tasks: Tasks,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    pub id: String,
    pub state: String,
    pub node: Option<String>,
    pub assignment_explanation: Option<String>,
    /// Milliseconds since 1970 of the newest record.
    pub latest_record_timestamp: Option<i64>,
    /// Milliseconds since 1970 of the newest bucket.
    pub latest_bucket_timestamp: Option<i64>,
    /// Age of the newest record, of jobs that are open.
    pub lag_seconds: Option<i64>,
    pub running_forecasts: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Datafeed {
    pub id: String,
    pub job_id: String,
    pub state: String,
    pub node: Option<String>,
    pub assignment_explanation: Option<String>,
    /// False: it was started with an end.
    pub real_time_configured: Option<bool>,
    /// False: it is still in its look-back.
    pub real_time_running: Option<bool>,
}

/// What `_tasks` shows: what really runs, whatever states say.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tasks {
    Running(Vec<String>),
    /// Not to be seen, and why.
    Unknown(String),
}

impl Status {
    /// Reads everything.
    ///
    /// # Errors
    /// The cluster does not answer, refuses, or answers with something else. `_tasks` may be refused.
    pub async fn read(client: &Client) -> Result<Self, ClientError> {
        let (upgrade_mode, switched) = mode_and_facts(client).await?;
        // A datafeed that comes to its end closes its job: in the other order it would seem that the job was open without it.
        let datafeeds = read_datafeeds(client).await?;
        let jobs = read_jobs(client).await?;
        let tasks = read_tasks(client).await?;
        Ok(Self { upgrade_mode, switched, jobs, datafeeds, tasks })
    }

    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    pub fn datafeed(&self, id: &str) -> Option<&Datafeed> {
        self.datafeeds.iter().find(|datafeed| datafeed.id == id)
    }

    pub fn json(&self) -> Value {
        json!(self)
    }
}

impl Job {
    /// It has a task: it runs, is to run again, or has failed.
    pub fn is_up(&self) -> bool {
        self.state != "closed"
    }

    /// Open, and not where it can work.
    pub fn is_not_back(&self) -> bool {
        self.state == "opening" || (self.state == "opened" && unassigned(&self.node, &self.assignment_explanation))
    }
}

impl Datafeed {
    pub fn is_up(&self) -> bool {
        self.state != "stopped"
    }

    pub fn is_not_back(&self) -> bool {
        self.state == "starting" || (self.state == "started" && unassigned(&self.node, &self.assignment_explanation))
    }

    /// It was started to read until some time, and then to stop.
    pub fn has_end(&self) -> bool {
        self.real_time_configured == Some(false)
    }

    /// It reads the past still, or was started to read only that.
    pub fn in_look_back(&self) -> bool {
        self.is_up() && (self.real_time_configured == Some(false) || self.real_time_running == Some(false))
    }
}

/// A task that waits for a node is always explained.
const fn unassigned(node: &Option<String>, explanation: &Option<String>) -> bool {
    node.is_none() && explanation.is_some()
}

/// The cluster's flag.
///
/// # Errors
/// Anything but a good answer.
pub(super) async fn mode(client: &Client) -> Result<bool, ClientError> {
    Ok(mode_and_facts(client).await?.0)
}

async fn mode_and_facts(client: &Client) -> Result<(bool, Switched), ClientError> {
    let answer = client.ask(http::Method::GET, proof::INFO, &[], look_deadline()).await?;
    let request = format!("GET {}", proof::INFO);
    answer.json(&request)?;
    let mode = proof::mode(answer.status, &answer.body).map_err(|_| ClientError::Unreadable { request })?;
    Ok((mode, Switched::read(&answer.headers)))
}

/// The stats of all jobs.
pub(super) async fn read_jobs(client: &Client) -> Result<Vec<Job>, ClientError> {
    let stats = client.get("/_ml/anomaly_detectors/_stats", look_deadline()).await?;
    items(&stats, "jobs", "GET /_ml/anomaly_detectors/_stats", job)
}

/// The stats of all datafeeds, with the job of each.
pub(super) async fn read_datafeeds(client: &Client) -> Result<Vec<Datafeed>, ClientError> {
    let configured = client.get("/_ml/datafeeds", look_deadline()).await?;
    let job_of = |id: &str| {
        let known = configured.get("datafeeds").and_then(Value::as_array).into_iter().flatten();
        known
            .into_iter()
            .find(|known| text(known, "datafeed_id").as_deref() == Some(id))
            .and_then(|it| text(it, "job_id"))
    };
    let stats = client.get("/_ml/datafeeds/_stats", look_deadline()).await?;
    items(&stats, "datafeeds", "GET /_ml/datafeeds/_stats", |shown| {
        let id = text(shown, "datafeed_id")?;
        let real_time = |member| shown.pointer(&format!("/running_state/{member}")).and_then(Value::as_bool);
        Some(Datafeed {
            job_id: job_of(&id).unwrap_or_default(),
            id,
            state: text(shown, "state")?,
            node: node(shown),
            assignment_explanation: explanation(shown),
            real_time_configured: real_time("real_time_configured"),
            real_time_running: real_time("real_time_running"),
        })
    })
}

/// # Errors
/// No answer at all; one that proves nothing is [`Tasks::Unknown`].
pub(super) async fn read_tasks(client: &Client) -> Result<Tasks, ClientError> {
    let answer = client.ask(http::Method::GET, proof::TASKS, &[], look_deadline()).await?;
    Ok(match proof::running(answer.status, &answer.body) {
        Ok(running) => Tasks::Running(running),
        Err(against) => Tasks::Unknown(against.to_string()),
    })
}

fn items<T>(
    stats: &Value,
    member: &str,
    request: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, ClientError> {
    let all = stats.get(member).and_then(Value::as_array).map(|all| all.iter().map(read).collect());
    all.flatten().ok_or_else(|| ClientError::Unreadable { request: request.to_owned() })
}

fn job(shown: &Value) -> Option<Job> {
    let count = |member| shown.pointer(&format!("/data_counts/{member}")).and_then(Value::as_i64);
    let state = text(shown, "state")?;
    let newest = count("latest_record_timestamp").filter(|_| matches!(state.as_str(), "opened" | "opening"));
    let forecasts = |state| shown.pointer(&format!("/forecasts_stats/status/{state}")).and_then(Value::as_u64);
    Some(Job {
        id: text(shown, "job_id")?,
        state,
        node: node(shown),
        assignment_explanation: explanation(shown),
        lag_seconds: newest.map(|newest| clock::milliseconds(clock::now()).saturating_sub(newest).max(0) / 1000),
        latest_record_timestamp: count("latest_record_timestamp"),
        latest_bucket_timestamp: count("latest_bucket_timestamp"),
        running_forecasts: forecasts("scheduled").unwrap_or(0) + forecasts("started").unwrap_or(0),
    })
}

fn node(shown: &Value) -> Option<String> {
    shown.get("node").and_then(|node| text(node, "name").or_else(|| text(node, "id")))
}

fn explanation(shown: &Value) -> Option<String> {
    text(shown, "assignment_explanation").filter(|text| !text.is_empty())
}

pub(super) fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(Value::as_str).map(str::to_owned)
}
