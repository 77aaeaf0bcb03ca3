//! The plan file of an orderly stop: what ran, and what became of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Status;
use super::ranges::Range;

const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    /// RFC 3339.
    pub created: String,
    pub cluster: Cluster,
    pub status: PlanStatus,
    /// When it was marked done.
    #[serde(default)]
    pub done: Option<String>,
    /// In the order in which `resume` opens them: whoever needs another one writes it here.
    pub jobs: Vec<PlannedJob>,
    pub datafeeds: Vec<PlannedDatafeed>,
}

/// The cluster that the plan is of, as far as the operator may see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    pub name: Option<String>,
    pub uuid: Option<String>,
    pub url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    Stopping,
    Stopped,
    Resuming,
    /// All of it runs again: the plan is finished.
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedJob {
    pub id: String,
    /// When the plan was made.
    pub state: String,
    /// Asked to end; written before it is.
    #[serde(default)]
    pub asked: bool,
    /// Came to its end by itself before it was asked to: there is nothing to resume.
    #[serde(default)]
    pub ended: bool,
    #[serde(default)]
    pub forced: bool,
    #[serde(default)]
    pub resumed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDatafeed {
    pub id: String,
    pub job_id: String,
    pub state: String,
    /// False: it was started with an end.
    #[serde(default)]
    pub real_time: Option<bool>,
    /// What it was started with, milliseconds since 1970, where the operator may see it (`monitor`).
    #[serde(default)]
    pub start: Option<i64>,
    #[serde(default)]
    pub end: Option<i64>,
    /// As of a job.
    #[serde(default)]
    pub asked: bool,
    #[serde(default)]
    pub ended: bool,
    #[serde(default)]
    pub forced: bool,
    #[serde(default)]
    pub resumed: bool,
}

impl PlannedJob {
    /// It is to run, and does not yet. A job that had failed did not run.
    pub(super) fn is_left(&self) -> bool {
        !self.resumed && !self.ended && self.state != "failed"
    }
}

impl PlannedDatafeed {
    pub(super) const fn is_left(&self) -> bool {
        !self.resumed && !self.ended
    }
}

/// Why there is no plan to go by.
#[derive(Debug, thiserror::Error)]
pub enum PlanProblem {
    #[error("there is no plan [{}]", .path.display())]
    Missing { path: PathBuf },
    #[error("the plan [{}] cannot be read", .path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the plan [{}] is damaged or no plan", .path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the plan [{}] has version [{version}], which this mlgate does not know", .path.display())]
    Version { path: PathBuf, version: u32 },
    #[error("the plan [{}] cannot be written", .path.display())]
    Unwritable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the plan [{}] is of cluster [{planned}], not of [{found}]", .path.display())]
    OtherCluster { path: PathBuf, planned: String, found: String },
}

impl Plan {
    pub fn new(created: String, cluster: Cluster) -> Self {
        Self {
            version: VERSION,
            created,
            cluster,
            status: PlanStatus::Stopping,
            done: None,
            jobs: Vec::new(),
            datafeeds: Vec::new(),
        }
    }

    /// Adds what runs and is not listed; what is listed stays. What runs again counts as not resumed.
    pub(super) fn include(&mut self, status: &Status, ranges: &BTreeMap<String, Range>) {
        for job in status.jobs.iter().filter(|job| matches!(job.state.as_str(), "opened" | "opening" | "failed")) {
            match self.jobs.iter_mut().find(|known| known.id == job.id) {
                Some(known) => (known.resumed, known.ended) = (false, false),
                None => self.jobs.push(PlannedJob {
                    id: job.id.clone(),
                    state: job.state.clone(),
                    asked: false,
                    ended: false,
                    forced: false,
                    resumed: false,
                }),
            }
        }
        for feed in status.datafeeds.iter().filter(|it| matches!(it.state.as_str(), "started" | "starting")) {
            let range = ranges.get(&feed.id).copied().unwrap_or_default();
            match self.datafeeds.iter_mut().find(|known| known.id == feed.id) {
                Some(known) => (known.resumed, known.ended) = (false, false),
                None => self.datafeeds.push(PlannedDatafeed {
                    id: feed.id.clone(),
                    job_id: feed.job_id.clone(),
                    state: feed.state.clone(),
                    real_time: feed.real_time_configured,
                    start: range.start,
                    end: range.end,
                    asked: false,
                    ended: false,
                    forced: false,
                    resumed: false,
                }),
            }
        }
    }

    /// Marks the datafeeds that are about to be asked to stop, which are `up`, and those that have ended by themselves.
    /// The job of one that had an end is not wanted any more either.
    pub(super) fn ask_datafeeds(&mut self, up: &[String]) {
        for feed in self.datafeeds.iter_mut().filter(|feed| !feed.asked) {
            feed.asked = up.contains(&feed.id);
            feed.ended = !feed.asked;
            if feed.ended && (feed.end.is_some() || feed.real_time == Some(false)) {
                self.jobs.iter_mut().filter(|job| job.id == feed.job_id).for_each(|job| job.ended = true);
            }
        }
    }

    /// The same for jobs that are about to be asked to close. What has closed one that was not asked has ended with it:
    /// its datafeed, on the way to its end when it was asked to stop.
    pub(super) fn ask_jobs(&mut self, up: &[String]) {
        for job in self.jobs.iter_mut().filter(|job| !job.asked) {
            job.asked = up.contains(&job.id);
            job.ended |= !job.asked;
            if !job.asked {
                self.datafeeds.iter_mut().filter(|feed| feed.job_id == job.id).for_each(|feed| feed.ended = true);
            }
        }
    }

    pub const fn is_done(&self) -> bool {
        matches!(self.status, PlanStatus::Done)
    }
}

/// A plan and where it lies.
#[derive(Clone, Debug)]
pub struct PlanFile {
    pub path: PathBuf,
    pub plan: Plan,
}

impl PlanFile {
    /// Reads the plan at `path`.
    ///
    /// # Errors
    /// [`PlanProblem`]
    pub fn read(path: &Path) -> Result<Self, PlanProblem> {
        let path = path.to_owned();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Err(PlanProblem::Missing { path }),
            Err(source) => return Err(PlanProblem::Unreadable { path, source }),
        };
        match serde_json::from_slice::<Plan>(&text) {
            Ok(plan) if plan.version == VERSION => Ok(Self { path, plan }),
            Ok(plan) => Err(PlanProblem::Version { path, version: plan.version }),
            Err(source) => Err(PlanProblem::Damaged { path, source }),
        }
    }

    /// The newest of `path` and the plans beside it (`plan-2.json`, `plan-3.json`, ...).
    ///
    /// # Errors
    /// [`PlanProblem`]
    pub fn newest(path: &Path) -> Result<Self, PlanProblem> {
        let mut newest = Self::read(path)?;
        for number in 2_u32.. {
            match Self::read(&beside(path, number)) {
                Ok(newer) => newest = newer,
                Err(PlanProblem::Missing { .. }) => break,
                Err(problem) => return Err(problem),
            }
        }
        Ok(newest)
    }

    /// The unfinished plan at `path` or beside it, to go on with; else a new one where no file is yet.
    ///
    /// # Errors
    /// A plan that is there and cannot be read: it is not written over.
    pub fn unfinished_or(path: &Path, new: Plan) -> Result<Self, PlanProblem> {
        match Self::newest(path) {
            Ok(file) if !file.plan.is_done() => Ok(file),
            Ok(_) => {
                let free = (2_u32..).map(|number| beside(path, number)).find(|path| !path.exists());
                Ok(Self { path: free.unwrap_or_else(|| path.to_owned()), plan: new })
            }
            Err(PlanProblem::Missing { .. }) => Ok(Self { path: path.to_owned(), plan: new }),
            Err(problem) => Err(problem),
        }
    }

    /// Refuses another cluster than the plan's, where both are known.
    ///
    /// # Errors
    /// [`PlanProblem::OtherCluster`]
    pub fn check(&self, found: &Cluster) -> Result<(), PlanProblem> {
        match (&self.plan.cluster.uuid, &found.uuid) {
            (Some(planned), Some(found)) if planned != found => Err(PlanProblem::OtherCluster {
                path: self.path.clone(),
                planned: planned.clone(),
                found: found.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Writes it whole: a reader finds the old plan or the new one, also after a power failure.
    ///
    /// # Errors
    /// [`PlanProblem::Unwritable`]
    pub fn write(&self) -> Result<(), PlanProblem> {
        self.try_write().map_err(|source| PlanProblem::Unwritable { path: self.path.clone(), source })
    }

    fn try_write(&self) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&self.plan)?;
        text.push(b'\n');
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// `plan.json` and 2: `plan-2.json`.
fn beside(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|it| format!(".{}", it.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{number}{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new("2026-01-01T00:00:00.000Z".to_owned(), Cluster::default())
    }

    #[test]
    fn an_unfinished_plan_is_gone_on_with_and_a_finished_one_gets_another_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let mut first = PlanFile::unfinished_or(&path, plan()).unwrap();
        assert_eq!(first.path, path);
        first.plan.status = PlanStatus::Stopped;
        first.write().unwrap();
        assert_eq!(PlanFile::unfinished_or(&path, plan()).unwrap().plan, first.plan);
        first.plan.status = PlanStatus::Done;
        first.write().unwrap();
        let second = PlanFile::unfinished_or(&path, plan()).unwrap();
        assert_eq!(second.path, folder.path().join("plan-2.json"));
        second.write().unwrap();
        assert_eq!(PlanFile::newest(&path).unwrap().path, second.path);
    }

    #[test]
    fn what_comes_to_its_end_by_itself_is_not_resumed() {
        let feed = |id: &str| PlannedDatafeed {
            job_id: id.to_owned(),
            end: Some(1),
            ..serde_json::from_value(serde_json::json!({"id": id, "job_id": "", "state": "started"})).unwrap()
        };
        let job = |id: &str| serde_json::from_value(serde_json::json!({"id": id, "state": "opened"})).unwrap();
        let names = ["before", "between", "runs"];
        let mut plan = Plan { jobs: names.map(job).to_vec(), datafeeds: names.map(feed).to_vec(), ..plan() };
        plan.ask_datafeeds(&["between".to_owned(), "runs".to_owned()]);
        plan.ask_jobs(&["before".to_owned(), "runs".to_owned()]);
        assert_eq!(plan.jobs.iter().map(PlannedJob::is_left).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(plan.datafeeds.iter().map(PlannedDatafeed::is_left).collect::<Vec<_>>(), [false, false, true]);
        assert!(plan.jobs[0].asked, "it is closed all the same");
        // Run again after all of it has ended: what was asked to is still to be resumed.
        plan.ask_datafeeds(&[]);
        plan.ask_jobs(&[]);
        assert!(plan.jobs[2].is_left() && plan.datafeeds[2].is_left());
    }

    #[test]
    fn a_damaged_plan_is_neither_read_nor_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        assert!(matches!(PlanFile::read(&path), Err(PlanProblem::Missing { .. })));
        fs::write(&path, "{\"version\": 1").unwrap();
        assert!(matches!(PlanFile::unfinished_or(&path, plan()), Err(PlanProblem::Damaged { .. })));
        fs::write(&path, serde_json::to_vec(&Plan { version: 2, ..plan() }).unwrap()).unwrap();
        assert!(matches!(PlanFile::read(&path), Err(PlanProblem::Version { version: 2, .. })));
    }
}
