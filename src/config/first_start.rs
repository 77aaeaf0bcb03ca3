//! What does not exist yet when `mlgate serve` runs for the first time, and what it makes.

use std::path::{Path, PathBuf};

use super::document::{ClusterDocument, RealmDocument};
use super::file::ConfigFile;

/// Files that `mlgate serve` makes. Only where nothing is there: what exists is never replaced, not even half of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstStart {
    /// The development certificate.
    pub certificate: Option<CertificateFiles>,
    /// The users of the embedded node.
    pub users: Option<UsersFiles>,
}

/// The pair that the shipped config names: `../certs/server.crt` and `../certs/server.key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The files of a file realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsersFiles {
    pub users: PathBuf,
    pub users_roles: PathBuf,
}

impl FirstStart {
    pub(super) fn of(file: &ConfigFile) -> Self {
        Self { certificate: certificate(file), users: users(file) }
    }

    /// Whether `path` is one of the files that will be made.
    pub fn makes(&self, path: &Path) -> bool {
        let certificate = self.certificate.as_ref();
        let users = self.users.as_ref();
        certificate.is_some_and(|files| files.certificate == path || files.key == path)
            || users.is_some_and(|files| files.users == path || files.users_roles == path)
    }
}

/// A certificate of one's own that is missing is a mistake; only the one of the shipped config is made.
fn certificate(file: &ConfigFile) -> Option<CertificateFiles> {
    let shipped =
        CertificateFiles { certificate: file.resolve("../certs/server.crt"), key: file.resolve("../certs/server.key") };
    let named = file
        .document()
        .listeners
        .iter()
        .filter_map(|listener| listener.tls.as_ref())
        .any(|tls| file.resolve(&tls.certificate) == shipped.certificate && file.resolve(&tls.key) == shipped.key);
    (named && missing(&shipped.certificate) && missing(&shipped.key)).then_some(shipped)
}

/// Users are made for the embedded node only: a real cluster has its own.
fn users(file: &ConfigFile) -> Option<UsersFiles> {
    if !file.document().clusters.iter().any(ClusterDocument::is_embedded) {
        return None;
    }
    let realm = file.document().authentication.realms.iter().find_map(|realm| match realm {
        RealmDocument::File(realm) => Some(realm),
        RealmDocument::Jwt(_) | RealmDocument::Pki(_) | RealmDocument::Elasticsearch(_) => None,
    })?;
    let files = UsersFiles { users: file.resolve(&realm.users), users_roles: file.resolve(&realm.users_roles) };
    (missing(&files.users) && missing(&files.users_roles)).then_some(files)
}

/// Nothing at all is there; a dangling link or a folder that may not be entered is something.
fn missing(path: &Path) -> bool {
    matches!(path.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
}
