//! What ran when the mode went on, and what of it is not back when it is off again.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::fence::Gate;
use crate::audit::{Action, Outcome};
use crate::elasticsearch::work::{Work, not_back};
use crate::telemetry::clock;

/// How long after the mode is off what is not back is looked at again.
const FOLLOWED: Duration = Duration::from_secs(120);
/// How many the log names.
const NAMED_MAX: usize = 20;

/// Jobs and datafeeds, around upgrade mode.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// As they were when the mode went on; `None` where nobody could look. Kept until a report is complete.
    pub(super) ran: Option<Vec<Work>>,
    pub(super) report: Option<Report>,
}

/// What is not back to what it was, after upgrade mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// When it was first looked at after the mode was off.
    pub begun: SystemTime,
    /// When it was looked at last.
    pub looked: SystemTime,
    /// As they are now: state, node, reason.
    pub not_back: Vec<Work>,
}

impl Gate {
    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report of the latest time that the mode went off; none while it is on.
    pub fn report_of_return(&self) -> Option<Report> {
        self.standing().report.clone()
    }

    /// Notes what runs, for the report; a snapshot that is there already stays. Without it there will be no report.
    pub(super) async fn note_what_runs(&self, caller: &HeaderMap) {
        let known = {
            let mut standing = self.standing();
            // What is left of an earlier time is not what runs now.
            if standing.report.take().is_some() {
                standing.ran = None;
            }
            standing.ran.is_some()
        };
        if known {
            return;
        }
        match self.work(caller).await {
            Ok(work) => {
                let ran = work.into_iter().filter(Work::is_up).collect();
                self.standing().ran = Some(ran);
                self.remember().await;
            }
            Err(against) => {
                tracing::warn!(cluster = self.cluster, error = %against, "what runs before upgrade mode cannot be noted");
            }
        }
    }

    /// Compares what runs with what ran, in the log too; the same again changes the report where something has changed.
    pub(super) async fn report(&self, caller: &HeaderMap) {
        let Some(ran) = self.standing().ran.clone() else { return };
        let work = match self.work(caller).await {
            Ok(work) => work,
            Err(against) => {
                tracing::warn!(cluster = self.cluster, error = %against, "what is back after upgrade mode cannot be looked at");
                return;
            }
        };
        let (now, lost) = (clock::now(), not_back(&ran, &work));
        let (before, complete) = {
            let mut standing = self.standing();
            let before = standing.report.take();
            let begun = before.as_ref().map_or(now, |report| report.begun);
            let complete = lost.is_empty() || now.duration_since(begun).is_ok_and(|time| time > FOLLOWED);
            if complete {
                standing.ran = None;
            }
            standing.report = Some(Report { begun, looked: now, not_back: lost.clone() });
            (before, complete)
        };
        self.tell_return(before.as_ref(), &lost);
        if complete {
            self.remember().await;
        }
    }

    fn tell_return(&self, before: Option<&Report>, lost: &[Work]) {
        match before {
            Some(before) if before.not_back.is_empty() == lost.is_empty() => {}
            _ if lost.is_empty() => tracing::info!(cluster = self.cluster, "everything is back after upgrade mode"),
            _ => {
                let named: Vec<String> = lost.iter().take(NAMED_MAX).map(Work::to_string).collect();
                let (count, named) = (lost.len(), named.join("; "));
                tracing::warn!(cluster = self.cluster, count, not_back = named, "not back after upgrade mode");
                let reason = format!("[{count}] are not back: {named}");
                self.audit(Action::UpgradeModeNotBack, Outcome::Failure, Some(reason), None);
            }
        }
    }
}
