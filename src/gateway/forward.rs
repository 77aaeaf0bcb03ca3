//! Stage 9: the request goes to a node, and its answer comes back.

use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::admit::Admitted;
use super::body::Upload;
use super::peer::Addressed;
use super::reply::{Content, Download, Reply};
use super::snapshot::Cluster;
use super::source::{UploadEnd, UploadState};
use super::stall::Stall;
use super::trail::{Outcome, Record};
use super::upstream_head;
use super::view::{WorkerNode, bit};
use crate::elasticsearch::switched::Switched;
use crate::policy::Classified;
use crate::policy::operation::Demand;
use crate::realm::RunAs;
use crate::rejection::Rejection;
use crate::telemetry::clock;
use crate::upstream::UpstreamError;
use crate::upstream::pool::{Lease, SendFailure};

/// Of `GET /_ml/info`: whoever may see whether upgrade mode is on may also know who switched it on.
const INFO: Demand = Demand::Action("cluster:monitor/xpack/ml/info/get");

/// Sends an admitted request to a node of its cluster: the only road there.
///
/// # Errors
/// 503 when no node can be reached, 502 when one gives no valid answer, 504 when it takes too long; 408, 413 and 400
/// when the body does not come through.
pub(super) async fn forward(
    admitted: Admitted,
    addressed: &Rc<Addressed>,
    run_as: &RunAs,
    record: &mut Record,
) -> Result<Reply, Rejection> {
    let cluster = &addressed.cluster;
    let settings = cluster.settings().ok_or(Rejection::Internal("the cluster is gone"))?;
    let Admitted { mut received, caller, admission } = admitted;
    received.body.hold(&admission);
    let state = Rc::clone(received.body.state());
    let request = upstream_head::build(received, &caller, addressed, settings, run_as)?;
    let answered = Exchange { addressed, settings, state: &state, record }.run(request).await;
    record.request_bytes = state.bytes();
    if let Some(rule) = state.refused_by() {
        record.classified = Some(Classified::Perimeter(rule));
    }
    let (response, lease) = answered.map_err(|failure| explain(failure, &state))?;
    let mut response = downstream_head(response);
    if matches!(record.classified, Some(Classified::Ml(operation)) if operation.demand == INFO) {
        let told = cluster.gate.facts().map(|facts| Switched {
            since: Some(clock::rfc3339(facts.since)),
            by: facts.by,
            reason: facts.reason,
        });
        told.unwrap_or_default().write(response.headers_mut());
    }
    let stall = settings.response_timeout;
    let response = response.map(|incoming| Content::Stream(Download::new(incoming, lease, admission, stall)));
    Ok(Reply { response, outcome: Outcome::Forwarded })
}

/// One request on its way through the nodes.
struct Exchange<'a> {
    addressed: &'a Addressed,
    settings: &'a Cluster,
    state: &'a UploadState,
    record: &'a mut Record,
}

/// What is left to do when an attempt has not succeeded.
enum Attempt {
    Answered(Response<Incoming>, Lease<Upload>),
    /// Nothing was sent, or nothing that matters: it may be sent again.
    Again(Request<Upload>),
}

impl Exchange<'_> {
    async fn run(mut self, mut request: Request<Upload>) -> Result<(Response<Incoming>, Lease<Upload>), UpstreamError> {
        let (health, cluster) = (&self.settings.health, &self.addressed.cluster);
        let mut tried = 0;
        let mut last = UpstreamError::NoHealthyNode;
        while let Some((index, node)) = cluster.pick(health, tried) {
            tried |= bit(index);
            self.record.node = Some(Rc::clone(&node.name));
            let lease = match node.pool.lease().await {
                Ok(lease) => lease,
                Err(error) => {
                    tracing::warn!(node = &*node.name, error = %error, "cannot reach node");
                    // A node whose connections are all in use is not a node that is down.
                    if !matches!(error, UpstreamError::Exhausted { .. }) {
                        cluster.note_failure(health, index);
                    }
                    last = error;
                    continue;
                }
            };
            match self.attempts(&node, lease, request).await? {
                Attempt::Answered(response, lease) => return Ok((response, lease)),
                Attempt::Again(unsent) => request = unsent,
            }
        }
        Err(last)
    }

    /// On the connection at hand and, if that was a kept one that turns out to be closed, on a fresh one.
    async fn attempts(
        &mut self,
        node: &WorkerNode,
        mut lease: Lease<Upload>,
        mut request: Request<Upload>,
    ) -> Result<Attempt, UpstreamError> {
        request.headers_mut().insert(header::HOST, lease.node().host_header().clone());
        loop {
            let reused = lease.reused();
            let copy = if reused { repeatable(&request) } else { None };
            request = match (self.send(&mut lease, request).await?, copy) {
                (Ok(response), _) => {
                    return usable(response, lease).map(|(response, lease)| Attempt::Answered(response, lease));
                }
                (Err(SendFailure::Unsent(unsent)), _) if reused => *unsent,
                (Err(SendFailure::Unsent(unsent)), _) => return Ok(Attempt::Again(*unsent)),
                (Err(SendFailure::Broken(_)), Some(same)) => same,
                (Err(SendFailure::Broken(source)), None) => {
                    return Err(UpstreamError::Broken { node: node.name.to_string(), source });
                }
            };
            lease = Box::pin(node.pool.lease_fresh()).await?;
        }
    }

    async fn send(
        &self,
        lease: &mut Lease<Upload>,
        request: Request<Upload>,
    ) -> Result<Result<Response<Incoming>, SendFailure<Upload>>, UpstreamError> {
        let mut stall = Stall::with_timer(self.settings.response_timeout, Instant::now(), lease.take_timer());
        let answer = {
            let mut sending = pin!(lease.send(request));
            std::future::poll_fn(|cx| {
                if let Poll::Ready(answer) = sending.as_mut().poll(cx) {
                    return Poll::Ready(Some(answer));
                }
                // While the body moves, the node cannot be expected to answer.
                stall.progress_at(self.state.moved());
                if stall.is_over(cx) { Poll::Ready(None) } else { Poll::Pending }
            })
            .await
        };
        lease.keep_timer(stall.into_timer());
        answer.ok_or_else(|| UpstreamError::ResponseTimeout { node: lease.node().name().to_owned() })
    }
}

/// A copy of a request that may be sent twice: safe, and without a body.
fn repeatable(request: &Request<Upload>) -> Option<Request<Upload>> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe || !request.body().is_empty() {
        return None;
    }
    let mut copy = Request::new(request.body().empty_like());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = Uri::clone(request.uri());
    *copy.headers_mut() = HeaderMap::clone(request.headers());
    Some(copy)
}

/// A switch of protocols was not asked for: the bytes behind it are no answer.
fn usable(
    response: Response<Incoming>,
    lease: Lease<Upload>,
) -> Result<(Response<Incoming>, Lease<Upload>), UpstreamError> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let node = lease.node().name().to_owned();
        return Err(UpstreamError::Unusable { node, status: response.status().as_u16() });
    }
    Ok((response, lease))
}

/// Whose fault a failed exchange is: a body that did not come through is the caller's.
fn explain(error: UpstreamError, state: &UploadState) -> Rejection {
    match state.end() {
        Some(UploadEnd::Complete) | None => Rejection::Upstream(error),
        Some(end) => state.rejection(end),
    }
}

/// The head of a node's answer as it goes to the caller.
fn downstream_head(mut response: Response<Incoming>) -> Response<Incoming> {
    super::hop_headers::remove(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
    response
}

/// Frames a body for HTTP/1.1: with its length where it has one, else in chunks.
///
/// hyper sends a `GET` body of unknown length only when it is told so.
pub(super) fn frame(headers: &mut HeaderMap, body: &Upload) {
    if !body.is_end_stream() && !headers.contains_key(header::CONTENT_LENGTH) {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}
