//! Who the caller is.

use std::collections::BTreeMap;
use std::fmt;

use super::rights::Rights;

/// Name of a role. Case-sensitive, as in Elasticsearch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

impl RoleName {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The realm that verified a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmRef {
    /// As configured, such as `file1`.
    pub name: String,
    /// `file`, `jwt`, `pki`, `elasticsearch` or `anonymous`.
    pub kind: &'static str,
}

/// A verified caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub username: String,
    pub realm: RealmRef,
    /// Assigned roles, sorted, without duplicates; those that do not exist grant nothing.
    pub roles: Vec<RoleName>,
    /// What decides what it may: these roles, or a cluster.
    pub rights: Rights,
    pub groups: Vec<String>,
    pub full_name: Option<String>,
    pub email: Option<String>,
    /// Realm-specific facts, each a list of strings (`jwt_claim_iss`, `pki_dn`, ...).
    pub metadata: BTreeMap<String, Vec<String>>,
}
