//! The orderly stop: a plan, datafeeds stopped, jobs closed, and the proof of it.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::plan::Cluster;
use super::status::{Job, mode, read_datafeeds, read_jobs, text};
use super::wave::{Ended, Item, Wave};
use super::{Event, Pace, Plan, PlanFile, PlanProblem, Progress, Status, look_deadline, ranges};
use crate::elasticsearch::client::{Client, ClientError};
use crate::telemetry::clock;

/// What keeps a stop or resume from beginning.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Plan(#[from] PlanProblem),
    #[error(
        "upgrade mode is on, in which Elasticsearch refuses to {0}; nothing was changed. Switch it off first [mlgate upgrade-mode disable], then run this again"
    )]
    UpgradeMode(&'static str),
}

/// What a stop came to.
#[derive(Clone, Debug, Serialize)]
pub struct Stopped {
    pub plan: String,
    pub jobs: Vec<JobProof>,
    /// `job [web]: why`, for what still runs.
    pub left: Vec<String>,
}

/// The promises of an orderly stop, as the cluster shows them.
#[derive(Clone, Debug, Serialize)]
pub struct JobProof {
    pub id: String,
    /// `None`: it has none.
    pub datafeed_stopped: Option<bool>,
    /// Closed in order, and its newest snapshot reaches to the last record that it had been given. `None`: closed in
    /// order, but the snapshots cannot be read.
    pub flushed: Option<bool>,
    /// Milliseconds since 1970.
    pub final_bucket: Option<i64>,
    pub snapshot_id: Option<String>,
    /// Milliseconds since 1970.
    pub snapshot_at: Option<i64>,
    pub closed: bool,
    pub forced: bool,
}

#[rustfmt::skip] // a table: one wave a line
const STOP: [Wave; 4] = [
    Wave { name: "stopping datafeeds", folder: "/_ml/datafeeds/", action: "_stop", parameters: "&allow_no_match=true" },
    Wave { name: "closing jobs", folder: "/_ml/anomaly_detectors/", action: "_close", parameters: "&allow_no_match=true" },
    Wave { name: "stopping datafeeds by force", folder: "/_ml/datafeeds/", action: "_stop", parameters: "&force=true" },
    Wave { name: "closing jobs by force", folder: "/_ml/anomaly_detectors/", action: "_close", parameters: "&force=true" },
];

/// Stops what runs, in order; what is left is told.
///
/// With `force`, what does not end in order within half of the time is ended by force, once `progress` confirms it.
///
/// # Errors
/// Nothing was stopped: the cluster does not answer, the plan is not to be read or written, upgrade mode is on.
pub async fn stop(
    client: &Client,
    path: &Path,
    force: bool,
    pace: &Pace,
    progress: &impl Progress,
) -> Result<Stopped, Hindrance> {
    let begun = Instant::now();
    if mode(client).await? {
        return Err(Hindrance::UpgradeMode("stop datafeeds and close jobs"));
    }
    let status = Status::read(client).await?;
    let cluster = cluster(client).await?;
    let mut file = PlanFile::unfinished_or(path, Plan::new(clock::rfc3339(clock::now()), cluster.clone()))?;
    file.check(&cluster)?;
    file.plan.include(&status, &ranges::read(client).await?);
    file.plan.status = super::plan::PlanStatus::Stopping;
    file.write()?;
    progress.tell(Event::Note(&format!("plan [{}]", file.path.display())));
    let (end, orderly) = (begun + pace.timeout, if force { pace.timeout / 2 } else { pace.timeout });
    let mut stop = Stop { client, pace, progress, file, problems: Vec::new() };
    let [feeds, jobs, forced_feeds, forced_jobs] = STOP;
    stop.wave(feeds, jobs, begun + orderly).await?;
    if force && stop.confirmed().await? {
        stop.mark_forced().await?;
        stop.wave(forced_feeds, forced_jobs, end).await?;
    }
    stop.proved().await
}

/// Name and identity, as far as the caller may see them.
pub(super) async fn cluster(client: &Client) -> Result<Cluster, ClientError> {
    let url = client.url().to_owned();
    match client.get("/", look_deadline()).await {
        Ok(root) => Ok(Cluster { name: text(&root, "cluster_name"), uuid: text(&root, "cluster_uuid"), url }),
        Err(failure) if failure.may_pass() => Err(failure),
        Err(_) => Ok(Cluster { url, ..Cluster::default() }),
    }
}

struct Stop<'a, P> {
    client: &'a Client,
    pace: &'a Pace,
    progress: &'a P,
    file: PlanFile,
    problems: Vec<Ended>,
}

impl<P: Progress> Stop<'_, P> {
    /// Datafeeds, then jobs, of the plan that are still up.
    async fn wave(&mut self, feeds: Wave, jobs: Wave, deadline: Instant) -> Result<(), Hindrance> {
        let up = self.datafeeds_up().await?;
        self.file.plan.ask_datafeeds(&up);
        self.file.write()?;
        let up = up.into_iter().map(Item::plain).collect();
        self.problems = feeds.run(self.client, up, self.pace, deadline, self.progress).await;
        let up = self.jobs_up().await?;
        self.file.plan.ask_jobs(&up);
        self.file.write()?;
        let up = up.into_iter().map(Item::plain).collect();
        let ended = jobs.run(self.client, up, self.pace, deadline, self.progress).await;
        self.problems.extend(ended);
        Ok(())
    }

    async fn datafeeds_up(&self) -> Result<Vec<String>, ClientError> {
        let live = read_datafeeds(self.client).await?;
        let up = |id: &str| live.iter().any(|live| live.id == id && live.is_up());
        Ok(self.file.plan.datafeeds.iter().filter(|it| up(&it.id)).map(|it| it.id.clone()).collect())
    }

    async fn jobs_up(&self) -> Result<Vec<String>, ClientError> {
        Ok(self.up_among(&read_jobs(self.client).await?))
    }

    fn up_among(&self, live: &[Job]) -> Vec<String> {
        let up = |id: &str| live.iter().any(|live| live.id == id && live.is_up());
        self.file.plan.jobs.iter().filter(|it| up(&it.id)).map(|it| it.id.clone()).collect()
    }

    /// Whether there is anything to force, and the operator wants it.
    async fn confirmed(&self) -> Result<bool, ClientError> {
        let (feeds, jobs) = (self.datafeeds_up().await?, self.jobs_up().await?);
        if feeds.is_empty() && jobs.is_empty() {
            return Ok(false);
        }
        let question = format!(
            "did not end in order: datafeeds [{}], jobs [{}]. End them by force? What they have not written is lost",
            feeds.join(", "),
            jobs.join(", ")
        );
        Ok(self.progress.confirm(&question).await.unwrap_or(false))
    }

    /// Recorded before it is done.
    async fn mark_forced(&mut self) -> Result<(), Hindrance> {
        let (feeds, jobs) = (self.datafeeds_up().await?, self.jobs_up().await?);
        let plan = &mut self.file.plan;
        plan.datafeeds.iter_mut().filter(|it| feeds.contains(&it.id)).for_each(|it| it.forced = true);
        plan.jobs.iter_mut().filter(|it| jobs.contains(&it.id)).for_each(|it| it.forced = true);
        Ok(self.file.write()?)
    }

    async fn proved(mut self) -> Result<Stopped, Hindrance> {
        let feeds = self.datafeeds_up().await?;
        // One look tells what is left and what is closed: a job may close between two.
        let live = read_jobs(self.client).await?;
        let up = self.up_among(&live);
        let why = |id: &String| {
            let problem = self.problems.iter().find(|ended| ended.id == *id).and_then(|ended| ended.problem.clone());
            problem.unwrap_or_else(|| "still runs".to_owned())
        };
        let mut left: Vec<String> = feeds.iter().map(|id| format!("datafeed [{id}]: {}", why(id))).collect();
        left.extend(up.iter().map(|id| format!("job [{id}]: {}", why(id))));
        let mut jobs = Vec::new();
        for planned in &self.file.plan.jobs {
            let job = live.iter().find(|job| job.id == planned.id);
            let feed = self.file.plan.datafeeds.iter().find(|feed| feed.job_id == planned.id);
            let snapshot = self.snapshot(&planned.id).await;
            let closed = job.is_none_or(|job| !job.is_up());
            let given = job.and_then(|job| job.latest_record_timestamp);
            jobs.push(JobProof {
                id: planned.id.clone(),
                datafeed_stopped: feed.map(|feed| !feeds.contains(&feed.id)),
                flushed: if closed && !planned.forced { snapshot.reaches(given) } else { Some(false) },
                final_bucket: job.and_then(|job| job.latest_bucket_timestamp),
                snapshot_id: snapshot.id,
                snapshot_at: snapshot.at,
                closed,
                forced: planned.forced,
            });
        }
        if left.is_empty() {
            self.file.plan.status = super::plan::PlanStatus::Stopped;
            self.file.write()?;
        }
        Ok(Stopped { plan: self.file.path.display().to_string(), jobs, left })
    }

    /// The newest snapshot of a job. What cannot be read is shown as missing: the job is closed all the same.
    async fn snapshot(&self, id: &str) -> Snapshot {
        let target = format!("/_ml/anomaly_detectors/{id}/model_snapshots?size=1&sort=timestamp&desc=true");
        match self.client.get(&target, look_deadline()).await {
            Ok(found) => {
                let newest = found.pointer("/model_snapshots/0");
                let time = |member| newest.and_then(|it| it.get(member)).and_then(Value::as_i64);
                let id = newest.and_then(|it| text(it, "snapshot_id"));
                Snapshot { read: true, id, at: time("timestamp"), latest_record: time("latest_record_time_stamp") }
            }
            Err(_) => Snapshot::default(),
        }
    }
}

/// The newest snapshot of a job. Times are milliseconds since 1970.
#[derive(Default)]
struct Snapshot {
    read: bool,
    id: Option<String>,
    at: Option<i64>,
    latest_record: Option<i64>,
}

impl Snapshot {
    /// Whether it holds what the job was given until `given`. Elasticsearch's snapshots count in seconds.
    fn reaches(&self, given: Option<i64>) -> Option<bool> {
        self.read.then(|| given.is_none_or(|given| self.latest_record.is_some_and(|held| held / 1000 >= given / 1000)))
    }
}
