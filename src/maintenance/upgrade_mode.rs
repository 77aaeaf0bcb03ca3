//! Upgrade mode, switched and proved.

use http::Method;
use serde::Serialize;
use tokio::time::Instant;

use super::status::{Datafeed, Job, Tasks, mode, read_datafeeds, read_jobs, read_tasks};
use super::{Event, Pace, Progress, Status, milliseconds_until, paused};
use crate::elasticsearch::client::{Answer, Client, ClientError};
use crate::elasticsearch::proof::VERIFIED_HEADER;

/// A switch that is acknowledged and proved.
#[derive(Clone, Debug, Serialize)]
pub struct Switched {
    pub acknowledged: bool,
    pub upgrade_mode: bool,
    pub seconds: u64,
    /// Jobs that had failed before; upgrade mode does not mend them.
    pub failed_jobs: Vec<String>,
}

/// Why a switch is not done.
#[derive(Debug, thiserror::Error)]
pub enum SwitchProblem {
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The request was refused or lost; the flag is as it says, where that is known.
    #[error("upgrade mode is not switched{}", flag(.mode))]
    Refused {
        mode: Option<bool>,
        #[source]
        source: ClientError,
    },
    #[error("the time is over and upgrade mode is [{}], but these tasks still run: {}", on_off(*.mode), .tasks.join(", "))]
    StillRunning { mode: bool, tasks: Vec<String> },
    #[error("acknowledged, but not proved: {0}")]
    NotProved(String),
    #[error("the time is over and upgrade mode is still [{}]", on_off(*.0))]
    ModeIs(bool),
    #[error("upgrade mode is off, but these are not back: {}", lines(.0).join("; "))]
    NotBack(Vec<NotBack>),
}

/// A job or datafeed that is not what it was before upgrade mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotBack {
    /// `job` or `datafeed`.
    pub kind: &'static str,
    pub id: String,
    pub state: String,
    pub node: Option<String>,
    pub reason: String,
}

impl NotBack {
    fn job(job: &Job) -> Self {
        let reason = why(job.assignment_explanation.as_ref(), job.is_not_back());
        Self { kind: "job", id: job.id.clone(), state: job.state.clone(), node: job.node.clone(), reason }
    }

    fn datafeed(feed: &Datafeed) -> Self {
        let reason = why(feed.assignment_explanation.as_ref(), feed.is_not_back());
        Self { kind: "datafeed", id: feed.id.clone(), state: feed.state.clone(), node: feed.node.clone(), reason }
    }

    fn gone(kind: &'static str, id: &str) -> Self {
        let reason = "does not exist any more".to_owned();
        Self { kind, id: id.to_owned(), state: "deleted".to_owned(), node: None, reason }
    }

    fn is_on_its_way(&self) -> bool {
        matches!(self.state.as_str(), "opened" | "opening" | "started" | "starting")
    }
}

fn why(explanation: Option<&String>, waits: bool) -> String {
    let own = if waits { "not assigned to a node yet" } else { "does not run any more" };
    explanation.map_or_else(|| own.to_owned(), Clone::clone)
}

/// `job [web]: opened, why`
fn lines(left: &[NotBack]) -> Vec<String> {
    left.iter().map(|it| format!("{} [{}]: {}, {}", it.kind, it.id, it.state, it.reason)).collect()
}

fn flag(mode: &Option<bool>) -> String {
    mode.map(|mode| format!(" (the cluster says [{}])", on_off(mode))).unwrap_or_default()
}

/// As people write the mode.
pub const fn on_off(mode: bool) -> &'static str {
    if mode { "on" } else { "off" }
}

/// Switches the mode, tells what still runs while it waits, and proves that it is done.
///
/// The same request is sent again when the connection breaks: a cluster answers a switch that changes nothing at once.
///
/// # Errors
/// It could not be done or proved within `pace.timeout`; what is left.
pub async fn switch(
    client: &Client,
    enabled: bool,
    reason: Option<&str>,
    pace: &Pace,
    progress: &impl Progress,
) -> Result<Switched, SwitchProblem> {
    let begun = Instant::now();
    let before = Status::read(client).await?;
    if enabled && !before.upgrade_mode {
        tell_cost(&before, progress);
    }
    let switch = Switch { client, enabled, reason, pace, progress, begun, deadline: begun + pace.timeout };
    let answer = switch.acknowledged().await?;
    if enabled {
        switch.idle(&answer).await?
    } else {
        switch.back(&before).await?
    }
    let failed_jobs = before.jobs.iter().filter(|job| job.state == "failed").map(|job| job.id.clone()).collect();
    Ok(Switched { acknowledged: true, upgrade_mode: enabled, seconds: begun.elapsed().as_secs(), failed_jobs })
}

/// What the mode will cost, before it is switched on.
fn tell_cost(status: &Status, progress: &impl Progress) {
    let note = |line: String| progress.tell(Event::Note(&line));
    let open = status.jobs.iter().filter(|job| job.is_up()).count();
    let started = status.datafeeds.iter().filter(|datafeed| datafeed.is_up()).count();
    note(format!("[{open}] jobs and [{started}] datafeeds will pause until upgrade mode is off again"));
    for job in &status.jobs {
        if job.state == "failed" {
            note(format!("job [{}] has failed already and will not come back by itself", job.id));
        }
        if job.running_forecasts > 0 {
            note(format!("[{}] running forecasts of job [{}] will be lost", job.running_forecasts, job.id));
        }
    }
    for datafeed in status.datafeeds.iter().filter(|datafeed| datafeed.in_look_back()) {
        note(format!("datafeed [{}] is in its look-back and will go on with it afterwards", datafeed.id));
    }
}

struct Switch<'a, P> {
    client: &'a Client,
    enabled: bool,
    reason: Option<&'a str>,
    pace: &'a Pace,
    progress: &'a P,
    begun: Instant,
    deadline: Instant,
}

impl<P: Progress> Switch<'_, P> {
    /// Sends until it is acknowledged; what can only be a passing failure is tried again while there is time.
    async fn acknowledged(&self) -> Result<Answer, SwitchProblem> {
        loop {
            let failure = match self.send().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let busy = failure.status().is_some_and(|status| status.as_u16() == 429);
            if (busy || failure.may_pass()) && self.is_in_time() {
                self.progress.tell(Event::Note(&format!("{failure}; asking again")));
                if paused(self.pace, self.deadline).await {
                    continue;
                }
            }
            return Err(self.left(failure).await);
        }
    }

    fn is_in_time(&self) -> bool {
        Instant::now() < self.deadline
    }

    async fn send(&self) -> Result<Answer, ClientError> {
        let left = milliseconds_until(self.deadline);
        let target = format!("/_ml/set_upgrade_mode?enabled={}&timeout={left}", self.enabled);
        let mut headers = vec![("x-mlgate-wait", "join".to_owned())];
        headers.extend(self.reason.map(|reason| ("x-mlgate-reason", reason.to_owned())));
        // The server ends the wait by itself at the deadline; its answer is worth a little more time.
        let answer = self.client.ask(Method::POST, &target, &headers, self.deadline + super::LOOK_MAX);
        tokio::pin!(answer);
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer?,
                () = tokio::time::sleep(self.pace.poll_interval) => self.tell_running().await,
            }
        };
        let request = "POST /_ml/set_upgrade_mode".to_owned();
        let body = answer.json(&request)?;
        if body.get("acknowledged") == Some(&serde_json::Value::Bool(true)) {
            Ok(answer)
        } else {
            Err(ClientError::Unreadable { request })
        }
    }

    async fn tell_running(&self) {
        if let Ok(Tasks::Running(tasks)) = read_tasks(self.client).await {
            self.progress.tell(Event::Running { tasks: &tasks, seconds: self.begun.elapsed().as_secs() });
        }
    }

    /// What a refusal left behind: the flag is not rolled back by a cluster.
    async fn left(&self, source: ClientError) -> SwitchProblem {
        let mode = mode(self.client).await.ok();
        if self.enabled
            && let (Some(mode @ true), Ok(Tasks::Running(tasks))) = (mode, read_tasks(self.client).await)
            && !tasks.is_empty()
        {
            self.progress.tell(Event::Note(&source.to_string()));
            return SwitchProblem::StillRunning { mode, tasks };
        }
        SwitchProblem::Refused { mode, source }
    }

    /// Waits until the flag is on and no task runs. A gateway has looked at the tasks itself.
    async fn idle(&self, answer: &Answer) -> Result<(), SwitchProblem> {
        let by_gateway = answer.headers.contains_key(VERIFIED_HEADER);
        loop {
            let against = match mode(self.client).await {
                Err(failure) if failure.may_pass() => SwitchProblem::Client(failure),
                Err(failure) => return Err(failure.into()),
                Ok(false) => SwitchProblem::ModeIs(false),
                Ok(true) => match read_tasks(self.client).await {
                    Ok(Tasks::Running(tasks)) if tasks.is_empty() => return Ok(()),
                    Ok(Tasks::Unknown(_)) if by_gateway => return Ok(()),
                    Ok(Tasks::Running(tasks)) => {
                        self.progress.tell(Event::Running { tasks: &tasks, seconds: self.begun.elapsed().as_secs() });
                        SwitchProblem::StillRunning { mode: true, tasks }
                    }
                    Ok(Tasks::Unknown(why)) => SwitchProblem::NotProved(why),
                    Err(failure) => SwitchProblem::Client(failure),
                },
            };
            if !paused(self.pace, self.deadline).await {
                return Err(against);
            }
        }
    }

    /// Waits until the flag is off and everything that was up is where it can work.
    async fn back(&self, before: &Status) -> Result<(), SwitchProblem> {
        loop {
            let against = if mode(self.client).await? {
                SwitchProblem::ModeIs(true)
            } else {
                let jobs = read_jobs(self.client).await?;
                let datafeeds = read_datafeeds(self.client).await?;
                let left = not_back(before, &jobs, &datafeeds);
                // What has ended does not come back by itself, however long it is waited for.
                if !left.iter().any(NotBack::is_on_its_way) {
                    return if left.is_empty() { Ok(()) } else { Err(SwitchProblem::NotBack(left)) };
                }
                self.progress.tell(Event::Running { tasks: &lines(&left), seconds: self.begun.elapsed().as_secs() });
                SwitchProblem::NotBack(left)
            };
            if !paused(self.pace, self.deadline).await {
                return Err(against);
            }
        }
    }
}

/// What is not what it was: waits for a node, has ended, failed on the way, is gone. A datafeed that had an end may have
/// come to it, and its job with it.
fn not_back(before: &Status, jobs: &[Job], datafeeds: &[Datafeed]) -> Vec<NotBack> {
    let mut left = Vec::new();
    for was in before.jobs.iter().filter(|was| was.is_up() && was.state != "failed") {
        let ends = before.datafeeds.iter().any(|feed| feed.job_id == was.id && feed.has_end());
        match jobs.iter().find(|job| job.id == was.id) {
            Some(job) if job.state == "closed" && ends => {}
            Some(job) if job.is_up() && job.state != "failed" && !job.is_not_back() => {}
            Some(job) => left.push(NotBack::job(job)),
            None => left.push(NotBack::gone("job", &was.id)),
        }
    }
    for was in before.datafeeds.iter().filter(|was| was.is_up()) {
        match datafeeds.iter().find(|feed| feed.id == was.id) {
            Some(feed) if !feed.is_up() && was.has_end() => {}
            Some(feed) if feed.is_up() && !feed.is_not_back() => {}
            Some(feed) => left.push(NotBack::datafeed(feed)),
            None => left.push(NotBack::gone("datafeed", &was.id)),
        }
    }
    left
}
