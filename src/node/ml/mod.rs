//! Machine learning on the node: jobs, datafeeds, results, upgrade mode.
//!
//! Everything that is to be is in the `metadata`: one immutable value, changed one change at a time by the `cluster`, on disk
//! before it is visible. What runs follows from it: `reconcile` starts and ends the tasks of this node. Requests change the metadata
//! and wait for it, or for the tasks, to become as they asked.

mod cluster;
mod configuration;
mod detector;
mod duration;
mod feed;
mod forecast;
mod identifier;
mod indices;
mod job;
mod local;
mod maintenance;
mod metadata;
mod notification;
mod operation;
mod persistent;
mod problem;
mod reconcile;
mod reset;
mod rest;
mod result_fields;
mod state_key;
mod stored;
#[cfg(test)]
mod tests;
mod upgrade_mode;

use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::router::Route;
use crate::node::store::StoreError;
use cluster::Cluster;
use local::LocalTasks;

/// The version that jobs say they were made by.
const JOB_VERSION: &str = "9.1.0";

/// What requests and tasks share.
#[derive(Debug)]
pub(crate) struct Parts {
    cluster: Cluster,
    local: LocalTasks,
    /// Held by the one request that may switch upgrade mode.
    switching: Mutex<()>,
}

/// What runs: jobs, datafeeds.
pub struct Ml {
    parts: Arc<Parts>,
    stop: watch::Sender<bool>,
    reconciler: Mutex<Option<JoinHandle<()>>>,
}

impl Ml {
    /// Takes up what ran when the node stopped. Called once, inside the node's runtime.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(core: &Core) -> Result<Self, StoreError> {
        indices::ensure_own(core).await.map_err(unreadable)?;
        let cluster = Cluster::load(core.clone()).await.map_err(unreadable)?;
        let last_task = cluster.now().blocked.values().map(|blocked| blocked.task).max().unwrap_or(0);
        let parts = Arc::new(Parts { cluster, local: LocalTasks::new(last_task), switching: Mutex::new(()) });
        let (stop, stopped) = watch::channel(false);
        // The first request finds open what was open.
        reconcile::take_up(&parts);
        tokio::spawn(maintenance::daily(Arc::clone(&parts), stopped.clone()));
        let reconciler = tokio::spawn(reconcile::run(Arc::clone(&parts), stopped));
        Ok(Self { parts, stop, reconciler: Mutex::new(Some(reconciler)) })
    }

    /// Ends what runs, without changing what it will be after a restart.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let reconciler = self.reconciler.lock().await.take();
        if let Some(reconciler) = reconciler {
            // It ends by itself when the tasks have ended; a panic in it has been reported by the runtime.
            let _ = reconciler.await;
        }
    }
}

fn unreadable(problem: ApiError) -> StoreError {
    StoreError::Unavailable { problem: problem.reason().to_owned() }
}

/// The ML routes of the node.
pub fn routes() -> Vec<Route> {
    rest::routes()
}
