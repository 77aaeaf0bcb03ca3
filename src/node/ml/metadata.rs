//! The cluster state of ML: one immutable value that is replaced as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::configuration::{Calendar, Datafeed, Event, Filter, Job};
use super::identifier::{NoMatch, expand};
use super::persistent::{Assignment, Operation, PersistentTask, Phase, TaskKey, TimeRange};
use super::problem::Problem;

/// What a job is blocked by until it is done: no other operation, and nobody opens the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blocked {
    pub(crate) operation: Operation,
    /// The number of the operation's task in `_tasks`.
    pub(crate) task: u64,
    pub(crate) since_ms: i64,
    /// Whether the outcome is kept for `GET _tasks/{id}`: nobody waits for it.
    pub(crate) kept: bool,
}

/// Jobs, datafeeds, their tasks and the flag of upgrade mode.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    /// Counts the changes since the node started.
    pub(crate) version: u64,
    pub(crate) standing: Standing,
    pub(crate) jobs: BTreeMap<String, Arc<Job>>,
    pub(crate) datafeeds: BTreeMap<String, Arc<Datafeed>>,
    pub(crate) tasks: BTreeMap<TaskKey, PersistentTask>,
    pub(crate) filters: BTreeMap<String, Arc<Filter>>,
    pub(crate) calendars: BTreeMap<String, Arc<Calendar>>,
    /// Of all calendars; many, and seldom changed.
    pub(crate) events: Arc<BTreeMap<String, Arc<Event>>>,
    /// By job. Kept on disk: an operation that a restart cuts off goes on after it.
    pub(crate) blocked: BTreeMap<String, Blocked>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) upgrade_mode: bool,
    pub(crate) last_allocation: u64,
}

impl Metadata {
    /// # Errors
    /// 404.
    pub(crate) fn job(&self, id: &str) -> Result<&Arc<Job>, Problem> {
        self.jobs.get(id).ok_or_else(|| Problem::UnknownJob(id.to_owned()))
    }

    /// # Errors
    /// 404.
    pub(crate) fn datafeed(&self, id: &str) -> Result<&Arc<Datafeed>, Problem> {
        self.datafeeds.get(id).ok_or_else(|| Problem::UnknownDatafeed(id.to_owned()))
    }

    /// # Errors
    /// 404.
    pub(crate) fn calendar(&self, id: &str) -> Result<&Arc<Calendar>, Problem> {
        self.calendars.get(id).ok_or_else(|| Problem::UnknownCalendar(id.to_owned()))
    }

    /// The calendars whose events are for a job.
    pub(crate) fn calendars_of<'a>(&'a self, job: &'a Job) -> impl Iterator<Item = &'a Arc<Calendar>> {
        self.calendars.values().filter(|calendar| calendar.is_for(std::iter::once(&job.id).chain(&job.groups)))
    }

    /// The calendars of an expression.
    ///
    /// # Errors
    /// 404 that names what matched nothing.
    pub(crate) fn expand_calendars(&self, expression: &str) -> Result<Vec<String>, Problem> {
        let known = self.calendars.keys().map(|id| (id.as_str(), std::iter::empty()));
        let found = expand(expression, known, NoMatch::Allowed).map_err(Problem::UnknownCalendar)?;
        Ok(found.into_iter().collect())
    }

    /// The jobs of an expression, by id or group.
    ///
    /// # Errors
    /// 404 that names what matched nothing.
    pub(crate) fn expand_jobs(&self, expression: &str, no_match: NoMatch) -> Result<Vec<String>, Problem> {
        let known = self.jobs.iter().map(|(id, job)| (id.as_str(), job.groups.iter().map(String::as_str)));
        let found = expand(expression, known, no_match).map_err(Problem::UnknownJob)?;
        Ok(found.into_iter().collect())
    }

    /// The datafeeds of an expression.
    ///
    /// # Errors
    /// 404 that names what matched nothing.
    pub(crate) fn expand_datafeeds(&self, expression: &str, no_match: NoMatch) -> Result<Vec<String>, Problem> {
        let known = self.datafeeds.keys().map(|id| (id.as_str(), std::iter::empty()));
        let found = expand(expression, known, no_match).map_err(Problem::UnknownDatafeed)?;
        Ok(found.into_iter().collect())
    }

    pub(crate) fn datafeed_of(&self, job_id: &str) -> Option<&Arc<Datafeed>> {
        self.datafeeds.values().find(|datafeed| datafeed.job_id == job_id)
    }

    pub(crate) fn job_task(&self, id: &str) -> Option<&PersistentTask> {
        self.tasks.get(&TaskKey::Job(id.to_owned()))
    }

    pub(crate) fn datafeed_task(&self, id: &str) -> Option<&PersistentTask> {
        self.tasks.get(&TaskKey::Datafeed(id.to_owned()))
    }

    pub(crate) fn job_state(&self, id: &str) -> &'static str {
        Phase::of_job(self.job_task(id).map(|task| &task.phase))
    }

    pub(crate) fn datafeed_state(&self, id: &str) -> &'static str {
        Phase::of_datafeed(self.datafeed_task(id).map(|task| &task.phase))
    }

    /// Adds a task; where it may run follows from upgrade mode.
    pub(crate) fn add_task(&mut self, key: TaskKey, range: TimeRange, now_ms: i64) {
        let allocation = self.allocate();
        let assignment = self.assignment();
        let task = PersistentTask { allocation, phase: Phase::Starting, assignment, range, created_ms: now_ms };
        self.tasks.insert(key, task);
    }

    /// Gives every task the assignment that upgrade mode allows; new ones a new allocation.
    pub(crate) fn reassign(&mut self) {
        let assignment = self.assignment();
        let mut last = self.standing.last_allocation;
        for task in self.tasks.values_mut().filter(|task| task.assignment != assignment) {
            last += 1;
            task.allocation = last;
            task.assignment = assignment;
        }
        self.standing.last_allocation = last;
    }

    /// Gives every task a new allocation: the holders of the old ones died with the last process.
    pub(crate) fn reallocate(&mut self) {
        let keys: Vec<TaskKey> = self.tasks.keys().cloned().collect();
        for key in keys {
            let allocation = self.allocate();
            if let Some(task) = self.tasks.get_mut(&key) {
                task.allocation = allocation;
            }
        }
        self.reassign();
    }

    /// The task, if `allocation` still holds it.
    pub(crate) fn held(&mut self, key: &TaskKey, allocation: u64) -> Option<&mut PersistentTask> {
        self.tasks.get_mut(key).filter(|task| task.allocation == allocation && task.assignment == Assignment::Node)
    }

    fn allocate(&mut self) -> u64 {
        self.standing.last_allocation += 1;
        self.standing.last_allocation
    }

    fn assignment(&self) -> Assignment {
        if self.standing.upgrade_mode { Assignment::AwaitingUpgrade } else { Assignment::Node }
    }
}
