//! One request to switch the mode, from the fence to the acknowledgement.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::fence::{Gate, WorkerGate};
use super::query::{QueryProblem, SwitchQuery};
use super::verify::Unverified;
use super::view::FenceFacts;
use crate::elasticsearch::proof::VERIFIED_HEADER;
use crate::policy::upgrade_mode::GateState;
use crate::telemetry::clock;
use crate::upstream::{ControlClient, Credentials, UpstreamError};

/// How the gate talks to its cluster: on the control plane, so that the work goes on when a caller leaves.
#[derive(Clone)]
pub struct Control {
    pub runtime: tokio::runtime::Handle,
    pub client: ControlClient,
    /// The gateway's own, for looks at `_ml/info` and `_tasks`.
    pub credentials: Option<Credentials>,
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
    Unverified(#[from] Unverified),
    #[error("the cluster did not answer")]
    Upstream(#[from] UpstreamError),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

/// What an answer may take beyond the `timeout` that it was given.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

impl WorkerGate {
    /// Switches the mode: fence, wait for what was admitted, forward with the time that is left, verify.
    ///
    /// The work goes on when this future is dropped.
    ///
    /// # Errors
    /// [`SwitchRefusal`]; the fence then follows what the cluster says.
    pub async fn switch(&self, request: SwitchRequest) -> Result<SwitchReply, SwitchRefusal> {
        let query = request.target.split_once('?').map(|(_, query)| query);
        let query = SwitchQuery::parse(query)?;
        let gate = std::sync::Arc::clone(self.gate());
        let (answer, answered) = oneshot::channel();
        let runtime = gate.control().runtime;
        runtime.spawn(async move {
            // A caller that left does not need the answer; the switch is done all the same.
            let _gone = answer.send(gate.switch(request, query).await);
        });
        answered.await.unwrap_or(Err(SwitchRefusal::Stopping))
    }
}

impl Gate {
    async fn switch(&self, request: SwitchRequest, query: SwitchQuery) -> Result<SwitchReply, SwitchRefusal> {
        let Ok(_alone) = self.switching.try_acquire() else {
            let from = matches!(self.state(), GateState::On | GateState::Disabling);
            return Err(SwitchRefusal::Busy { to: query.enabled, from });
        };
        let deadline = Instant::now() + query.timeout;
        self.announce(&request, query.enabled).await;
        tracing::info!(
            cluster = self.cluster,
            enabled = query.enabled,
            user.name = request.by,
            reason = request.reason,
            "switching upgrade mode"
        );
        let reply = self.carry_out(request, query, deadline).await;
        // Whatever came of it, the cluster's word counts: a refused or lost switch may have set the flag all the same.
        if let Err(against) = self.look().await {
            tracing::warn!(cluster = self.cluster, error = %against, "the upgrade mode of the cluster is not known");
        }
        reply
    }

    /// Puts the state up and on disk. Switching off what is off already holds nobody.
    async fn announce(&self, request: &SwitchRequest, enabled: bool) {
        let facts = FenceFacts { since: clock::now(), by: Some(request.by.clone()), reason: request.reason.clone() };
        match (enabled, self.state()) {
            // A look that has begun before might lower the fence while this request waits behind it.
            (true, GateState::On) | (false, GateState::Off) => return self.supersede(),
            (true, _) => self.begin(GateState::Enabling, facts),
            (false, _) => self.begin(GateState::Disabling, facts),
        }
        self.remember().await;
    }

    async fn carry_out(
        &self,
        request: SwitchRequest,
        query: SwitchQuery,
        deadline: Instant,
    ) -> Result<SwitchReply, SwitchRefusal> {
        if query.enabled {
            let drained = self.drained(deadline).await;
            drained.map_err(|requests| SwitchRefusal::StillAdmitted { requests })?;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let caller = request.headers.clone();
        let control = self.control();
        let latest = (deadline + ANSWER_GRACE).into_std();
        let response = control.client.request(upstream_request(request, left), latest);
        let (mut head, body) = response.await?.into_parts();
        head.headers.remove(VERIFIED_HEADER);
        if head.status.is_success() && self.settings().verify_acknowledgement {
            self.verify(query.enabled, &caller, deadline).await?;
            // For our command line, whose user may not be allowed to look at tasks.
            head.headers.insert(VERIFIED_HEADER, HeaderValue::from_static("true"));
        }
        Ok(SwitchReply { status: head.status, headers: head.headers, body })
    }
}

fn upstream_request(request: SwitchRequest, left: Duration) -> Request<Bytes> {
    let mut upstream = Request::new(Bytes::new());
    *upstream.method_mut() = Method::POST;
    let target = SwitchQuery::retimed(&request.target, left);
    // The target was parsed when it came in, and the exchange adds digits and letters only.
    *upstream.uri_mut() = target.parse().unwrap_or_default();
    *upstream.headers_mut() = request.headers;
    upstream.headers_mut().remove(http::header::CONTENT_LENGTH);
    upstream.headers_mut().remove(http::header::HOST);
    upstream
}
