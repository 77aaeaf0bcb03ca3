//! Changes the metadata one change at a time: on disk first, then visible to everybody.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::metadata::Metadata;
use super::stored;
use crate::node::Core;
use crate::node::http::ApiError;
use crate::node::store::Batch;

/// The metadata and the right to change it.
#[derive(Debug)]
pub(crate) struct Cluster {
    core: Core,
    current: watch::Sender<Arc<Metadata>>,
    turn: Mutex<()>,
}

impl Cluster {
    /// Reads the metadata; the tasks get new allocations, as nothing runs yet.
    ///
    /// # Errors
    /// The store cannot be read or written, or holds what this program did not write.
    pub(crate) async fn load(core: Core) -> Result<Self, ApiError> {
        let metadata = stored::load(&core)?;
        let cluster = Self { core, current: watch::channel(Arc::new(metadata)).0, turn: Mutex::new(()) };
        cluster
            .update(|metadata, _| {
                metadata.reallocate();
                Ok(())
            })
            .await?;
        Ok(cluster)
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// The metadata as it is on disk.
    pub(crate) fn now(&self) -> Arc<Metadata> {
        Arc::clone(&self.current.borrow())
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Metadata>> {
        self.current.subscribe()
    }

    /// Makes a change. What it puts into the batch is written with it; the metadata's own keys follow from the difference.
    ///
    /// To be awaited to its end: a change that is on disk must become visible.
    ///
    /// # Errors
    /// What the change itself refuses; then, and when the store fails, nothing has changed.
    pub(crate) async fn update<T>(
        &self,
        change: impl FnOnce(&mut Metadata, &mut Batch) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let _turn = self.turn.lock().await;
        let before = self.now();
        let mut after = Metadata::clone(&before);
        let mut batch = Batch::new();
        let answer = change(&mut after, &mut batch)?;
        after.version += 1;
        stored::write_difference(&before, &after, &mut batch)?;
        if !batch.is_empty() {
            // The state keys are the truth: a document that was refused must not keep them from becoming visible.
            if let Err(problem) = self.core.store.commit(batch).await?.all() {
                tracing::error!(%problem, "a document of an ML index was refused");
            }
        }
        self.current.send_replace(Arc::new(after));
        Ok(answer)
    }

    /// Waits until the metadata is as wanted; `false` when `timeout_ms` has passed before that.
    pub(crate) async fn wait(&self, timeout_ms: i64, mut wanted: impl FnMut(&Metadata) -> bool) -> bool {
        let mut changes = self.subscribe();
        let reached = changes.wait_for(|metadata| wanted(metadata));
        within(timeout_ms, reached).await.is_some_and(|seen| seen.is_ok())
    }
}

/// Awaits for at most so many milliseconds.
pub(crate) async fn within<F: Future>(timeout_ms: i64, future: F) -> Option<F::Output> {
    // A year is longer than any process is waited for, and still a duration that timers can add to now.
    const LONGEST: Duration = Duration::from_secs(31_536_000);
    let timeout = Duration::from_millis(timeout_ms.max(0).unsigned_abs()).min(LONGEST);
    tokio::time::timeout(timeout, future).await.ok()
}
