//! Starts the node on threads of its own, and ends it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use thiserror::Error;
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::clock::Clock;
use super::documents::Documents;
use super::identity::Identity;
use super::router::{Dispatcher, Route, Table};
use super::security::{Gatekeeper, SecurityProblem};
use super::store::{OpenError, SizeLimit, Store, StoreError};
use super::{Core, Node, Security, Settings, api, ml, server};

const RUNTIME_THREADS: usize = 2;

/// A node that does not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("cannot listen on [{address}]")]
    Bind { address: SocketAddr, source: io::Error },
    /// Security is off, or the gateway vouches: nobody from outside may speak to the node.
    #[error("address [{address}] is not a loopback address, which the node needs unless it has users of its own")]
    Exposed { address: SocketAddr },
    #[error(transparent)]
    Data(#[from] OpenError),
    #[error(transparent)]
    Security(#[from] SecurityProblem),
    #[error("cannot read the store")]
    Store(#[from] StoreError),
    #[error("cannot start the node's threads")]
    Threads(#[source] io::Error),
}

/// A node that listens. Dropping it stops it without waiting.
pub struct RunningNode {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    gatekeeper: Arc<Gatekeeper>,
    thread: JoinHandle<()>,
}

/// Starts a node; returns when it listens and its jobs and datafeeds are taken up again.
///
/// # Errors
/// Nothing runs and nothing was changed, except that a new data folder may have been made.
pub fn start(settings: Settings) -> Result<RunningNode, StartError> {
    start_with(settings, Clock::system())
}

/// As [`start`], with a clock of the caller's.
///
/// # Errors
/// As [`start`].
pub fn start_with(settings: Settings, clock: Clock) -> Result<RunningNode, StartError> {
    let wanted = settings.address;
    if !matches!(settings.security, Security::Files(_)) && !wanted.ip().is_loopback() {
        return Err(StartError::Exposed { address: wanted });
    }
    let gatekeeper = Arc::new(Gatekeeper::new(&settings.security)?);
    let bind = |source| StartError::Bind { address: wanted, source };
    let listener = TcpListener::bind(wanted).map_err(bind)?;
    listener.set_nonblocking(true).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let store = Store::open_limited(&settings.data, SizeLimit::default(), clock.clone())?;
    let (stop, stopped) = watch::channel(false);
    let (ready, started) = mpsc::channel();
    let shared = Arc::clone(&gatekeeper);
    let parts = Parts { settings, clock, gatekeeper, listener, address, store };
    let thread = thread::Builder::new()
        .name("mlgate-node".to_owned())
        .spawn(move || run(parts, stopped, &ready))
        .map_err(StartError::Threads)?;
    match started.recv() {
        Ok(Ok(())) => Ok(RunningNode { address, stop, gatekeeper: shared, thread }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(StartError::Threads(io::Error::other("the node's thread ended at once"))),
    }
}

impl RunningNode {
    /// Where it listens; with the port that was free, for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Behind the gateway: custom roles come from this file from now on; it is read at once, and followed. Blocking.
    ///
    /// # Errors
    /// A file that is missing or wrong; the last good roles stay.
    pub fn replace_roles(&self, file: Option<PathBuf>) -> Result<(), SecurityProblem> {
        self.gatekeeper.replace_roles(file)
    }

    /// Answers what runs, ends jobs and datafeeds without changing what they are, writes what waits, closes the store. Blocking.
    pub fn stop(self) {
        self.stop.send_replace(true);
        // A panic of the node's thread has been reported when it happened.
        let _ = self.thread.join();
    }
}

struct Parts {
    settings: Settings,
    clock: Clock,
    gatekeeper: Arc<Gatekeeper>,
    listener: TcpListener,
    address: SocketAddr,
    store: Store,
}

fn run(parts: Parts, stopped: watch::Receiver<bool>, ready: &mpsc::Sender<Result<(), StartError>>) {
    let runtime =
        Builder::new_multi_thread().worker_threads(RUNTIME_THREADS).thread_name("mlgate-node-io").enable_all().build();
    let store = parts.store.clone();
    // A start that failed is told to who waits for it; who does not wait any more needs no telling.
    let _ = match runtime {
        Ok(runtime) => match runtime.block_on(live(parts, stopped, ready)) {
            Ok(()) => Ok(()),
            Err(error) => ready.send(Err(error)),
        },
        Err(error) => ready.send(Err(StartError::Threads(error))),
    };
    store.close();
}

async fn live(
    parts: Parts,
    stopped: watch::Receiver<bool>,
    ready: &mpsc::Sender<Result<(), StartError>>,
) -> Result<(), StartError> {
    let Parts { settings, clock, gatekeeper, listener, address, store } = parts;
    let bind = |source| StartError::Bind { address, source };
    let listener = tokio::net::TcpListener::from_std(listener).map_err(bind)?;
    let identity = Identity::load(&store, settings.cluster_name, address).await?;
    let documents = Documents::new(store.clone(), clock.clone());
    let core = Core::new(store, documents, clock, identity);
    let ml = ml::Ml::start(&core).await?;
    let node = Arc::new(Node { core, ml });
    let dispatcher = Dispatcher::new(Arc::clone(&node), Arc::clone(&gatekeeper), Table::new(routes()));
    // Nobody waits for the word when the caller of `start` is gone; then the sender of `stopped` is gone too.
    let _ = ready.send(Ok(()));
    let follower = tokio::spawn(async move { gatekeeper.follow().await });
    server::serve(listener, Arc::new(dispatcher), stopped).await;
    follower.abort();
    node.ml.stop().await;
    Ok(())
}

/// All APIs of the node.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(ml::routes());
    routes
}
