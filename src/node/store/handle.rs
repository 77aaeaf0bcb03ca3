//! The handle that everybody holds.

use std::path::Path;

use bytes::Bytes;
use tokio::sync::watch;

use super::{Batch, Committed, OpenError, StoreError};

/// The node's store; clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    commits: watch::Sender<u64>,
}

impl Store {
    /// Opens the store below `folder`, which is made when it is missing, and starts its writer thread.
    ///
    /// # Errors
    /// A folder in use, foreign, damaged, of another version, or not readable; nothing in it is changed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let _ = folder;
        Ok(Self { commits: watch::channel(0).0 })
    }

    /// Writes a batch; the answer comes when it is synced. Dropping the future does not take the batch back.
    ///
    /// # Errors
    /// Nothing of the batch is on disk, unless it is `Unavailable`: then it may be.
    pub async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        drop(batch);
        Err(StoreError::Closed)
    }

    /// The value of a state key.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn state(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let _ = key;
        Err(StoreError::Closed)
    }

    /// All state keys that start with `prefix`, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn state_prefix(&self, prefix: &str) -> Result<Vec<(String, Bytes)>, StoreError> {
        let _ = prefix;
        Err(StoreError::Closed)
    }

    /// The number of the last commit; changes with each group that is on disk.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }
}
