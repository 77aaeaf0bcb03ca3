//! What is written down of a request: exactly once, whatever becomes of it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method, StatusCode, Uri};

use super::peer::Peer;
use super::recorder::Recorder;
use super::request_id::RequestId;
use crate::policy::{Classified, Demand, Grant, Principal};
use crate::rejection::Cause;

/// The record of one request, open until its answer has ended. Dropped while open it tells that the caller left.
pub struct Trail {
    record: Record,
    recorder: Rc<Recorder>,
    closed: bool,
}

/// Everything about one request that may be counted or audited. No header, no body, no credential.
pub struct Record {
    pub id: RequestId,
    pub peer: Rc<Peer>,
    pub method: Method,
    /// Path and query as received.
    pub target: Uri,
    pub cluster: Option<Rc<str>>,
    pub classified: Option<Classified>,
    /// `None` before authentication, and for callers without credentials.
    pub principal: Option<Rc<Principal>>,
    pub grant: Option<Grant>,
    /// The node that was asked.
    pub node: Option<Rc<str>>,
    pub outcome: Outcome,
    /// Of the answer; `None` when the caller left before there was one.
    pub status: Option<StatusCode>,
    /// Why it was refused, where somebody reads it; of a switch of upgrade mode what its caller says.
    pub reason: Option<String>,
    pub traceparent: Option<HeaderValue>,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub started: Instant,
    /// Up to the end of the answer.
    pub duration: Duration,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Not decided yet: a record that ends so was left by its caller.
    CallerLeft,
    /// A node answered, and the answer went through whole.
    Forwarded,
    /// The gateway answered in the cluster's place: `OPTIONS`, a switch of upgrade mode.
    Answered,
    /// The gateway refused it.
    Refused(Cause),
    /// The answer of the node broke off, and so did ours.
    Broken,
}

impl Trail {
    pub(super) fn open(recorder: &Rc<Recorder>, record: Record) -> Self {
        Self { record, recorder: Rc::clone(recorder), closed: false }
    }

    pub(super) const fn record(&mut self) -> &mut Record {
        &mut self.record
    }

    /// Ends the record; later calls change nothing.
    pub(super) fn close(&mut self, outcome: Outcome) {
        if !self.closed {
            self.closed = true;
            self.record.outcome = outcome;
            self.record.duration = self.record.started.elapsed();
            self.recorder.record(&self.record);
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.close(Outcome::CallerLeft);
    }
}

impl Record {
    /// The name of the transport action that was asked for, where the table knows one.
    pub fn action(&self) -> Option<&'static str> {
        let demand = match self.classified? {
            Classified::Ml(operation) => operation.demand,
            Classified::Perimeter(perimeter) => perimeter.demand,
            Classified::Other => return None,
        };
        match demand {
            Demand::Action(action) => Some(action),
            Demand::Privileges(_) => None,
        }
    }
}
