//! Opens and starts what a plan lists, and nothing else.

use serde::Serialize;
use tokio::time::Instant;

use super::plan::PlanStatus;
use super::plan::PlannedDatafeed;
use super::status::{mode, read_datafeeds, read_jobs};
use super::stop::{Hindrance, cluster};
use super::wave::{Ended, Item, Wave};
use super::{Event, Pace, PlanFile, Progress, paused};
use crate::elasticsearch::client::{Client, ClientError};
use crate::telemetry::clock;

/// A datafeed goes on where it was, whatever its start; only one that has read nothing yet begins there.
fn range(feed: &PlannedDatafeed) -> String {
    let parameter = |name, time: Option<i64>| time.map(|time| format!("&{name}={time}")).unwrap_or_default();
    parameter("start", feed.start) + &parameter("end", feed.end)
}

/// What a resume came to.
#[derive(Clone, Debug, Serialize)]
pub struct Resumed {
    pub plan: String,
    /// The plan was done already: nothing was changed.
    pub already_done: bool,
    pub jobs: Vec<String>,
    pub datafeeds: Vec<Range>,
    /// `job [web]: why`, for what does not run.
    pub left: Vec<String>,
}

/// The time that a datafeed has not seen live.
#[derive(Clone, Debug, Serialize)]
pub struct Range {
    pub id: String,
    /// When the plan was made, RFC 3339.
    pub from: String,
    /// Now, RFC 3339.
    pub to: String,
    /// It has read all of it and follows live; `None`: the cluster does not say.
    pub caught_up: Option<bool>,
}

#[rustfmt::skip] // a table: one wave a line
const RESUME: [Wave; 2] = [
    Wave { name: "opening jobs", folder: "/_ml/anomaly_detectors/", action: "_open", parameters: "" },
    Wave { name: "starting datafeeds", folder: "/_ml/datafeeds/", action: "_start", parameters: "" },
];

/// Opens the jobs, waits until they have a node, then starts the datafeeds where they were.
///
/// # Errors
/// Nothing was changed: the cluster does not answer, it is another one than the plan's, upgrade mode is on.
pub async fn resume(
    client: &Client,
    file: PlanFile,
    pace: &Pace,
    progress: &impl Progress,
) -> Result<Resumed, Hindrance> {
    let deadline = Instant::now() + pace.timeout;
    let mut resume = Resume { client, pace, progress, file, deadline, problems: Vec::new() };
    if resume.file.plan.is_done() {
        return Ok(resume.report(true, Vec::new(), Vec::new()));
    }
    if mode(client).await? {
        return Err(Hindrance::UpgradeMode("open jobs and start datafeeds"));
    }
    resume.file.check(&cluster(client).await?)?;
    resume.file.plan.status = PlanStatus::Resuming;
    resume.file.write()?;
    resume.jobs().await?;
    resume.datafeeds().await?;
    resume.finished().await
}

struct Resume<'a, P> {
    client: &'a Client,
    pace: &'a Pace,
    progress: &'a P,
    file: PlanFile,
    deadline: Instant,
    problems: Vec<Ended>,
}

impl<P: Progress> Resume<'_, P> {
    async fn jobs(&mut self) -> Result<(), Hindrance> {
        let live = read_jobs(self.client).await?;
        // What a cluster does not have is not asked for: a damaged plan might name a pattern.
        let closed = |id: &str| live.iter().any(|job| job.id == id && !job.is_up());
        let planned = self.file.plan.jobs.iter();
        let ids = planned.filter(|job| job.is_left() && closed(&job.id));
        let ids = ids.map(|job| Item::plain(job.id.clone())).collect();
        let [open, _] = RESUME;
        self.problems = open.run(self.client, ids, self.pace, self.deadline, self.progress).await;
        self.assigned().await?;
        let live = read_jobs(self.client).await?;
        for job in &mut self.file.plan.jobs {
            job.resumed |= live.iter().any(|live| live.id == job.id && live.state == "opened");
        }
        Ok(self.file.write()?)
    }

    /// Waits until no job of the plan is on its way to a node.
    async fn assigned(&self) -> Result<(), ClientError> {
        loop {
            let live = read_jobs(self.client).await?;
            let planned = |id: &str| self.file.plan.jobs.iter().any(|job| job.id == id);
            let waiting = live.iter().filter(|job| planned(&job.id) && job.is_not_back());
            let waiting: Vec<String> = waiting.map(|job| format!("job [{}]: {}", job.id, job.state)).collect();
            if waiting.is_empty() {
                return Ok(());
            }
            self.progress.tell(Event::Running { tasks: &waiting, seconds: 0 });
            if !paused(self.pace, self.deadline).await {
                return Ok(());
            }
        }
    }

    async fn datafeeds(&mut self) -> Result<(), Hindrance> {
        let live = read_datafeeds(self.client).await?;
        let stopped = |id: &str| live.iter().any(|feed| feed.id == id && !feed.is_up());
        let planned = self.file.plan.datafeeds.iter().filter(|feed| feed.is_left() && stopped(&feed.id));
        let mut items = Vec::new();
        for feed in planned {
            let problem = if feed.real_time == Some(false) && feed.end.is_none() {
                "was started with an end, which whoever stopped it could not see (it needs [monitor]); write it into the plan, or start it yourself with that end"
            } else if self.is_open(&feed.job_id) {
                items.push(Item { id: feed.id.clone(), parameters: range(feed) });
                continue;
            } else {
                "its job is not open"
            };
            self.problems.push(Ended { id: feed.id.clone(), problem: Some(problem.to_owned()) });
        }
        let [_, start] = RESUME;
        let ended = start.run(self.client, items, self.pace, self.deadline, self.progress).await;
        let live = read_datafeeds(self.client).await?;
        for feed in &mut self.file.plan.datafeeds {
            // One that has an end may have come to it already.
            let begun = feed.end.is_some() && ended.iter().any(|it| it.id == feed.id && it.problem.is_none());
            feed.resumed |= begun || live.iter().any(|live| live.id == feed.id && live.is_up());
        }
        self.problems.extend(ended);
        Ok(self.file.write()?)
    }

    /// Jobs that the plan does not list may have been open all the time.
    fn is_open(&self, job_id: &str) -> bool {
        self.file.plan.jobs.iter().find(|job| job.id == job_id).is_none_or(|job| job.resumed)
    }

    async fn finished(mut self) -> Result<Resumed, Hindrance> {
        let plan = &self.file.plan;
        let why = |id: &String| {
            let problem = self.problems.iter().find(|ended| ended.id == *id).and_then(|ended| ended.problem.clone());
            problem.unwrap_or_else(|| "does not run, or does not exist any more".to_owned())
        };
        let jobs = plan.jobs.iter().filter(|job| job.is_left());
        let mut left: Vec<String> = jobs.map(|job| format!("job [{}]: {}", job.id, why(&job.id))).collect();
        let feeds = plan.datafeeds.iter().filter(|feed| feed.is_left());
        left.extend(feeds.map(|feed| format!("datafeed [{}]: {}", feed.id, why(&feed.id))));
        let now = clock::rfc3339(clock::now());
        if left.is_empty() {
            self.file.plan.status = PlanStatus::Done;
            self.file.plan.done = Some(now.clone());
            self.file.write()?;
        }
        let live = read_datafeeds(self.client).await?;
        let ranges = self.file.plan.datafeeds.iter().filter(|feed| feed.resumed).map(|feed| Range {
            id: feed.id.clone(),
            from: self.file.plan.created.clone(),
            to: now.clone(),
            caught_up: live.iter().find(|live| live.id == feed.id).and_then(|live| live.real_time_running),
        });
        let ranges = ranges.collect();
        Ok(self.report(false, ranges, left))
    }

    fn report(&self, already_done: bool, datafeeds: Vec<Range>, left: Vec<String>) -> Resumed {
        let jobs = self.file.plan.jobs.iter().filter(|job| job.resumed).map(|job| job.id.clone()).collect();
        Resumed { plan: self.file.path.display().to_string(), already_done, jobs, datafeeds, left }
    }
}
