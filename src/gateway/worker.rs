//! What one worker thread runs: its listeners, its connections, its end.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::permit::Permit;
use super::pipeline::Pipeline;
use super::recorder::Recorder;
use super::snapshot::Shared;
use super::wire::Socket;
use super::{Peer, connection, proxy_protocol, tls};

/// Pause after an accept that failed for want of files or memory.
const PAUSE: Duration = Duration::from_millis(50);
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// One worker before it runs.
pub struct Worker {
    /// Below `count`.
    pub index: usize,
    pub count: usize,
    /// By [`super::listener::bind`], in the order of [`super::Snapshot::listeners`].
    pub listeners: Vec<std::net::TcpListener>,
    pub shared: Arc<Shared>,
    /// True: stop.
    pub stop: watch::Receiver<bool>,
    pub recorder: Rc<Recorder>,
}

/// Serves until it is told to stop, then answers what waits in the accept queues and what is in flight, at most for
/// `timeouts.drain`. Runs on a `LocalSet` of a current-thread runtime.
///
/// # Errors
/// A socket that the runtime does not take.
pub async fn run(worker: Worker) -> io::Result<()> {
    let Worker { index, count, listeners, shared, stop, recorder } = worker;
    let pipeline = Rc::new(Pipeline::new(Arc::clone(&shared), (index, count), recorder));
    let sweeper = tokio::task::spawn_local(sweep(Rc::clone(&pipeline)));
    let mut accepting = Vec::new();
    for (position, socket) in listeners.into_iter().enumerate() {
        let acceptor = Acceptor { position, pipeline: Rc::clone(&pipeline), shared: Arc::clone(&shared) };
        accepting.push(acceptor.run(TcpListener::from_std(socket)?, stop.clone()));
    }
    join_all(accepting).await;
    pipeline.drain.start();
    let limit = pipeline.view().snapshot.timeouts.drain;
    if tokio::time::timeout(limit, pipeline.drain.emptied()).await.is_err() {
        tracing::warn!(
            connections = pipeline.drain.count(),
            "connections were cut off when the time to drain was over"
        );
    }
    sweeper.abort();
    Ok(())
}

/// Closes upstream connections that nobody uses.
async fn sweep(pipeline: Rc<Pipeline>) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        pipeline.view().sweep();
    }
}

/// Stage 1: connections of one socket.
struct Acceptor {
    position: usize,
    pipeline: Rc<Pipeline>,
    shared: Arc<Shared>,
}

impl Acceptor {
    async fn run(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                // A sender that is gone cannot say stop any more: that is one, too.
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = listener.accept() => self.accepted(accepted).await,
            }
        }
        // What the kernel has accepted for us is ours to answer; closing the socket would reset it.
        // Past the runtime, which may not have looked at the socket since.
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((tcp, address)) = listener.accept() {
            if tcp.set_nonblocking(true).is_ok()
                && let Ok(tcp) = TcpStream::from_std(tcp)
            {
                self.start(tcp, address);
            }
        }
    }

    async fn accepted(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((tcp, address)) => self.start(tcp, address),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn start(&self, tcp: TcpStream, address: SocketAddr) {
        let view = self.pipeline.view();
        let limits = &view.snapshot.limits;
        let connections = self.shared.connections();
        match connections.admit(address.ip(), limits.max_connections, limits.max_connections_per_ip) {
            Some(permit) => {
                let serving = self.secure(tcp, address, permit);
                tokio::task::spawn_local(serving);
            }
            None => self.pipeline.recorder.turned_away(),
        }
    }

    /// Stage 2 and on, as a task of its own.
    fn secure(&self, tcp: TcpStream, address: SocketAddr, permit: Permit) -> impl Future<Output = ()> + 'static {
        let pipeline = Rc::clone(&self.pipeline);
        let position = self.position;
        // In the list before the task first runs: a worker that stops now has to wait for it.
        let listed = pipeline.drain.enlist();
        async move {
            let _listed = listed;
            let (mut tcp, mut permit) = (tcp, permit);
            let _ = tcp.set_nodelay(true);
            let view = pipeline.view();
            let expected = view.snapshot.listeners.get(position).is_some_and(|listener| listener.proxy_protocol);
            drop(view);
            let address = if expected {
                let behind = Box::pin(behind(&mut tcp, address, position, &pipeline, &mut permit)).await;
                let Some(origin) = behind else { return };
                origin
            } else {
                address
            };
            let view = pipeline.view();
            let Some(settings) = view.snapshot.listeners.get(position) else { return };
            let trusted = settings.trusts(address.ip());
            let (socket, peer) = match settings.tls.clone() {
                None => (Socket::Plain(tcp), Peer::new(address, position, trusted, None)),
                Some(config) => {
                    let limit = view.snapshot.timeouts.header;
                    drop(view);
                    let Some(secured) = Box::pin(tls::handshake(tcp, &config, limit)).await else { return };
                    (Socket::Tls(secured.stream), Peer::new(address, position, trusted, Some(secured.shown)))
                }
            };
            connection::serve(socket, peer, pipeline).await;
        }
    }
}

/// Whose connection it is by the PROXY protocol. `None`: nobody's that is served.
async fn behind(
    tcp: &mut TcpStream,
    address: SocketAddr,
    position: usize,
    pipeline: &Pipeline,
    permit: &mut Permit,
) -> Option<SocketAddr> {
    let view = pipeline.view();
    let settings = view.snapshot.listeners.get(position)?;
    if !settings.trusted_proxies.is_empty() && !settings.trusts(address.ip()) {
        pipeline.recorder.unproxied(address, &"not one of the listener's trusted proxies");
        return None;
    }
    let (limit, max_per_peer) = (view.snapshot.timeouts.header, view.snapshot.limits.max_connections_per_ip);
    drop(view);
    match proxy_protocol::origin(tcp, limit).await {
        Ok(None) => Some(address),
        Ok(Some(origin)) if permit.pass_to(origin.ip(), max_per_peer) => Some(origin),
        Ok(Some(_)) => {
            pipeline.recorder.turned_away();
            None
        }
        Err(problem) => {
            pipeline.recorder.unproxied(address, &problem);
            None
        }
    }
}

/// Errors of the one connection that was to be accepted, not of the socket.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
