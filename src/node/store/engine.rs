//! The open file, and what all readers share of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use redb::{Database, ReadableDatabase, ReadableTable, StorageError};
use tokio::sync::watch;

use super::folder::Folder;
use super::reader::Reader;
use super::tables::INDICES;
use super::{OpenError, StoreError};
use crate::node::indices::{Catalogue, IndexMetadata};

/// The database, the indices in it and the number of the last commit.
#[derive(Debug)]
pub(super) struct Engine {
    folder: Folder,
    /// `None` while it could not be reopened after an input or output error.
    database: RwLock<Option<Database>>,
    catalogue: ArcSwap<Catalogue>,
    commits: watch::Sender<u64>,
}

impl Engine {
    pub(super) fn open(folder: Folder) -> Result<Self, OpenError> {
        folder.prepare(read_catalogue)?;
        let (database, catalogue) = folder.open(read_catalogue)?;
        let (commits, _) = watch::channel(0);
        Ok(Self { folder, database: RwLock::new(Some(database)), catalogue: ArcSwap::from_pointee(catalogue), commits })
    }

    pub(super) fn commits(&self) -> &watch::Sender<u64> {
        &self.commits
    }

    pub(super) fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// Shows a commit to readers and wakes those who wait for one.
    pub(super) fn publish(&self, catalogue: Arc<Catalogue>) {
        self.catalogue.store(catalogue);
        self.commits.send_modify(|number| *number += 1);
    }

    /// Works on the database; the lock is shared, and held for as long as `work` takes. A panic, with which redb may meet a page
    /// that the disk has damaged, has been reported when it happened, and fails this work only.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match guard.as_ref() {
            Some(database) => catch_unwind(AssertUnwindSafe(|| work(database)))
                .unwrap_or_else(|_| Err(StoreError::Unavailable { problem: "its structure is broken".to_owned() })),
            None => Err(StoreError::Unavailable { problem: "it is being reopened".to_owned() }),
        }
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(|database| {
            let transaction = database.begin_read().map_err(failed)?;
            work(&Reader::new(transaction, self.catalogue())?)
        })
    }

    /// After an error of the disk redb takes no more writes: closes the file and opens it again, once readers are done.
    pub(super) fn reopen(&self) -> Result<(), StoreError> {
        let mut guard = self.database.write().unwrap_or_else(PoisonError::into_inner);
        drop(guard.take());
        let opened = self.folder.open(read_catalogue);
        let (database, catalogue) =
            opened.map_err(|problem| StoreError::Unavailable { problem: problem.to_string() })?;
        self.catalogue.store(Arc::new(catalogue));
        *guard = Some(database);
        Ok(())
    }
}

fn read_catalogue(database: &Database) -> Result<Catalogue, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(INDICES).map_err(failed)?;
    let mut catalogue = Catalogue::default();
    for entry in table.iter().map_err(failed)? {
        let (name, record) = entry.map_err(failed)?;
        let index = IndexMetadata::from_record(name.value(), record.value());
        catalogue.put(index.ok_or_else(|| StoreError::Record { key: name.value().to_owned() })?);
    }
    Ok(catalogue)
}

/// What an error of redb means for callers.
pub(super) fn failed(error: impl Into<redb::Error>) -> StoreError {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.into() {
        redb::Error::Io(problem) if matches!(problem.kind(), StorageFull | QuotaExceeded | FileTooLarge) => {
            StoreError::Full
        }
        redb::Error::ValueTooLarge(_) => StoreError::Full,
        other => StoreError::Unavailable { problem: other.to_string() },
    }
}

/// As [`failed`], for the error that tables give.
pub(super) fn broken(error: StorageError) -> StoreError {
    failed(error)
}
