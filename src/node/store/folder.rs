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
use super::overlay::Overlay;
use super::tables::{COUNTERS, DOCUMENTS, FORMAT, FORMAT_VERSION, INDICES, META, ORDERED, STATE};
use super::{OpenError, StoreError};

const LOCK: &str = "node.lock";
const STORE: &str = "store.redb";
const UNFINISHED: &str = "store.new";
/// What Elasticsearch keeps in its data folder: never ours to write to.
const ELASTICSEARCH: [&str; 3] = ["_state", "indices", "nodes"];
const CACHE_BYTES: usize = 64 * 1024 * 1024;
/// What is looked through whole at each start: a second or two.
const CHECKED_BYTES_MAX: u64 = 1024 * 1024 * 1024;

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

    /// Makes the store when the folder has none. Otherwise looks through the one that is there, and writes nothing to it: every
    /// page against its checksum, unless it is larger than [`CHECKED_BYTES_MAX`], and what `read` reads.
    pub(super) fn prepare<T>(&self, read: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<(), OpenError> {
        let store = self.store();
        if !store.try_exists().map_err(|source| self.io(source))? {
            return self.create(&store);
        }
        let (file, bytes) = self.existing()?;
        let overlay = Overlay::new(file).map_err(|source| self.io(source))?;
        let mut builder = builder();
        builder.set_check_integrity_on_open(bytes <= CHECKED_BYTES_MAX);
        self.guarded(|| {
            let opened = builder.create_with_backend(overlay).map_err(|problem| self.refused(&store, problem))?;
            self.read(opened, read).map(drop)
        })
    }

    /// Opens the store that is there; `read` gives what is read from it at once.
    pub(super) fn open<T>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<(Database, T), OpenError> {
        self.guarded(|| {
            let (file, _) = self.existing()?;
            self.read(self.database(&self.store(), file)?, read)
        })
    }

    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
        guarded(work).unwrap_or_else(|| Err(self.damaged(&self.store(), &"its structure is broken")))
    }

    fn read<T>(
        &self,
        database: Database,
        read: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<(Database, T), OpenError> {
        let store = self.store();
        check_format(&database, &store)?;
        let found = read(&database).map_err(|problem| self.damaged(&store, &problem))?;
        Ok((database, found))
    }

    fn store(&self) -> PathBuf {
        self.path.join(STORE)
    }

    fn create(&self, store: &Path) -> Result<(), OpenError> {
        let unfinished = self.path.join(UNFINISHED);
        match fs::remove_file(&unfinished) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => return Err(self.io(problem)),
            _ => {}
        }
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(&unfinished);
        let database = self.database(&unfinished, made.map_err(|source| self.io(source))?)?;
        initialize(&database).map_err(|problem| self.unmade(&unfinished, problem))?;
        drop(database);
        fs::rename(&unfinished, store).map_err(|source| self.io(source))?;
        // The rename is on disk only when the folder is.
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(|source| self.io(source))
    }

    /// The file of the store, and how long it is. redb would take an empty one for a new store.
    fn existing(&self) -> Result<(File, u64), OpenError> {
        let store = self.store();
        let opened = OpenOptions::new().read(true).write(true).open(&store);
        let file = opened.map_err(|source| self.io(source))?;
        match file.metadata().map_err(|source| self.io(source))?.len() {
            0 => Err(self.damaged(&store, &"the file is empty")),
            bytes => Ok((file, bytes)),
        }
    }

    fn database(&self, path: &Path, file: File) -> Result<Database, OpenError> {
        let refused = |problem| self.refused(path, problem);
        let backend = Backend::new(file, self.limit.clone()).map_err(refused)?;
        builder().create_with_backend(backend).map_err(refused)
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

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
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
