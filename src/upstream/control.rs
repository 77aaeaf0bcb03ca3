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

/// Sends whole requests to a cluster and reads whole answers. Cheap to clone; for any thread with a tokio runtime.
#[derive(Clone)]
pub struct ControlClient {
    shared: Arc<Inner>,
}

struct Inner {
    nodes: Vec<Node>,
    /// One idle connection a node; never held over an await.
    idle: Vec<Mutex<Option<SendRequest<Full<Bytes>>>>>,
    health: Arc<Health>,
    next: AtomicUsize,
    connect_timeout: Duration,
}

impl ControlClient {
    /// # Errors
    /// A node without a valid host, or `https` without TLS settings.
    pub fn new(settings: &Settings, health: Arc<Health>) -> Result<Self, NodeProblem> {
        let nodes = Node::all(settings)?;
        let idle = nodes.iter().map(|_| Mutex::new(None)).collect();
        let connect_timeout = settings.connect_timeout;
        Ok(Self { shared: Arc::new(Inner { nodes, idle, health, next: AtomicUsize::new(0), connect_timeout }) })
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
        let node = self.pick().ok_or(UpstreamError::NoHealthyNode)?;
        self.request_to(node, request, Instant::from_std(deadline)).await
    }

    pub(super) async fn request_to(
        &self,
        node: &Node,
        mut request: Request<Bytes>,
        deadline: Instant,
    ) -> Result<Response<Bytes>, UpstreamError> {
        request.headers_mut().entry(header::HOST).or_insert_with(|| node.host_header().clone());
        timeout_at(deadline, self.exchange(node, request.map(Full::new)))
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

    async fn exchange(&self, node: &Node, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, UpstreamError> {
        let broken = |source| UpstreamError::Broken { node: node.name().to_owned(), source };
        let mut request = request;
        if let Some(mut sender) = self.take_idle(node) {
            match sender.try_send_request(request).await {
                Ok(response) => return self.finish(node, sender, response).await,
                // Not sent: the kept connection was gone already.
                Err(mut failure) => match failure.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(failure.into_error())),
                },
            }
        }
        let mut sender = open(node, self.shared.connect_timeout).await?;
        let response = sender.send_request(request).await.map_err(broken)?;
        self.finish(node, sender, response).await
    }

    async fn finish(
        &self,
        node: &Node,
        sender: SendRequest<Full<Bytes>>,
        response: Response<Incoming>,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let (head, body) = response.into_parts();
        let body = collect(node, body, ANSWER_BYTES_MAX).await?;
        if let Some(slot) = self.slot(node) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        }
        Ok(Response::from_parts(head, body))
    }

    fn take_idle(&self, node: &Node) -> Option<SendRequest<Full<Bytes>>> {
        let kept = self.slot(node)?.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(SendRequest::is_ready)
    }

    fn slot(&self, node: &Node) -> Option<&Mutex<Option<SendRequest<Full<Bytes>>>>> {
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
