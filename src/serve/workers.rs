//! The worker threads: one core each, a single-threaded runtime each, sockets and caches of their own.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::LocalSet;

use super::problem::StartProblem;
use crate::audit;
use crate::gateway::recorder::Recorder;
use crate::gateway::worker::{self, Worker};
use crate::gateway::{Shared, listener};
use crate::telemetry::metrics::Page;

/// All worker threads.
pub(super) struct Workers {
    threads: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    scrapes: Scrapes,
    /// Says something when a thread ends.
    ended: mpsc::UnboundedReceiver<usize>,
}

/// Asks each worker in turn to add its counts to a page.
#[derive(Clone)]
pub(super) struct Scrapes(Arc<[mpsc::Sender<Scrape>]>);

struct Scrape {
    page: Page,
    back: oneshot::Sender<Page>,
}

/// The sockets of all workers, and the addresses that they have in fact.
pub(super) struct Sockets {
    by_worker: Vec<Vec<TcpListener>>,
    pub(super) addresses: Vec<SocketAddr>,
}

impl Sockets {
    /// Opens a socket for each worker and address. With port 0 the first one finds the port.
    ///
    /// # Errors
    /// An address that is in use or not ours.
    pub(super) fn open(addresses: &[SocketAddr], workers: usize) -> Result<Self, StartProblem> {
        let mut by_worker: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
        let mut bound = Vec::new();
        for wanted in addresses {
            let problem = |source| StartProblem::Bind { address: *wanted, source };
            let mut address = *wanted;
            for sockets in &mut by_worker {
                let socket = listener::bind(address).map_err(problem)?;
                address = socket.local_addr().map_err(problem)?;
                sockets.push(socket);
            }
            bound.push(address);
        }
        Ok(Self { by_worker, addresses: bound })
    }
}

impl Workers {
    /// Starts a thread for each sender; each accepts once this returns.
    ///
    /// # Errors
    /// A thread or runtime that cannot be started.
    pub(super) fn start(sockets: Sockets, shared: &Arc<Shared>, senders: Vec<audit::Sender>) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (told, ended) = mpsc::unbounded_channel();
        let count = sockets.by_worker.len();
        let (mut threads, mut scrapes) = (Vec::new(), Vec::new());
        for (index, (listeners, sender)) in sockets.by_worker.into_iter().zip(senders).enumerate() {
            let (scrape, asked) = mpsc::channel(4);
            let (shared, stop, told) = (Arc::clone(shared), stopped.clone(), told.clone());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            threads.push(thread::Builder::new().name(format!("mlgate-worker-{index}")).spawn(move || {
                let _told = ToldAtEnd { told, index };
                let recorder = Rc::new(Recorder::new(sender));
                let tasks = LocalSet::new();
                tasks.spawn_local(answer_scrapes(asked, Rc::clone(&recorder)));
                let worker = Worker { index, count, listeners, shared, stop, recorder };
                if let Err(error) = runtime.block_on(tasks.run_until(worker::run(worker))) {
                    tracing::error!(%error, worker = index, "a worker cannot run");
                }
            })?);
            scrapes.push(scrape);
        }
        Ok(Self { threads, stop, scrapes: Scrapes(scrapes.into()), ended })
    }

    pub(super) fn scrapes(&self) -> Scrapes {
        self.scrapes.clone()
    }

    /// Until a worker ends by itself, which none should.
    pub(super) async fn one_ended(&mut self) -> Option<usize> {
        self.ended.recv().await
    }

    /// Drains and joins all of them.
    pub(super) fn stop(self) {
        // Without receivers there is nobody left to stop.
        let _nobody = self.stop.send(true);
        for thread in self.threads {
            // A panic has been reported by the panic hook.
            let _panicked = thread.join();
        }
    }
}

impl Scrapes {
    /// The counts of all workers that still answer, added to `page`.
    pub(super) async fn collect(&self, mut page: Page) -> Page {
        for worker in self.0.iter() {
            let (back, came_back) = oneshot::channel();
            let kept = page.clone();
            page = match worker.send(Scrape { page, back }).await {
                Ok(()) => came_back.await.unwrap_or(kept),
                Err(_) => kept,
            };
        }
        page
    }
}

async fn answer_scrapes(mut asked: mpsc::Receiver<Scrape>, recorder: Rc<Recorder>) {
    while let Some(Scrape { mut page, back }) = asked.recv().await {
        recorder.copy_into(&mut page);
        // A scraper that went away needs no answer.
        let _gone = back.send(page);
    }
}

/// Also when the thread panics.
struct ToldAtEnd {
    told: mpsc::UnboundedSender<usize>,
    index: usize,
}

impl Drop for ToldAtEnd {
    fn drop(&mut self) {
        // Nobody listens once the process stops.
        let _gone = self.told.send(self.index);
    }
}
