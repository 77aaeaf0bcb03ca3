//! The data folder: who may use it, and what makes it ours.
//!
//! `node.lock` is locked by the process that uses the folder; `store.redb` is the store. A new store is made as `store.new` and
//! renamed when it is whole, so that a `store.redb` is always one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError};

use super::backend::{Backend, SizeLimit};
use super::guarded::guarded;
use super::tables::{COUNTERS, DOCUMENTS, FORMAT, FORMAT_VERSION, INDICES, META, ORDERED, STATE};
use super::{OpenError, StoreError};

const LOCK: &str = "node.lock";
const STORE: &str = "store.redb";
const UNFINISHED: &str = "store.new";
/// What Elasticsearch keeps in its data folder: never ours to write to.
const ELASTICSEARCH: [&str; 3] = ["_state", "indices", "nodes"];
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// A folder that this process has locked.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    limit: SizeLimit,
    _lock: File,
}

impl Folder {
    /// Locks the folder, which is made when it is missing.
    pub(super) fn lock(path: &Path, limit: SizeLimit) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(io)?;
        refuse_foreign(path)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let lock = options.open(path.join(LOCK)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), limit, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// Opens the store, or makes it when the folder has none; `read` gives what is read from it at once.
    pub(super) fn open<T>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<(Database, T), OpenError> {
        let opened = guarded(|| {
            let database = self.whole()?;
            let found = read(&database).map_err(|problem| self.damaged(&self.path.join(STORE), &problem))?;
            Ok((database, found))
        });
        opened.unwrap_or_else(|| Err(self.damaged(&self.path.join(STORE), &"its structure is broken")))
    }

    fn whole(&self) -> Result<Database, OpenError> {
        let store = self.path.join(STORE);
        if !store.try_exists().map_err(|source| self.io(source))? {
            self.create(&store)?;
        }
        // An empty file would be taken for a new store.
        if fs::metadata(&store).map_err(|source| self.io(source))?.len() == 0 {
            return Err(OpenError::Damaged { path: store, problem: "the file is empty".to_owned() });
        }
        let database = self.database(&store, false)?;
        check_format(&database, &store)?;
        Ok(database)
    }

    fn create(&self, store: &Path) -> Result<(), OpenError> {
        let unfinished = self.path.join(UNFINISHED);
        match fs::remove_file(&unfinished) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => return Err(self.io(problem)),
            _ => {}
        }
        let database = self.database(&unfinished, true)?;
        initialize(&database).map_err(|problem| self.unmade(&unfinished, problem))?;
        drop(database);
        fs::rename(&unfinished, store).map_err(|source| self.io(source))?;
        // The rename is on disk only when the folder is.
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(|source| self.io(source))
    }

    fn database(&self, file: &Path, create: bool) -> Result<Database, OpenError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create);
        let opened = options.open(file).map_err(|source| self.io(source))?;
        let backend = Backend::new(opened, self.limit.clone()).map_err(|problem| self.refused(file, problem))?;
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        builder.create_with_backend(backend).map_err(|problem| self.refused(file, problem))
    }

    fn refused(&self, file: &Path, problem: DatabaseError) -> OpenError {
        match problem {
            DatabaseError::DatabaseAlreadyOpen => OpenError::Locked(self.path.clone()),
            DatabaseError::Storage(StorageError::Io(source))
                if !matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                self.io(source)
            }
            other => self.damaged(file, &other),
        }
    }

    /// A new store that could not be written: there is nothing in it that could be damaged.
    fn unmade(&self, file: &Path, problem: redb::Error) -> OpenError {
        match problem {
            redb::Error::Io(source) => self.io(source),
            other => self.damaged(file, &other),
        }
    }

    fn damaged(&self, file: &Path, problem: &dyn std::fmt::Display) -> OpenError {
        OpenError::Damaged { path: file.to_owned(), problem: problem.to_string() }
    }

    fn io(&self, source: io::Error) -> OpenError {
        OpenError::Io { path: self.path.clone(), source }
    }
}

fn refuse_foreign(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    if path.join(STORE).try_exists().map_err(io)? {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(io)? {
        let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
        // The gateway may keep folders of its own beside the store.
        let foreign = ELASTICSEARCH.contains(&name.as_str()) || path.join(&name).is_file();
        if foreign && name != LOCK && name != UNFINISHED {
            return Err(OpenError::Foreign { path: path.to_owned(), found: name });
        }
    }
    Ok(())
}

fn initialize(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(FORMAT, FORMAT_VERSION)?;
    transaction.open_table(STATE)?;
    transaction.open_table(INDICES)?;
    transaction.open_table(COUNTERS)?;
    transaction.open_table(DOCUMENTS)?;
    transaction.open_table(ORDERED)?;
    transaction.commit()?;
    Ok(())
}

fn check_format(database: &Database, store: &Path) -> Result<(), OpenError> {
    let found = read_format(database)
        .map_err(|problem| OpenError::Damaged { path: store.to_owned(), problem: problem.to_string() })?;
    match found {
        Some(FORMAT_VERSION) => Ok(()),
        Some(found) => Err(OpenError::Version { path: store.to_owned(), found, expected: FORMAT_VERSION }),
        None => Err(OpenError::Damaged { path: store.to_owned(), problem: "it has no format version".to_owned() }),
    }
}

fn read_format(database: &Database) -> Result<Option<u64>, redb::Error> {
    let transaction = database.begin_read()?;
    let meta = transaction.open_table(META)?;
    Ok(meta.get(FORMAT)?.map(|version| version.value()))
}
