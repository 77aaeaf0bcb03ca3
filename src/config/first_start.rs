//! What does not exist yet when `mlgate serve` runs for the first time, and what it makes.

use std::path::{Path, PathBuf};

use super::document::{ClusterDocument, RealmDocument};
use super::file::ConfigFile;

/// Files that `mlgate serve` makes. Only where nothing is there: what exists is never replaced, not even half of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstStart {
    /// The shipped config, where there is none at all.
    pub config: Vec<ShippedFile>,
    /// The development certificate.
    pub certificate: Option<CertificateFiles>,
    /// The users of the embedded node.
    pub users: Option<UsersFiles>,
}

/// A file of the shipped config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippedFile {
    pub path: PathBuf,
    pub content: &'static str,
}

/// Beside each other in `config`, the config itself first.
const SHIPPED: [(&str, &str); 3] = [
    ("mlgate.yml", include_str!("../../config/mlgate.yml")),
    ("roles.yml", include_str!("../../config/roles.yml")),
    ("role_mapping.yml", include_str!("../../config/role_mapping.yml")),
];

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
        let certificate = certificate(file).filter(|files| missing(&files.certificate) && missing(&files.key));
        let users = users(file).filter(|files| missing(&files.users) && missing(&files.users_roles));
        Self { config: config(file), certificate, users }
    }

    /// What a first start made or would make, whether it is there or not.
    pub(super) fn whole(file: &ConfigFile) -> Self {
        Self { config: Vec::new(), certificate: certificate(file), users: users(file) }
    }

    /// What will stand in `path`, if it is one of the shipped files.
    pub(super) fn content(&self, path: &Path) -> Option<&'static str> {
        self.config.iter().find(|file| file.path == path).map(|file| file.content)
    }

    /// Whether `path` is one of the files that will be made.
    pub fn makes(&self, path: &Path) -> bool {
        let certificate = self.certificate.as_ref();
        let users = self.users.as_ref();
        certificate.is_some_and(|files| files.certificate == path || files.key == path)
            || users.is_some_and(|files| files.users == path || files.users_roles == path)
    }
}

/// Only together: a config without its roles is a mistake.
fn config(file: &ConfigFile) -> Vec<ShippedFile> {
    if file.exists() {
        return Vec::new();
    }
    let files = SHIPPED.map(|(name, content)| ShippedFile { path: file.resolve(name), content });
    files.into_iter().filter(|file| missing(&file.path)).collect()
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
    named.then_some(shipped)
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
    Some(UsersFiles { users: file.resolve(&realm.users), users_roles: file.resolve(&realm.users_roles) })
}

/// Nothing at all is there; a dangling link or a folder that may not be entered is something.
fn missing(path: &Path) -> bool {
    matches!(path.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
}
