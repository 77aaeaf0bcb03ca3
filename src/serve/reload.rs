//! New settings for a running gateway: all files together or none of them.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::Signal;

use super::clusters::RunningCluster;
use super::key_sets::KeySetTasks;
use super::problem::StartProblem;
use super::snapshot;
use super::status::Status;
use crate::config::{Backend, ConfigFile, SeenFile, Settings};
use crate::gateway::Shared;
use crate::realm::Verifier;

/// A change of a file is seen within this time.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Owns what a reload exchanges.
pub(super) struct Reloader {
    config: Option<PathBuf>,
    settings: Settings,
    shared: Arc<Shared>,
    clusters: Vec<RunningCluster>,
    verifier: Arc<Verifier>,
    key_sets: KeySetTasks,
    status: Arc<Status>,
    /// As they were when they were last read, good or bad: the same state is not read twice.
    seen: Vec<SeenFile>,
}

impl Reloader {
    pub(super) fn new(
        config: Option<&Path>,
        settings: &Settings,
        shared: Arc<Shared>,
        clusters: Vec<RunningCluster>,
        verifier: Arc<Verifier>,
        key_sets: KeySetTasks,
        status: Arc<Status>,
    ) -> Self {
        let seen = settings.files.clone();
        let config = config.map(Path::to_owned);
        Self { config, settings: settings.clone(), shared, clusters, verifier, key_sets, status, seen }
    }

    /// Reloads at SIGHUP, and when a file has changed; runs until it is dropped.
    pub(super) async fn run(&mut self, mut hang_up: Signal) -> Infallible {
        loop {
            let asked = tokio::select! {
                Some(()) = hang_up.recv() => true,
                () = tokio::time::sleep(LOOK_INTERVAL) => false,
            };
            if asked || self.seen.iter().any(SeenFile::has_changed) {
                self.seen = self.settings.files.iter().map(|file| SeenFile::look(&file.path)).collect();
                self.reload();
            }
        }
    }

    fn reload(&mut self) {
        let outcome = self.try_reload();
        match &outcome {
            Ok(()) => tracing::info!("reloaded"),
            Err(problem) => {
                tracing::error!(error = problem as &dyn std::error::Error, "not reloaded: the last good settings stay")
            }
        }
        self.status.reloaded(outcome.map_err(|problem| problem.to_string()));
    }

    /// Reads everything, then exchanges everything.
    fn try_reload(&mut self) -> Result<(), StartProblem> {
        let settings = ConfigFile::read(self.config.as_deref())?.settings()?;
        unchangeable(&self.settings, &settings)?;
        let runtime = Handle::current();
        for (running, cluster) in self.clusters.iter_mut().zip(&settings.clusters) {
            running.rearrange(cluster, &settings, &runtime)?;
        }
        self.shared.replace(snapshot(&settings, &self.clusters, &self.verifier, Some(&self.shared.realms()))?);
        let key_sets = KeySetTasks::start(&self.shared.realms(), &runtime);
        std::mem::replace(&mut self.key_sets, key_sets).retire(&runtime);
        self.status.follow(&self.clusters);
        // Not as they are now: what has changed since they were read is still to be read.
        self.seen.clone_from(&settings.files);
        self.settings = settings;
        Ok(())
    }

    pub(super) fn stop(self) {
        self.clusters.into_iter().for_each(RunningCluster::stop);
    }
}

/// What sockets, threads and data folders were made for stays until a restart.
fn unchangeable(before: &Settings, after: &Settings) -> Result<(), StartProblem> {
    let changed = |key, same: bool| if same { Ok(()) } else { Err(StartProblem::NeedsRestart { key }) };
    let addresses = |settings: &Settings| settings.listeners.iter().map(|each| each.address).collect::<Vec<_>>();
    let names = |settings: &Settings| settings.clusters.iter().map(|each| each.name.clone()).collect::<Vec<_>>();
    let data = |settings: &Settings| {
        let folder = |backend: &Backend| match backend {
            Backend::Embedded(embedded) => Some(embedded.node.data.clone()),
            Backend::Nodes(_) => None,
        };
        settings.clusters.iter().map(|cluster| folder(&cluster.backend)).collect::<Vec<_>>()
    };
    changed("listeners", addresses(before) == addresses(after))?;
    changed("workers", before.workers == after.workers)?;
    changed("clusters", names(before) == names(after) && data(before) == data(after))?;
    changed(
        "admin",
        before.admin.as_ref().map(|admin| admin.address) == after.admin.as_ref().map(|admin| admin.address),
    )?;
    changed("state", before.gate.journal == after.gate.journal)
}
