//! A switch carried out: what the machine says is to be done next, done on the control plane.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode};
use tokio::time::{Instant, sleep_until};

use super::fence::Gate;
use super::query::SwitchQuery;
use super::switch::{SwitchRefusal, SwitchReply, SwitchRequest};
use super::verify::Unverified;
use super::view::FenceFacts;
use super::waiting::{Outcome, Running};
use crate::audit;
use crate::elasticsearch::proof::VERIFIED_HEADER;
use crate::policy::upgrade_mode::{Event, Next};
use crate::telemetry::clock;
use crate::upstream::UpstreamError;

/// Before a cluster that broke off is asked again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A switch in the hands of the control plane. Dropped, it tells those who wait that the gateway stops.
pub(super) struct Driving {
    pub(super) gate: Arc<Gate>,
    pub(super) running: Arc<Running>,
    pub(super) by: String,
}

impl Drop for Driving {
    fn drop(&mut self) {
        let waited_for = self.running.is_waited_for();
        let cut_off = self.running.end(Err(Arc::new(SwitchRefusal::Stopping)));
        if cut_off && !waited_for {
            self.audit(audit::Outcome::Unknown, Some(SwitchRefusal::Stopping.to_string()));
        }
        let mut present = self.gate.running.lock().unwrap_or_else(PoisonError::into_inner);
        // The next one may have begun already.
        if present.as_ref().is_some_and(|running| Arc::ptr_eq(running, &self.running)) {
            *present = None;
        }
    }
}

/// What came of the steps so far.
struct Progress {
    request: SwitchRequest,
    reply: Option<SwitchReply>,
    refusal: Option<SwitchRefusal>,
}

impl Driving {
    /// Does what the machine says, until there is an answer.
    pub(super) async fn drive(self, request: SwitchRequest, mut next: Next) {
        let mut progress = Progress { request, reply: None, refusal: None };
        let outcome = loop {
            // On disk before anybody acts on it.
            self.gate.remember().await;
            let (event, at) = match next {
                Next::Drain => self.drain(&mut progress).await,
                Next::Ask => self.ask(&mut progress).await,
                Next::Verify => self.verify(&mut progress).await,
                Next::Look => self.look(&mut progress).await,
                Next::Acknowledge => break progress.acknowledged(),
                Next::Fail | Next::Rest | Next::Busy => break progress.refused(),
            };
            let step = self.gate.step(event, at, FenceFacts::seen(clock::now()));
            self.gate.tell_change(&step.before, &step.after);
            next = step.next;
        };
        if outcome.is_ok() && !self.running.enabled {
            self.gate.report(&progress.request.headers).await;
        }
        if !self.running.is_waited_for() {
            self.audit_end(&progress.request, &outcome);
        }
        self.running.end(outcome);
    }

    /// Whoever waits has the end in the event of its own request.
    fn audit_end(&self, request: &SwitchRequest, outcome: &Outcome) {
        let (result, reason) = match outcome {
            Ok(reply) if reply.status.is_success() => (audit::Outcome::Success, request.reason.clone()),
            Ok(reply) => (audit::Outcome::Failure, Some(reply.told())),
            Err(refusal) => (audit::Outcome::Failure, Some(refusal.to_string())),
        };
        self.audit(result, reason);
    }

    fn audit(&self, outcome: audit::Outcome, reason: Option<String>) {
        let action =
            if self.running.enabled { audit::Action::UpgradeModeEnabled } else { audit::Action::UpgradeModeDisabled };
        self.gate.audit(action, outcome, reason, Some(self.by.clone()));
    }

    async fn drain(&self, progress: &mut Progress) -> (Event, Duration) {
        let event = match self.gate.drained(&self.running).await {
            Ok(()) => Event::Drained,
            Err(requests) => {
                progress.refusal = Some(SwitchRefusal::StillAdmitted { requests });
                Event::DrainTimedOut
            }
        };
        (event, self.gate.now())
    }

    /// Asks the cluster; once more where the answer was lost on the way, or where somebody with more time has joined. That
    /// does no harm: a cluster answers at once where there is nothing to change.
    async fn ask(&self, progress: &mut Progress) -> (Event, Duration) {
        let mut lost = false;
        if self.running.enabled {
            self.gate.note_what_runs(&progress.request.headers).await;
        }
        loop {
            let deadline = self.running.deadline();
            let control = self.gate.control();
            let left = deadline.saturating_duration_since(Instant::now());
            let request = upstream_request(&progress.request, left);
            let given_up = deadline + self.gate.settings().answer_grace;
            let answer = control.client.request(request, given_up.into_std()).await;
            lost |= matches!(answer, Err(UpstreamError::Broken { .. }));
            let more_time = self.running.deadline() > Instant::now() + AGAIN_AFTER;
            let event = progress.answered(answer, self.gate.settings().verify_acknowledgement);
            let failed = !matches!(event, Event::Acknowledged { .. });
            if failed && more_time && (lost || Instant::now() >= deadline) {
                sleep_until(Instant::now() + AGAIN_AFTER).await;
                continue;
            }
            return (event, self.gate.now());
        }
    }

    async fn verify(&self, progress: &mut Progress) -> (Event, Duration) {
        let (epoch, at) = (self.gate.view().machine.epoch(), self.gate.now());
        match self.gate.verify(&self.running, &progress.request.headers).await {
            Ok(()) => {
                // For our command line, whose user may not be allowed to look at tasks.
                if let Some(reply) = &mut progress.reply {
                    reply.headers.insert(VERIFIED_HEADER, HeaderValue::from_static("true"));
                }
                (Event::Verified { epoch }, at)
            }
            Err(against) => {
                progress.refusal = Some(SwitchRefusal::Unverified(against));
                (Event::NotProved, at)
            }
        }
    }

    /// Whatever came of it, the cluster's word counts: a refused or lost switch may have set the flag all the same.
    async fn look(&self, progress: &mut Progress) -> (Event, Duration) {
        let (at, caller) = (self.gate.now(), &progress.request.headers);
        match self.gate.mode(caller).await {
            Ok(enabled) => {
                if enabled && self.running.enabled && progress.is_half_done() {
                    let proved = self.gate.proved(true, caller).await;
                    progress.half_done(proved.err());
                }
                (Event::Found { enabled }, at)
            }
            Err(against) => {
                tracing::warn!(cluster = self.gate.cluster, error = %against, "the upgrade mode of the cluster is not known");
                (Event::Unheard, at)
            }
        }
    }
}

impl Progress {
    fn answered(&mut self, answer: Result<http::Response<Bytes>, UpstreamError>, verify: bool) -> Event {
        (self.reply, self.refusal) = (None, None);
        match answer {
            Ok(answer) => {
                let (mut head, body) = answer.into_parts();
                head.headers.remove(VERIFIED_HEADER);
                let reply = SwitchReply { status: head.status, headers: head.headers, body };
                let event =
                    if reply.status.is_success() { Event::Acknowledged { trusted: !verify } } else { Event::Refused };
                self.reply = Some(reply);
                event
            }
            Err(error) => {
                let timed_out = matches!(error, UpstreamError::ResponseTimeout { .. });
                self.refusal = Some(SwitchRefusal::Upstream(error));
                if timed_out { Event::TimedOut } else { Event::Refused }
            }
        }
    }

    /// The cluster failed, in a way after which its flag may be on: it does not take it back.
    fn is_half_done(&self) -> bool {
        match (&self.refusal, &self.reply) {
            (Some(SwitchRefusal::Upstream(_)), _) => true,
            (None, Some(reply)) => reply.status.is_server_error() || reply.status == StatusCode::TOO_MANY_REQUESTS,
            (Some(_), _) | (None, None) => false,
        }
    }

    /// Names what runs, if anything does; else the cluster's own answer says enough.
    fn half_done(&mut self, against: Option<Unverified>) {
        let Some(against @ (Unverified::TasksRun { .. } | Unverified::NotThere { .. })) = against else { return };
        let answer = match self.reply.take() {
            Some(reply) => reply.told(),
            None => "no answer in time".to_owned(),
        };
        self.refusal = Some(SwitchRefusal::HalfDone { answer, against });
    }

    fn acknowledged(&mut self) -> Outcome {
        self.reply.take().ok_or_else(|| Arc::new(SwitchRefusal::Stopping))
    }

    /// A refusal of ours, or the cluster's own.
    fn refused(&mut self) -> Outcome {
        match (self.refusal.take(), self.reply.take()) {
            (Some(refusal), _) => Err(Arc::new(refusal)),
            (None, Some(reply)) => Ok(reply),
            (None, None) => Err(Arc::new(SwitchRefusal::Stopping)),
        }
    }
}

impl SwitchReply {
    /// `status [500]: reason`, as far as the body has one.
    fn told(&self) -> String {
        let body: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let reason = body.as_ref().and_then(|body| body.pointer("/error/reason")).and_then(serde_json::Value::as_str);
        let status = self.status.as_u16();
        reason.map_or_else(|| format!("status [{status}]"), |reason| format!("status [{status}]: {reason}"))
    }
}

fn upstream_request(request: &SwitchRequest, left: Duration) -> Request<Bytes> {
    let mut upstream = Request::new(Bytes::new());
    *upstream.method_mut() = Method::POST;
    let target = SwitchQuery::retimed(&request.target, left);
    // The target was parsed when it came in, and the exchange adds digits and letters only.
    *upstream.uri_mut() = target.parse().unwrap_or_default();
    *upstream.headers_mut() = request.headers.clone();
    upstream.headers_mut().remove(http::header::CONTENT_LENGTH);
    upstream.headers_mut().remove(http::header::HOST);
    upstream
}
