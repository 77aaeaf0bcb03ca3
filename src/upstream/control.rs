//! The control plane's client: health, the gate, the command line. Few requests, whole bodies.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use super::health::{Health, NodeState};
use super::{Node, NodeProblem, Settings, UpstreamError, transport};

const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Idle connections that are kept to one node.
const IDLE_MAX: usize = 8;

/// Sends whole requests to a cluster and reads whole answers. Cheap to clone; for any thread with a tokio runtime.
#[derive(Clone)]
pub struct ControlClient {
    shared: Arc<Inner>,
}

struct Inner {
    nodes: Vec<Node>,
    /// The idle connections of each node; never held over an await.
    idle: Vec<Mutex<Vec<SendRequest<Full<Bytes>>>>>,
    health: Arc<Health>,
    next: AtomicUsize,
    connect_timeout: Duration,
}

impl ControlClient {
    /// # Errors
    /// A node without a valid host, or `https` without TLS settings.
    pub fn new(settings: &Settings, health: Arc<Health>) -> Result<Self, NodeProblem> {
        Ok(Self::of(Node::all(settings)?, health, settings.connect_timeout))
    }

    /// A client of its own connections to nodes that are ready to be connected to.
    pub fn of(nodes: Vec<Node>, health: Arc<Health>, connect_timeout: Duration) -> Self {
        let idle = nodes.iter().map(|_| Mutex::default()).collect();
        Self { shared: Arc::new(Inner { nodes, idle, health, next: AtomicUsize::new(0), connect_timeout }) }
    }

    pub fn nodes(&self) -> &[Node] {
        &self.shared.nodes
    }

    pub fn health(&self) -> &Arc<Health> {
        &self.shared.health
    }

    /// Sends `request` (origin form) to a node that is not known to be down and reads the whole answer, at most 16 MiB.
    ///
    /// Adds `Host` where it is missing, and nothing else.
    ///
    /// # Errors
    /// No node, no connection, no valid answer, or none before `deadline`.
    pub async fn request(
        &self,
        request: Request<Bytes>,
        deadline: std::time::Instant,
    ) -> Result<Response<Bytes>, UpstreamError> {
        self.request_within(request, deadline, ANSWER_BYTES_MAX).await
    }

    /// As [`Self::request`], for an answer of at most `bytes_max`.
    ///
    /// # Errors
    /// The same.
    pub async fn request_within(
        &self,
        request: Request<Bytes>,
        deadline: std::time::Instant,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let node = self.pick().ok_or(UpstreamError::NoHealthyNode)?;
        self.send(node, request, Instant::from_std(deadline), bytes_max).await
    }

    pub(super) async fn request_to(
        &self,
        node: &Node,
        request: Request<Bytes>,
        deadline: Instant,
    ) -> Result<Response<Bytes>, UpstreamError> {
        self.send(node, request, deadline, ANSWER_BYTES_MAX).await
    }

    async fn send(
        &self,
        node: &Node,
        mut request: Request<Bytes>,
        deadline: Instant,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, UpstreamError> {
        request.headers_mut().entry(header::HOST).or_insert_with(|| node.host_header().clone());
        timeout_at(deadline, self.exchange(node, request.map(Full::new), bytes_max))
            .await
            .map_err(|_| UpstreamError::ResponseTimeout { node: node.name().to_owned() })?
    }

    fn pick(&self) -> Option<&Node> {
        let count = self.shared.nodes.len();
        let start = self.shared.next.fetch_add(1, Ordering::Relaxed);
        (0..count)
            .map(|offset| start.wrapping_add(offset) % count)
            .find(|index| self.shared.health.state(*index) != NodeState::Down)
            .and_then(|index| self.shared.nodes.get(index))
    }

    async fn exchange(
        &self,
        node: &Node,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let broken = |source| UpstreamError::Broken { node: node.name().to_owned(), source };
        let mut request = request;
        if let Some(mut sender) = self.take_idle(node) {
            match sender.try_send_request(request).await {
                Ok(response) => return self.finish(node, sender, response, bytes_max).await,
                // Not sent: the kept connection was gone already.
                Err(mut failure) => match failure.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(failure.into_error())),
                },
            }
        }
        let mut sender = open(node, self.shared.connect_timeout).await?;
        let response = sender.send_request(request).await.map_err(broken)?;
        self.finish(node, sender, response, bytes_max).await
    }

    async fn finish(
        &self,
        node: &Node,
        sender: SendRequest<Full<Bytes>>,
        response: Response<Incoming>,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let (head, body) = response.into_parts();
        let body = collect(node, body, bytes_max).await?;
        if let Some(idle) = self.idle(node) {
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|kept| !kept.is_closed());
            if idle.len() < IDLE_MAX {
                idle.push(sender);
            }
        }
        Ok(Response::from_parts(head, body))
    }

    fn take_idle(&self, node: &Node) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle(node)?.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(SendRequest::is_ready)
    }

    fn idle(&self, node: &Node) -> Option<&Mutex<Vec<SendRequest<Full<Bytes>>>>> {
        let index = self.shared.nodes.iter().position(|known| std::ptr::eq(known, node))?;
        self.shared.idle.get(index)
    }
}

/// Sends `request` (origin form) over a connection of its own and reads the whole answer, at most `limit` bytes of body.
///
/// Adds `Host` where it is missing, and nothing else. Redirects are not followed.
///
/// # Errors
/// No connection within `connect_timeout`, no valid answer, or none before `deadline`.
pub async fn request_once(
    node: &Node,
    mut request: Request<Bytes>,
    limit: usize,
    connect_timeout: Duration,
    deadline: Instant,
) -> Result<Response<Bytes>, UpstreamError> {
    request.headers_mut().entry(header::HOST).or_insert_with(|| node.host_header().clone());
    let exchange = async {
        let broken = |source| UpstreamError::Broken { node: node.name().to_owned(), source };
        let mut sender = open(node, connect_timeout).await?;
        let (head, body) = sender.send_request(request.map(Full::new)).await.map_err(broken)?.into_parts();
        Ok(Response::from_parts(head, collect(node, body, limit).await?))
    };
    timeout_at(deadline, exchange).await.map_err(|_| UpstreamError::ResponseTimeout { node: node.name().to_owned() })?
}

async fn open(node: &Node, timeout: Duration) -> Result<SendRequest<Full<Bytes>>, UpstreamError> {
    let stream = transport::connect(node, timeout).await?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) =
        handshake.map_err(|source| UpstreamError::Broken { node: node.name().to_owned(), source })?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn collect(node: &Node, body: Incoming, limit: usize) -> Result<Bytes, UpstreamError> {
    let node = || node.name().to_owned();
    #[expect(clippy::disallowed_methods, reason = "limited")]
    let collected = Limited::new(body, limit).collect().await;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(source) => Err(UpstreamError::Broken { node: node(), source: *source }),
            Err(other) => {
                debug_assert!(other.is::<LengthLimitError>());
                Err(UpstreamError::AnswerTooLarge { node: node(), limit })
            }
        },
    }
}

/// An error with its causes, for the log.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
