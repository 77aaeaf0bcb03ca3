//! Composition root: settings to running parts, reload, shutdown.

mod api;
mod clusters;
pub mod first_start;
mod greeting;
mod key_sets;
mod problem;
mod reload;
mod signals;
mod status;
mod workers;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::audit::Auditor;
use crate::config::{ConfigFile, Settings};
use crate::gateway::{Shared, Snapshot};
use crate::realm::{Realms, RunAs, Verifier};
use crate::telemetry::log;
use crate::{admin, gateway};

use api::Api;
use clusters::RunningCluster;
use key_sets::KeySetTasks;
use reload::Reloader;
use signals::Signals;
use status::Status;
use workers::{Sockets, Workers};

pub use problem::StartProblem;

/// Threads that hash passwords: slow by design, and never the workers' own work.
const VERIFIER_THREADS: usize = 2;
/// Passwords that wait to be hashed; more are answered 429.
const VERIFIER_QUEUE: usize = 256;
/// For what the control plane does when the gateway ends; then it is left.
const CONTROL_END: Duration = Duration::from_secs(1);

/// Runs the gateway until it is told to stop (SIGTERM, SIGINT).
///
/// # Errors
/// What keeps it from starting. Later problems are logged.
pub fn run(config: Option<&Path>) -> Result<(), StartProblem> {
    let file = ConfigFile::read(config)?;
    let made = first_start::make(&file.first_start())?;
    // A config that was just written is read like any other, and watched for changes.
    let file = if made.config.is_some() { ConfigFile::read(config)? } else { file };
    greeting::made(&file, &made);
    let settings = file.settings()?;
    log::start(&settings.logging.level, settings.logging.format);
    let running = Running::start(config, &settings)?;
    running.announce(&settings);
    greeting::lines_to_copy(&running.url(&settings), &made);
    running.supervise();
    Ok(())
}

/// Everything that runs.
struct Running {
    control: Runtime,
    workers: Workers,
    reloader: Reloader,
    signals: Signals,
    auditor: Auditor,
    addresses: Vec<std::net::SocketAddr>,
    admin: Option<std::net::SocketAddr>,
}

impl Running {
    fn start(config: Option<&Path>, settings: &Settings) -> Result<Self, StartProblem> {
        // Sockets first: an address in use is found before a node has started.
        let wanted: Vec<_> = settings.listeners.iter().map(|listener| listener.address).collect();
        let sockets = Sockets::open(&wanted, settings.workers)?;
        let addresses = sockets.addresses.clone();
        let control = control_plane().map_err(StartProblem::Threads)?;
        let signals = {
            let _inside = control.enter();
            Signals::listen().map_err(StartProblem::Signals)?
        };
        let verifier = Verifier::start(VERIFIER_THREADS, VERIFIER_QUEUE).map_err(StartProblem::Threads)?;
        let (auditor, senders) = Auditor::start(&settings.audit, settings.workers).map_err(StartProblem::Audit)?;
        let clusters = start_clusters(settings, control.handle(), &auditor)?;
        let verifier = Arc::new(verifier);
        let shared = Shared::new(snapshot(settings, &clusters, &verifier, None)?);
        let key_sets = KeySetTasks::start(&shared.realms(), control.handle());
        let workers = Workers::start(sockets, &shared, senders).map_err(StartProblem::Threads)?;
        let status = Arc::new(Status::new(workers.scrapes(), Arc::clone(&shared), addresses.clone()));
        status.follow(&clusters);
        let admin = start_admin(settings, control.handle(), &shared, &status)?;
        let reloader = Reloader::new(config, settings, shared, clusters, verifier, key_sets, status);
        Ok(Self { control, workers, reloader, signals, auditor, addresses, admin })
    }

    /// One line an address, once all accept.
    fn announce(&self, settings: &Settings) {
        for (listener, address) in settings.listeners.iter().zip(&self.addresses) {
            tracing::info!(url.full = url(listener, *address), "listening");
        }
        if let Some(address) = self.admin {
            tracing::info!(url.full = format!("http://{address}"), "listening");
        }
    }

    fn url(&self, settings: &Settings) -> String {
        let first = settings.listeners.iter().zip(&self.addresses).next();
        first.map(|(listener, address)| url(listener, *address)).unwrap_or_default()
    }

    /// Until a signal or the end of a worker; then drains.
    fn supervise(self) {
        let Self { control, mut workers, mut reloader, signals, auditor, .. } = self;
        let (stop, hang_up) = signals.split();
        control.block_on(async {
            tokio::select! {
                () = stop => tracing::info!("stopping: draining connections"),
                Some(worker) = workers.one_ended() => tracing::error!(worker, "a worker ended: stopping"),
                never = reloader.run(hang_up) => match never {},
            }
        });
        workers.stop();
        reloader.stop();
        // A switch that is cut off tells the audit trail.
        control.shutdown_timeout(CONTROL_END);
        auditor.finish();
        tracing::info!("stopped");
    }
}

fn url(listener: &gateway::ListenerSettings, address: std::net::SocketAddr) -> String {
    let scheme = if listener.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// Health, gates, admin, reload: nothing here is on the path of a request.
fn control_plane() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).thread_name("mlgate-control").enable_all().build()
}

fn start_clusters(
    settings: &Settings,
    runtime: &Handle,
    auditor: &Auditor,
) -> Result<Vec<RunningCluster>, StartProblem> {
    let start = |cluster| RunningCluster::start(cluster, settings, runtime, auditor.control());
    settings.clusters.iter().map(start).collect()
}

/// What the data plane decides by; `clusters` in the order of the settings, `earlier` the realms before a reload.
fn snapshot(
    settings: &Settings,
    clusters: &[RunningCluster],
    verifier: &Arc<Verifier>,
    earlier: Option<&Realms>,
) -> Result<Snapshot, StartProblem> {
    let realms = Realms::build_after(earlier, &settings.authentication, Arc::clone(verifier))?;
    let pairs = clusters.iter().zip(&settings.clusters);
    Ok(Snapshot {
        listeners: settings.listeners.clone(),
        clusters: pairs.map(|(running, cluster)| running.snapshot(cluster)).collect::<Result<_, _>>()?,
        realms: Arc::new(realms),
        roles: settings.roles.clone(),
        run_as: RunAs::of(&settings.roles),
        limits: settings.limits,
        timeouts: settings.timeouts,
    })
}

fn start_admin(
    settings: &Settings,
    runtime: &Handle,
    shared: &Arc<Shared>,
    status: &Arc<Status>,
) -> Result<Option<std::net::SocketAddr>, StartProblem> {
    let Some(admin) = &settings.admin else { return Ok(None) };
    let problem = |source| StartProblem::Bind { address: admin.address, source };
    let socket = std::net::TcpListener::bind(admin.address).map_err(problem)?;
    socket.set_nonblocking(true).map_err(problem)?;
    let address = socket.local_addr().map_err(problem)?;
    let _inside = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(socket).map_err(problem)?;
    let api = Api::start(Arc::clone(shared), settings.workers, Arc::clone(status)).map_err(StartProblem::Threads)?;
    let sources = status::sources(status, api);
    runtime.spawn(async move {
        let never: Infallible = admin::run(listener, sources).await;
        match never {}
    });
    Ok(Some(address))
}
