//! One request to switch the mode, from the fence to the acknowledgement. What comes next is the machine's to say.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::driving::Driving;
use super::fence::{Gate, WorkerGate};
use super::query::{QueryProblem, SwitchQuery};
use super::verify::Unverified;
use super::view::FenceFacts;
use super::waiting::{Outcome, Running, Waiter};
use crate::audit;
use crate::policy::upgrade_mode::{Event, GateState, Next};
use crate::telemetry::clock;
use crate::upstream::{ControlClient, Credentials, UpstreamError};

/// How the gate talks to its cluster: on the control plane, so that the work goes on when a caller leaves.
#[derive(Clone)]
pub struct Control {
    pub runtime: tokio::runtime::Handle,
    pub client: ControlClient,
    /// The gateway's own, for looks at `_ml/info`, `_tasks` and `_stats`.
    pub credentials: Option<Credentials>,
    /// For what no request brought about.
    pub audit: audit::ControlSender,
}

/// `POST /_ml/set_upgrade_mode`, authorized.
#[derive(Clone, Debug)]
pub struct SwitchRequest {
    /// In origin form, as received.
    pub target: String,
    /// As they go upstream; end-to-end headers only, with the caller's or the gateway's credentials.
    pub headers: HeaderMap,
    pub by: String,
    pub reason: Option<String>,
    /// Waits with a switch to the same value that is carried out already, instead of being refused.
    pub joins: bool,
}

/// The cluster's answer.
#[derive(Clone, Debug)]
pub struct SwitchReply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why a switch is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum SwitchRefusal {
    #[error("the query cannot be read")]
    Query(#[from] QueryProblem),
    /// 429, as in Elasticsearch: another one runs.
    #[error("a request to set upgrade mode to [{from}] is still being processed")]
    Busy { to: bool, from: bool },
    /// Requests that were admitted before the fence went up have not ended in time; the cluster was not asked.
    #[error("[{requests}] requests admitted before upgrade mode have not ended")]
    StillAdmitted { requests: usize },
    /// The cluster acknowledged, but there is no proof that its tasks have ended.
    #[error("the cluster acknowledged, but it is not proved that its tasks have ended")]
    Unverified(#[source] Unverified),
    /// The cluster did not acknowledge; its flag is on all the same, and this stands against the mode being in effect.
    #[error("the cluster did not acknowledge, and its flag is on")]
    HalfDone { answer: String, against: Unverified },
    /// The time of a caller is over while the switch goes on for another one.
    #[error("the time is over, and the switch goes on")]
    GoesOn(#[source] Unverified),
    #[error("the cluster did not answer")]
    Upstream(#[source] UpstreamError),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

impl WorkerGate {
    /// Switches the mode: fence, wait for what was admitted, forward with the time that is left, verify.
    ///
    /// The work goes on when this future is dropped.
    ///
    /// # Errors
    /// [`SwitchRefusal`]; the fence then follows what the cluster says.
    pub async fn switch(&self, request: SwitchRequest) -> Outcome {
        let query = request.target.split_once('?').map(|(_, query)| query);
        let query = SwitchQuery::parse(query).map_err(|problem| Arc::new(problem.into()))?;
        let gate = Arc::clone(self.gate());
        let deadline = Instant::now() + query.timeout;
        let (mut waiter, first) = gate.enter(&request, query.enabled, deadline)?;
        let headers = request.headers.clone();
        let patience = if let Some(next) = first {
            let (running, by) = (Arc::clone(&waiter.running), request.by.clone());
            let driving = Driving { gate: Arc::clone(&gate), running, by };
            gate.control().runtime.spawn(driving.drive(request, next));
            deadline + gate.settings().answer_grace
        } else {
            deadline
        };
        match waiter.ended(patience).await {
            Some(outcome) if first.is_none() => outcome.map(SwitchReply::for_another_caller),
            Some(outcome) => outcome,
            None => Err(gate.goes_on(query.enabled, headers, &mut waiter).await),
        }
    }
}

impl SwitchReply {
    /// Without what belongs to the request of the caller who began.
    fn for_another_caller(mut self) -> Self {
        self.headers.remove("x-opaque-id");
        self
    }
}

impl Gate {
    /// Begins a switch, or joins the one that is carried out. The step to begin with comes with a new one only.
    fn enter(
        &self,
        request: &SwitchRequest,
        enabled: bool,
        deadline: Instant,
    ) -> Result<(Waiter, Option<Next>), Arc<SwitchRefusal>> {
        let mut present = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Who switches it off did not switch it on.
        let by = enabled.then(|| request.by.clone());
        let reason = request.reason.clone().filter(|_| enabled);
        let facts = FenceFacts { since: clock::now(), by, reason };
        let step = self.step(Event::Requested { enabled }, self.now(), facts);
        if step.next == Next::Busy {
            let busy = || {
                let from = matches!(step.after.state(), GateState::On | GateState::Disabling);
                Err(Arc::new(SwitchRefusal::Busy { to: enabled, from }))
            };
            let Some(running) = present.as_ref().filter(|running| request.joins && running.enabled == enabled) else {
                return busy();
            };
            return Ok((running.join(deadline), None));
        }
        let waiter = Running::begin(enabled, deadline);
        *present = Some(Arc::clone(&waiter.running));
        drop(present);
        tracing::info!(
            cluster = self.cluster,
            enabled,
            user.name = request.by,
            reason = request.reason,
            "switching upgrade mode"
        );
        Ok((waiter, Some(step.next)))
    }

    /// What a caller is told whose time is over while others wait on.
    async fn goes_on(self: &Arc<Self>, enabled: bool, caller: HeaderMap, waiter: &mut Waiter) -> Arc<SwitchRefusal> {
        if enabled && self.in_flight() > 0 {
            return Arc::new(SwitchRefusal::StillAdmitted { requests: self.in_flight() });
        }
        let gate = Arc::clone(self);
        // Connections of the control plane live in its runtime.
        let look = self.control().runtime.spawn(async move { gate.proved(enabled, &caller).await });
        let refusal = match look.await {
            Ok(Err(against)) => SwitchRefusal::GoesOn(against),
            Ok(Ok(())) => SwitchRefusal::GoesOn(Unverified::ModeIs(enabled)),
            Err(_) => SwitchRefusal::Stopping,
        };
        match waiter.ended(Instant::now()).await {
            Some(Err(refusal)) => refusal,
            Some(Ok(_)) | None => Arc::new(refusal),
        }
    }
}
