//! The handle that everybody holds.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::backend::SizeLimit;
use super::engine::Engine;
use super::folder::Folder;
use super::reader::Reader;
use super::writer::{self, Pending};
use super::{Batch, Committed, OpenError, StoreError};
use crate::node::clock::Clock;
use crate::node::indices::Catalogue;

/// Batches that wait at most.
const QUEUE_MAX: usize = 4096;
/// KiB of batches that wait at most; who comes later waits before the queue.
const QUEUE_KIB_MAX: u32 = 64 * 1024;

/// The node's store; clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Arc<Engine>,
    queue: Arc<Mutex<Option<mpsc::Sender<Pending>>>>,
    room: Arc<Semaphore>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Store {
    /// Opens the store in `folder`, which is made when it is missing, and starts its writer thread.
    ///
    /// # Errors
    /// A folder in use, foreign, damaged, of another version, or not readable; nothing in it is changed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_limited(folder, SizeLimit::default(), Clock::system())
    }

    /// As [`Store::open`], with a file that may not grow beyond `limit`.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_limited(folder: &Path, limit: SizeLimit, clock: Clock) -> Result<Self, OpenError> {
        let engine = Arc::new(Engine::open(Folder::lock(folder, limit)?)?);
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let shared = Arc::clone(&engine);
        let writer = thread::Builder::new()
            .name("mlgate-store".to_owned())
            .spawn(move || writer::run(&shared, waiting, &clock))
            .map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
        Ok(Self {
            engine,
            queue: Arc::new(Mutex::new(Some(queue))),
            room: Arc::new(Semaphore::new(QUEUE_KIB_MAX as usize)),
            writer: Arc::new(Mutex::new(Some(writer))),
        })
    }

    /// Writes a batch; the answer comes when it is synced. Dropping the future after it was first polled does not take the
    /// batch back.
    ///
    /// # Errors
    /// Nothing of the batch is on disk, unless it is `Unavailable`: then it may be.
    pub async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        if batch.is_empty() {
            return Ok(Committed { outcomes: Vec::new() });
        }
        let kib = u32::try_from(batch.bytes() / 1024 + 1).unwrap_or(QUEUE_KIB_MAX).min(QUEUE_KIB_MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await;
        let permit = room.map_err(|_| StoreError::Closed)?;
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (answer, answered) = oneshot::channel();
        let pending = Pending { batch, answer, _permit: permit };
        queue.ok_or(StoreError::Closed)?.send(pending).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Writes what waits, ends the writer thread and closes the file. Blocking. Later commits are `Closed`.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A panic of the writer was reported when it happened.
            let _ = writer.join();
        }
    }

    /// Reads at one moment. Blocking: short reads may run on async threads, scans belong on `spawn_blocking`.
    ///
    /// # Errors
    /// The store cannot be read, and what `work` gives.
    pub fn read<T>(&self, work: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.engine.read(work)
    }

    /// The value of a state key.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn state(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.read(|reader| reader.state(key))
    }

    /// All state keys that start with `prefix`, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn state_prefix(&self, prefix: &str) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.read(|reader| reader.state_prefix(prefix))
    }

    /// The indices as of the last commit.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.engine.catalogue()
    }

    /// The number of the last commit; changes with each group that is on disk.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.engine.commits().subscribe()
    }
}
