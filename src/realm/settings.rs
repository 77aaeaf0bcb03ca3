//! What the realms rely on: read, parsed and valid.

use std::time::Duration;

use super::attempts::AttemptLimits;
use super::role_mapping::RoleMapping;
use super::{elasticsearch, file, jwt, pki};

/// Everything about authentication.
#[derive(Clone, Debug)]
pub struct Settings {
    pub required: Required,
    /// In the order in which they are tried.
    pub realms: Vec<RealmSettings>,
    pub anonymous: Option<Anonymous>,
    pub cache: CacheSettings,
    pub failed_attempts: AttemptLimits,
    /// Roles of callers whose realm knows none; empty without a `role_mapping.yml`.
    pub role_mapping: RoleMapping,
}

/// Which requests need credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    All,
    /// Requests that are not ML may come without credentials.
    Ml,
}

/// Who a request without credentials is.
#[derive(Clone, Debug)]
pub struct Anonymous {
    pub username: String,
    pub roles: Vec<String>,
}

/// How long and how many verified credentials are remembered.
#[derive(Clone, Copy, Debug)]
pub struct CacheSettings {
    /// Zero: nothing is remembered.
    pub ttl: Duration,
    /// Entries of all workers together.
    pub max_entries: usize,
}

/// One realm.
#[derive(Clone, Debug)]
pub enum RealmSettings {
    File(file::Settings),
    Jwt(Box<jwt::Settings>),
    Pki(pki::Settings),
    /// At most one.
    Elasticsearch(elasticsearch::Settings),
}

impl RealmSettings {
    /// As configured, such as `file1`.
    pub fn name(&self) -> &str {
        match self {
            Self::File(settings) => &settings.name,
            Self::Jwt(settings) => &settings.name,
            Self::Pki(settings) => &settings.name,
            Self::Elasticsearch(settings) => &settings.name,
        }
    }
}
