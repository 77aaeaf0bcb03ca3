//! The connections of one worker to one node: newest first, bounded, shared with nobody.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::{Node, UpstreamError, transport};

/// Bounds of a pool. Each worker has one pool a node.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Open connections, in use or idle.
    pub open_max: usize,
    /// Idle connections that are kept.
    pub idle_max: usize,
    /// Requests that wait for a connection.
    pub waiting_max: usize,
    pub idle_timeout: Duration,
    pub connect_timeout: Duration,
    /// Bytes of a response head.
    pub head_bytes_max: usize,
}

/// What a request needs from its body type.
pub trait Upload: Body<Data = bytes::Bytes> + 'static
where
    Self::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
}

impl<B> Upload for B
where
    B: Body<Data = bytes::Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
}

/// Connections to one node.
pub struct Pool<B> {
    node: Node,
    limits: PoolLimits,
    open: Cell<usize>,
    idle: RefCell<VecDeque<Idle<B>>>,
    waiting: RefCell<VecDeque<oneshot::Sender<Handed<B>>>>,
    /// After a reload: nothing is kept any more. Connections hold the pool, so it does not end by itself.
    retired: Cell<bool>,
}

struct Idle<B> {
    connection: Connection<B>,
    since: Instant,
}

/// An open connection, with a timer that its users pass on: setting one anew costs more than an early ring.
struct Connection<B> {
    sender: SendRequest<B>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What a waiting request gets.
enum Handed<B> {
    Connection(Connection<B>),
    /// Somebody's connection has ended: open another.
    Slot(Slot<B>),
}

/// The right to one open connection.
struct Slot<B>(Rc<Pool<B>>);

impl<B> Drop for Slot<B> {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get().saturating_sub(1));
    }
}

/// A connection in use. Dropped without [`Lease::give_back`] it is closed.
pub struct Lease<B> {
    connection: Connection<B>,
    pool: Rc<Pool<B>>,
    reused: bool,
}

/// Why an exchange has failed.
pub enum SendFailure<B> {
    /// Nothing of it was sent: it may go out on another connection.
    Unsent(Box<Request<B>>),
    /// Some of it may have been sent.
    Broken(hyper::Error),
}

impl<B> Pool<B> {
    pub fn new(node: Node, limits: PoolLimits) -> Rc<Self> {
        let (idle, waiting) = (RefCell::default(), RefCell::default());
        Rc::new(Self { node, limits, open: Cell::new(0), idle, waiting, retired: Cell::new(false) })
    }

    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Open connections, idle ones included.
    pub fn open(&self) -> usize {
        self.open.get()
    }

    /// Closes idle connections that nobody has used for `idle_timeout`; the worker calls it now and then.
    pub fn sweep(&self, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        while idle.front().is_some_and(|oldest| now.duration_since(oldest.since) >= self.limits.idle_timeout) {
            idle.pop_front();
        }
        idle.retain(|kept| !kept.connection.sender.is_closed());
    }

    /// Closes what is idle and keeps nothing from now on; connections in use go on to their end.
    pub fn retire(&self) {
        self.retired.set(true);
        self.idle.borrow_mut().clear();
    }

    fn newest_idle(&self) -> Option<Connection<B>> {
        let mut idle = self.idle.borrow_mut();
        while let Some(kept) = idle.pop_back() {
            if kept.connection.sender.is_ready() {
                return Some(kept.connection);
            }
        }
        None
    }

    fn give_back(&self, connection: Connection<B>) {
        // Not ready: the request is still being sent, or the node closes. Dropping it closes the connection.
        if !connection.sender.is_ready() {
            return;
        }
        let mut handed = Handed::Connection(connection);
        while let Some(waiter) = self.next_waiting() {
            match waiter.send(handed) {
                Ok(()) => return,
                Err(returned) => handed = returned,
            }
        }
        let mut idle = self.idle.borrow_mut();
        if let Handed::Connection(connection) = handed
            && !self.retired.get()
            && idle.len() < self.limits.idle_max
        {
            idle.push_back(Idle { connection, since: Instant::now() });
        }
    }

    fn next_waiting(&self) -> Option<oneshot::Sender<Handed<B>>> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Passes the right of a connection that has ended to the next in the queue.
    fn pass_on(slot: Slot<B>) {
        let pool = Rc::clone(&slot.0);
        let mut handed = Handed::Slot(slot);
        while let Some(waiter) = pool.next_waiting() {
            match waiter.send(handed) {
                Ok(()) => return,
                Err(returned) => handed = returned,
            }
        }
    }

    fn take_slot(self: &Rc<Self>) -> Option<Slot<B>> {
        let open = self.open.get();
        if open >= self.limits.open_max {
            return None;
        }
        self.open.set(open + 1);
        Some(Slot(Rc::clone(self)))
    }
}

impl<B: Upload> Pool<B>
where
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// A connection: the one used last, else a new one, else the next that somebody gives back.
    ///
    /// # Errors
    /// The node does not accept, or too many wait already.
    pub async fn lease(self: &Rc<Self>) -> Result<Lease<B>, UpstreamError> {
        match self.newest_idle() {
            Some(connection) => Ok(Lease { connection, pool: Rc::clone(self), reused: true }),
            // Boxed: a request that finds a connection has no need of its state.
            None => Box::pin(self.lease_fresh()).await,
        }
    }

    /// A connection that has not been used yet, unless the bound is reached.
    ///
    /// # Errors
    /// As [`Pool::lease`].
    pub async fn lease_fresh(self: &Rc<Self>) -> Result<Lease<B>, UpstreamError> {
        if let Some(slot) = self.take_slot() {
            return Box::pin(self.open_connection(slot)).await;
        }
        let exhausted = || UpstreamError::Exhausted { node: self.node.name().to_owned() };
        let (hand, handed) = oneshot::channel();
        {
            let mut waiting = self.waiting.borrow_mut();
            waiting.retain(|waiter| !waiter.is_closed());
            if waiting.len() >= self.limits.waiting_max {
                return Err(exhausted());
            }
            waiting.push_back(hand);
        }
        match handed.await.map_err(|_| exhausted())? {
            Handed::Connection(connection) => Ok(Lease { connection, pool: Rc::clone(self), reused: true }),
            Handed::Slot(slot) => Box::pin(self.open_connection(slot)).await,
        }
    }

    async fn open_connection(self: &Rc<Self>, slot: Slot<B>) -> Result<Lease<B>, UpstreamError> {
        let stream = match transport::connect(&self.node, self.limits.connect_timeout).await {
            Ok(stream) => stream,
            Err(error) => {
                Pool::pass_on(slot);
                return Err(error);
            }
        };
        let mut builder = http1::Builder::new();
        builder.max_header_size(self.limits.head_bytes_max);
        let (sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|source| UpstreamError::Broken { node: self.node.name().to_owned(), source })?;
        tokio::task::spawn_local(async move {
            // Whoever waits for an answer on it gets the error; nobody else has to know.
            let _ = connection.await;
            Pool::pass_on(slot);
        });
        let connection = Connection { sender, timer: None };
        Ok(Lease { connection, pool: Rc::clone(self), reused: false })
    }
}

impl<B: Upload> Lease<B>
where
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Sends the request and waits for the head of the answer.
    ///
    /// # Errors
    /// [`SendFailure`] tells whether it may be sent again.
    pub async fn send(&mut self, request: Request<B>) -> Result<Response<Incoming>, SendFailure<B>> {
        match self.connection.sender.try_send_request(request).await {
            Ok(response) => Ok(response),
            Err(mut failure) => Err(match failure.take_message() {
                Some(unsent) => SendFailure::Unsent(Box::new(unsent)),
                None => SendFailure::Broken(failure.into_error()),
            }),
        }
    }
}

impl<B> Lease<B> {
    /// Whether an earlier request went over it: it may have been closed meanwhile.
    pub const fn reused(&self) -> bool {
        self.reused
    }

    pub fn node(&self) -> &Node {
        self.pool.node()
    }

    /// The timer that an earlier request on this connection has left.
    pub const fn take_timer(&mut self) -> Option<Pin<Box<Sleep>>> {
        self.connection.timer.take()
    }

    /// Leaves it to the next one.
    pub fn keep_timer(&mut self, timer: Option<Pin<Box<Sleep>>>) {
        self.connection.timer = timer;
    }

    /// Keeps the connection for the next request, if the whole exchange is over.
    pub fn give_back(self) {
        self.pool.give_back(self.connection);
    }
}
