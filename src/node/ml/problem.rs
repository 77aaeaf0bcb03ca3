//! Every way an ML request is refused, with Elasticsearch's texts; the one place where a cause gets its status.

use thiserror::Error;

use super::detector::Unforeseeable;
use super::duration::written;
use crate::elasticsearch::error_body::Exception;
use crate::node::http::ApiError;

/// Why an ML request was not done. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Problem {
    #[error("No known job with id '{0}'")]
    UnknownJob(String),
    #[error("No datafeed with id [{0}] exists")]
    UnknownDatafeed(String),
    #[error("No model snapshot with id [{snapshot}] exists for job [{job}]")]
    UnknownSnapshot { job: String, snapshot: String },
    #[error("No known bucket with timestamp [{0}]")]
    UnknownBucket(String),
    #[error("The job cannot be created with the Id '{0}'. The Id is already used.")]
    JobExists(String),
    #[error("job and group names must be unique but job [{0}] and group [{0}] have the same name")]
    GroupName(String),
    #[error("A datafeed with id [{0}] already exists")]
    DatafeedExists(String),
    #[error("A datafeed [{datafeed}] already exists for job [{job}]")]
    JobHasDatafeed { datafeed: String, job: String },
    #[error("Cannot open job [{0}] because it has already been opened")]
    AlreadyOpened(String),
    #[error("Cannot open job [{job}] because it is executing [{action}]")]
    Blocked { job: String, action: &'static str },
    #[error("Opening job [{job}] timed out after [{}]", written(*.timeout_ms))]
    OpeningTimedOut { job: String, timeout_ms: i64 },
    #[error("Could not open job because no ML nodes with sufficient capacity were found")]
    NoCapacity { open: usize },
    #[error("Unexpected job state [failed] while waiting for job to be opened")]
    OpenFailed,
    #[error("Starting datafeed [{datafeed}] timed out after [{}]", written(*.timeout_ms))]
    StartingTimedOut { datafeed: String, timeout_ms: i64 },
    #[error("cannot close job [{0}] because it failed, use force close")]
    CloseFailed(String),
    #[error("one or more jobs have state failed, use force close")]
    CloseSeveralFailed,
    #[error(
        "failed to close jobs as one or more had started datafeeds that could not be stopped: started datafeeds [{datafeeds}], error stopping them [{cause}]"
    )]
    DatafeedsNotStopped { datafeeds: String, cause: String },
    #[error("Cannot perform requested action because job [{0}] is not open")]
    JobNotOpen(String),
    #[error("Cannot delete job [{0}] because the job is opened")]
    DeleteOpenJob(String),
    #[error("Cannot {verb} datafeed [{datafeed}] because user {user} lacks permissions on the indices: {indices}")]
    Unreadable { verb: &'static str, datafeed: String, user: String, indices: String },
    #[error("Cannot delete datafeed [{datafeed}] while its status is {state}")]
    DeleteStartedDatafeed { datafeed: String, state: &'static str },
    #[error("Cannot update datafeed [{datafeed}] while its status is {state}")]
    UpdateStartedDatafeed { datafeed: String, state: &'static str },
    #[error("Cannot update analysis_limits while the job is open")]
    UpdateOpenLimits,
    #[error("cannot start datafeed [{datafeed}] because job [{job}] is {state}")]
    StartWithoutJob { datafeed: String, job: String, state: &'static str },
    #[error("cannot start datafeed [{0}] because it has already been started")]
    AlreadyStarted(String),
    #[error("datafeed [{datafeed}] cannot retrieve data because index [{index}] does not exist")]
    SourceMissing { datafeed: String, index: String },
    #[error("datafeed [{datafeed}] cannot retrieve data because no index matches datafeed's indices [{indices}]")]
    NoSource { datafeed: String, indices: String },
    #[error("[{datafeed}] cannot retrieve field [{field}] because it has no mappings")]
    SourceUnmapped { datafeed: String, field: String },
    #[error("[{datafeed}] cannot retrieve time field [{field}] because it is not aggregatable")]
    SourceUntimed { datafeed: String, field: String },
    #[error("Timed out when waiting for persistent tasks after {}", written(*.0))]
    TasksTimedOut(i64),
    #[error("Can only revert to a model snapshot when the job is closed.")]
    RevertOpenJob,
    #[error("cannot revert job [{job}] to snapshot [{snapshot}] while it is blocked with [{by}]")]
    RevertBlocked { job: String, snapshot: String, by: &'static str },
    #[error("Model snapshot '{snapshot}' is the active snapshot for job '{job}', so cannot be deleted")]
    ActiveSnapshot { job: String, snapshot: String },
    #[error(
        "Cannot upgrade snapshot [{snapshot}] for job [{job}] as it is the current primary job snapshot and the job's state is \
         [{state}]. Please close the job before upgrading the snapshot."
    )]
    UpgradeOpenSnapshot { job: String, snapshot: String, state: &'static str },
    #[error(
        "Cannot upgrade job [{job}] snapshot [{snapshot}] as it is already compatible with current version {}",
        super::JOB_VERSION
    )]
    UpgradeCurrentSnapshot { job: String, snapshot: String },
    #[error("cannot {operation} job [{job}] while it is blocked with [{by}]")]
    BlockedBy { operation: &'static str, job: String, by: &'static str },
    #[error("cannot reset job while it is blocked with [{by}]")]
    ResetBlocked { by: &'static str },
    #[error("No filter with id [{0}] exists")]
    UnknownFilter(String),
    #[error("A filter with id [{0}] already exists")]
    FilterExists(String),
    #[error("Cannot delete filter [{filter}] currently used by jobs [{jobs}]")]
    FilterInUse { filter: String, jobs: String },
    #[error("No calendar with id [{0}]")]
    UnknownCalendar(String),
    #[error("Cannot create calendar with id [{0}] as it already exists")]
    CalendarExists(String),
    #[error("Cannot remove [{job}] as it is not present in calendar [{calendar}]")]
    NotInCalendar { job: String, calendar: String },
    #[error("No event with id [{0}]")]
    UnknownEvent(String),
    #[error("Event [{event}] has calendar_id [{of}] which does not match the request calendar_id [{calendar}]")]
    EventOfOther { event: String, of: String, calendar: String },
    #[error("No forecast(s) [{forecasts}] exists for job [{job}]")]
    UnknownForecast { job: String, forecasts: String },
    #[error("Forecast(s) [[{forecasts}]] for job [{job}] needs to be either FAILED or FINISHED to be deleted")]
    ForecastRuns { job: String, forecasts: String },
    #[error("Cannot run forecast: {0}")]
    Forecast(Unforeseeable),
    #[error("Cannot run forecast: it would have [{values}] values, and [{most}] at most can be written")]
    ForecastTooLarge { values: u64, most: u64 },
    #[error("task [{0}] isn't running and hasn't stored its results")]
    UnknownTask(String),
    #[error(
        "task [{task}] belongs to the node [{node}] which isn't part of the cluster and there is no record of the task"
    )]
    TaskOfUnknownNode { task: String, node: String },
    #[error("Can only reset a job when it is closed.")]
    ResetOpenJob,
    #[error("cannot reset job while indices are being upgraded")]
    ResetInUpgradeMode,
    #[error("Cannot perform {0} action while upgrade mode is enabled")]
    UpgradeMode(&'static str),
    #[error("Cannot open jobs when upgrade mode is enabled")]
    OpenInUpgradeMode,
    #[error("Could not start datafeed [{0}] as indices are being upgraded")]
    StartInUpgradeMode(String),
    #[error(
        "Cannot change [upgrade_mode] for feature name [ml-set-upgrade-mode]. Previous request is still being processed."
    )]
    UpgradeModeBusy { to: bool, from: bool },
    #[error("Failed node [{node}]")]
    StillRunning { node: String, tasks: String },
    #[error("stored ML state [{key}] cannot be read: {problem}")]
    StateUnreadable { key: String, problem: String },
}

impl Problem {
    fn status(&self) -> u16 {
        match self {
            Self::UnknownJob(_)
            | Self::UnknownDatafeed(_)
            | Self::UnknownSnapshot { .. }
            | Self::UnknownBucket(_)
            | Self::UnknownTask(_)
            | Self::TaskOfUnknownNode { .. }
            | Self::UnknownFilter(_)
            | Self::UnknownCalendar(_)
            | Self::UnknownForecast { .. }
            | Self::SourceMissing { .. }
            | Self::UnknownEvent(_) => 404,
            Self::JobExists(_)
            | Self::GroupName(_)
            | Self::DatafeedExists(_)
            | Self::ActiveSnapshot { .. }
            | Self::FilterExists(_)
            | Self::CalendarExists(_)
            | Self::NotInCalendar { .. }
            | Self::EventOfOther { .. }
            | Self::UpdateOpenLimits
            | Self::NoSource { .. }
            | Self::SourceUnmapped { .. }
            | Self::SourceUntimed { .. }
            | Self::Forecast(_)
            | Self::ForecastTooLarge { .. } => 400,
            Self::Unreadable { .. } => 403,
            Self::JobHasDatafeed { .. }
            | Self::AlreadyOpened(_)
            | Self::Blocked { .. }
            | Self::CloseFailed(_)
            | Self::CloseSeveralFailed
            | Self::DatafeedsNotStopped { .. }
            | Self::JobNotOpen(_)
            | Self::DeleteOpenJob(_)
            | Self::DeleteStartedDatafeed { .. }
            | Self::UpdateStartedDatafeed { .. }
            | Self::StartWithoutJob { .. }
            | Self::AlreadyStarted(_)
            | Self::FilterInUse { .. }
            | Self::ForecastRuns { .. }
            | Self::BlockedBy { .. }
            | Self::RevertOpenJob
            | Self::RevertBlocked { .. }
            | Self::UpgradeOpenSnapshot { .. }
            | Self::UpgradeCurrentSnapshot { .. }
            | Self::ResetBlocked { .. }
            | Self::ResetOpenJob
            | Self::ResetInUpgradeMode => 409,
            Self::NoCapacity { .. }
            | Self::UpgradeMode(_)
            | Self::OpenInUpgradeMode
            | Self::StartInUpgradeMode(_)
            | Self::UpgradeModeBusy { .. } => 429,
            Self::OpeningTimedOut { .. }
            | Self::OpenFailed
            | Self::StartingTimedOut { .. }
            | Self::TasksTimedOut(_)
            | Self::StillRunning { .. }
            | Self::StateUnreadable { .. } => 500,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::StillRunning { .. } => "failed_node_exception",
            Self::TasksTimedOut(_) | Self::StateUnreadable { .. } => "illegal_state_exception",
            Self::JobExists(_) | Self::GroupName(_) | Self::DatafeedExists(_) | Self::FilterExists(_) => {
                "resource_already_exists_exception"
            }
            Self::ActiveSnapshot { .. } => "illegal_argument_exception",
            Self::Unreadable { .. } => "security_exception",
            _ if self.status() == 404 => "resource_not_found_exception",
            _ => "status_exception",
        }
    }

    fn cause(&self) -> Option<Exception> {
        match self {
            Self::UpgradeModeBusy { to, from } => Some(Exception::new(
                "illegal_state_exception",
                format!(
                    "Attempted to set [upgrade_mode] for feature name [ml-set-upgrade-mode] to [{to}] from [{from}] while \
                     previous request was processing."
                ),
            )),
            Self::StartInUpgradeMode(id) => Some(Exception::new(
                "illegal_state_exception",
                format!("Unable to start datafeed [{id}] explanation [{}]", super::persistent::AWAITING_UPGRADE),
            )),
            Self::NoCapacity { open } => Some(Exception::new(
                "illegal_state_exception",
                format!("Could not open job because the node is full: [{open}] jobs are open, as many as there can be"),
            )),
            Self::TaskOfUnknownNode { task, .. } => {
                Some(Exception::new("resource_not_found_exception", Self::UnknownTask(task.clone()).to_string()))
            }
            Self::StillRunning { tasks, .. } => {
                Some(Exception::new("timeout_exception", format!("Timed out waiting for completion of [{tasks}]")))
            }
            _ => None,
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let exception = Exception::new(problem.kind(), problem.to_string());
        let exception = match problem.cause() {
            Some(cause) => exception.caused_by(cause),
            None => exception,
        };
        Self::new(problem.status(), exception)
    }
}
