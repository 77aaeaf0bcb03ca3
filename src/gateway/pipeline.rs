//! The order of the stages. An outer function always answers and records; the inner one reads as the list.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{self, HeaderName, HeaderValue};
use http::{Request, Response};
use hyper::body::Incoming;

use super::drain::Drain;
use super::forward::forward;
use super::inspect::Rules;
use super::peer::{Peer, Unaddressed};
use super::received::{Arrival, Received};
use super::recorder::Recorder;
use super::reply::{InFlight, Reply, ReplyBody};
use super::request_id::RequestIds;
use super::snapshot::Shared;
use super::switch::switch;
use super::throttle::Throttle;
use super::trail::{Outcome, Record, Trail};
use super::view::View;
use super::watch::Watch;
use crate::policy::{Unroutable, UpgradeRule};
use crate::realm::{Chain, Verified};
use crate::rejection::{self, Asked, Malformation, Rejection};
use crate::telemetry::clock;
use crate::upstream::UpstreamError;

const OPAQUE_ID: HeaderName = HeaderName::from_static("x-opaque-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What one worker answers requests with.
pub(super) struct Pipeline {
    shared: Arc<Shared>,
    worker_index: usize,
    view: RefCell<Rc<View>>,
    chain: Chain,
    throttle: Throttle,
    ids: RequestIds,
    pub(super) recorder: Rc<Recorder>,
    pub(super) drain: Rc<Drain>,
}

/// What is kept of a request for an answer of the gateway's own.
struct Kept {
    accept: Option<HeaderValue>,
    opaque_id: Option<HeaderValue>,
}

/// An answer before the last stage, or a refusal.
enum Early {
    Options(Vec<&'static str>),
    Rejected(Rejection),
}

impl From<Rejection> for Early {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Pipeline {
    /// Of the worker `index` among `count`.
    pub(super) fn new(shared: Arc<Shared>, (index, count): (usize, usize), recorder: Rc<Recorder>) -> Self {
        let view = RefCell::new(View::of(&shared, index));
        let (chain, throttle) = (Chain::new(count), Throttle::new(count));
        let (ids, drain) = (RequestIds::new(), Rc::default());
        Self { shared, worker_index: index, view, chain, throttle, ids, recorder, drain }
    }

    /// The present snapshot in this worker's hands: one decides a whole request.
    pub(super) fn view(&self) -> Rc<View> {
        let current = Rc::clone(&self.view.borrow());
        if current.generation == self.shared.generation() {
            return current;
        }
        let new = View::of(&self.shared, self.worker_index);
        self.view.replace(Rc::clone(&new)).retire();
        new
    }

    /// Answers one request, whatever happens, and records it once.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        peer: &Rc<Peer>,
        watch: &Rc<Watch>,
    ) -> Response<ReplyBody> {
        let in_flight = InFlight::begin(watch, peer.http2);
        let view = self.view();
        let arrival = Arrival { id: self.ids.next(), instant: Instant::now(), wall: clock::now() };
        let limits = (&view.snapshot.limits, &view.snapshot.timeouts);
        let received = Received::new(request, &arrival, peer, watch, limits);
        let kept = Kept {
            accept: received.headers.get(header::ACCEPT).cloned(),
            opaque_id: received.headers.get(OPAQUE_ID).cloned(),
        };
        let mut trail = Trail::open(&self.recorder, record(&received));
        let reply = match self.run(received, &view, trail.record()).await {
            Ok(reply) => reply,
            Err(early) => self.refuse(early, &kept, trail.record(), &view),
        };
        let mut response = reply.into_response(trail, in_flight);
        if !response.headers().contains_key(REQUEST_ID) {
            response.headers_mut().insert(REQUEST_ID, arrival.id.header());
        }
        self.finish_head(&mut response, peer);
        response
    }

    /// The stages in their order.
    async fn run(&self, mut received: Received, view: &View, record: &mut Record) -> Result<Reply, Early> {
        let snapshot = &view.snapshot;
        received.check(snapshot.limits.max_content_length)?;
        let addressed = received.peer.address(received.host(), view).map_err(Rejection::from)?;
        record.cluster = Some(Rc::clone(&addressed.cluster.name));
        let routed = received.classify().map_err(Early::from)?;
        record.classified = Some(routed.classified);
        let authenticated = routed.authenticate(&self.chain, view, &addressed.cluster).await?;
        if let Verified::Caller(principal) = &authenticated.caller {
            record.principal = Some(Rc::clone(principal));
        }
        let mut authorized = authenticated.authorize(&snapshot.roles)?;
        record.grant.clone_from(&authorized.grant);
        if let Verified::Caller(principal) = &authorized.authenticated.caller {
            self.throttle.admit(principal, snapshot.limits.requests_per_second_per_principal, record.started)?;
        }
        if let Some(inspection) = authorized.inspection() {
            let (gate, roles, limits) = (&addressed.cluster.gate, &snapshot.roles, &snapshot.limits);
            // Boxed as well.
            authorized = Box::pin(authorized.inspect(inspection, Rules { gate, roles, limits }, record)).await?;
            record.grant.clone_from(&authorized.grant);
        }
        let switches = authorized.rule == UpgradeRule::Switches;
        let admitted = authorized.admit(&addressed.cluster.gate)?;
        let reply = if switches {
            // Boxed, so that the many others do not take the memory of this one.
            Box::pin(switch(admitted, &addressed, &snapshot.run_as, record)).await
        } else {
            forward(admitted, &addressed, &snapshot.run_as, record).await
        };
        Ok(reply?)
    }

    fn refuse(&self, early: Early, kept: &Kept, record: &mut Record, view: &View) -> Reply {
        let request_id = record.id.header();
        let asked = Asked {
            method: &record.method,
            uri: &record.target,
            accept: kept.accept.as_ref(),
            opaque_id: kept.opaque_id.as_ref(),
            request_id: &request_id,
            challenges: view.snapshot.realms.challenges(),
        };
        match early {
            Early::Options(allowed) => Reply::whole(rejection::options(&allowed, &asked), Outcome::Answered),
            Early::Rejected(rejection) => {
                log(&rejection, record);
                let reply = Reply::refused(rejection::answer(&rejection, &asked), rejection.cause());
                let reason = self.recorder.wants_reason(rejection.cause());
                record.reason = if reason { rejection::reason(&rejection, &asked) } else { None };
                reply
            }
        }
    }

    /// What belongs to the connection, not to the message.
    fn finish_head(&self, response: &mut Response<ReplyBody>, peer: &Peer) {
        if peer.http2 {
            response.headers_mut().remove(header::CONNECTION);
        } else if self.drain.is_draining() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

fn record(received: &Received) -> Record {
    Record {
        id: received.id,
        peer: Rc::clone(&received.peer),
        method: received.method.clone(),
        target: received.target.clone(),
        cluster: None,
        classified: None,
        principal: None,
        grant: None,
        node: None,
        outcome: Outcome::CallerLeft,
        status: None,
        reason: None,
        traceparent: received.headers.get(TRACEPARENT).cloned(),
        request_bytes: 0,
        response_bytes: 0,
        started: received.instant,
        duration: Duration::ZERO,
    }
}

/// What is ours or the cluster's fault has a line in the log; what callers do wrong is for the audit trail.
fn log(rejection: &Rejection, record: &Record) {
    match rejection {
        // The health check tells of it once; every refused request would drown that.
        Rejection::Upstream(UpstreamError::NoHealthyNode) => {}
        Rejection::Upstream(error) => {
            let cluster = record.cluster.as_deref();
            tracing::warn!(cluster, %error, request.id = %record.id, "no answer from the cluster");
        }
        Rejection::Internal(what) => tracing::error!(request.id = %record.id, what, "request cannot be served"),
        _ => {}
    }
}

impl From<Unroutable> for Early {
    fn from(unroutable: Unroutable) -> Self {
        match unroutable {
            Unroutable::Options(allowed) => Self::Options(allowed),
            other => Self::Rejected(Rejection::Unroutable(other)),
        }
    }
}

impl From<Unaddressed> for Rejection {
    fn from(unaddressed: Unaddressed) -> Self {
        match unaddressed {
            Unaddressed::InvalidHost => Self::Malformed(Malformation::InvalidHost),
            Unaddressed::Misdirected => Self::Misdirected,
        }
    }
}
