//! Credentials to principal.

use std::path::PathBuf;
use std::time::Duration;

/// Everything about authentication, read and parsed.
#[derive(Clone, Debug)]
pub struct Settings {
    pub required: Required,
    /// In the order in which they are tried.
    pub realms: Vec<RealmSettings>,
    pub anonymous: Option<Anonymous>,
    pub cache: CacheSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    All,
    /// Requests that are not ML may come without credentials.
    Ml,
}

#[derive(Clone, Debug)]
pub struct Anonymous {
    pub username: String,
    pub roles: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct CacheSettings {
    pub ttl: Duration,
    /// Entries of all workers together.
    pub max_entries: usize,
}

#[derive(Clone, Debug)]
pub enum RealmSettings {
    File { name: String, users: PathBuf, users_roles: PathBuf },
}
