//! Persistent tasks: what is to run, whether or not it runs at this moment.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Elasticsearch's explanation of a task that upgrade mode has unassigned.
pub(crate) const AWAITING_UPGRADE: &str = "persistent task cannot be assigned while upgrade mode is enabled.";

/// What a persistent task is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum TaskKey {
    Job(String),
    Datafeed(String),
    /// Only ever a task of the node: what is to be done is in the metadata's `blocked`.
    Operation(Operation, String),
}

/// What blocks a job while it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    Delete,
    Reset,
    /// Removes the results from `from_ms` on, milliseconds; the job itself has been reverted before.
    Revert {
        from_ms: i64,
    },
}

impl Operation {
    /// The reason that a blocked job shows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Reset => "reset",
            Self::Revert { .. } => "revert",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Delete => "cluster:admin/xpack/ml/job/delete",
            Self::Reset => "cluster:admin/xpack/ml/job/reset",
            Self::Revert { .. } => "cluster:admin/xpack/ml/job/model_snapshots/revert",
        }
    }
}

impl TaskKey {
    /// The action of the task as the node runs it: a persistent one has `[c]` behind its name.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::Job(_) => "xpack/ml/job[c]",
            Self::Datafeed(_) => "xpack/ml/datafeed[c]",
            Self::Operation(operation, _) => operation.action(),
        }
    }

    /// The type that `_tasks` shows.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Job(_) | Self::Datafeed(_) => "persistent",
            Self::Operation(..) => "transport",
        }
    }

    /// Whether `_tasks/_cancel` can end it; what blocks a job is not given up half done.
    pub(crate) fn cancellable(&self) -> bool {
        !matches!(self, Self::Operation(..))
    }
}

impl fmt::Display for TaskKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(id) => write!(formatter, "job-{id}"),
            Self::Datafeed(id) => write!(formatter, "datafeed-{id}"),
            Self::Operation(operation, id) => write!(formatter, "{}-job-{id}", operation.name()),
        }
    }
}

/// How far a task has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Starting,
    Running,
    Ending,
    Failed { reason: String },
}

impl Phase {
    /// The state of a job with a task in this phase; no task is `closed`.
    pub(crate) fn of_job(phase: Option<&Self>) -> &'static str {
        match phase {
            None => "closed",
            Some(Self::Starting) => "opening",
            Some(Self::Running) => "opened",
            Some(Self::Ending) => "closing",
            Some(Self::Failed { .. }) => "failed",
        }
    }

    /// The state of a datafeed; `starting` counts as `started` to everybody but its own start.
    pub(crate) fn of_datafeed(phase: Option<&Self>) -> &'static str {
        match phase {
            None => "stopped",
            Some(Self::Starting) => "starting",
            Some(Self::Running | Self::Failed { .. }) => "started",
            Some(Self::Ending) => "stopping",
        }
    }
}

/// Where a task may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Assignment {
    Node,
    AwaitingUpgrade,
}

impl Assignment {
    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::Node => "",
            Self::AwaitingUpgrade => AWAITING_UPGRADE,
        }
    }
}

/// The time range of a datafeed's start, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TimeRange {
    pub(crate) start_ms: Option<i64>,
    /// `None`: it goes on in real time.
    pub(crate) end_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PersistentTask {
    /// A new one with each assignment: an earlier holder may write nothing more.
    pub(crate) allocation: u64,
    pub(crate) phase: Phase,
    pub(crate) assignment: Assignment,
    /// For datafeeds.
    pub(crate) range: TimeRange,
    pub(crate) created_ms: i64,
}
