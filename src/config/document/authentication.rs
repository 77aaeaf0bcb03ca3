//! `authentication`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;
use super::jwt_realm::JwtRealmDocument;

/// Who callers are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct AuthenticationDocument {
    /// Which requests need credentials: `all`, or only those that reach `ml`.
    pub(in crate::config) required: RequiredDocument,
    /// Sources of identities, in the order in which they are tried.
    pub(in crate::config) realms: Vec<RealmDocument>,
    /// Who a request without credentials is; left out: nobody.
    pub(in crate::config) anonymous: Option<AnonymousDocument>,
    /// The memory of verified credentials.
    pub(in crate::config) cache: CacheDocument,
    /// Wrong credentials: how many are weighed.
    pub(in crate::config) failed_attempts: FailedAttemptsDocument,
}

impl Default for AuthenticationDocument {
    fn default() -> Self {
        Self {
            required: RequiredDocument::All,
            realms: vec![RealmDocument::File(FileRealmDocument {
                name: "file1".to_owned(),
                users: users(),
                users_roles: users_roles(),
            })],
            anonymous: None,
            cache: CacheDocument::default(),
            failed_attempts: FailedAttemptsDocument::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum RequiredDocument {
    All,
    Ml,
}

/// The user of requests without credentials. Wrong credentials are refused all the same.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AnonymousDocument {
    /// Its user name.
    #[serde(default = "anonymous_name")]
    pub(in crate::config) username: String,
    /// Its roles.
    #[serde(default)]
    pub(in crate::config) roles: Vec<String>,
}

fn anonymous_name() -> String {
    "anonymous".to_owned()
}

/// The memory of verified credentials.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct CacheDocument {
    /// How long verified credentials are remembered; `0`: not at all.
    pub(in crate::config) ttl: Period,
    /// How many are remembered.
    pub(in crate::config) max_entries: usize,
}

impl Default for CacheDocument {
    fn default() -> Self {
        Self { ttl: Period::seconds(60), max_entries: 100_000 }
    }
}

/// Wrong credentials: how many are weighed. What is over a limit is answered 401, also where it would be right.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct FailedAttemptsDocument {
    /// The time over which they are counted.
    pub(in crate::config) window: Period,
    /// From one address (IPv6: one /64 network) in that time, by each worker; `0`: any number.
    pub(in crate::config) per_address: u32,
    /// For one user name in that time, by each worker; above: an address has one attempt for it; `0`: any number.
    pub(in crate::config) per_user: u32,
}

impl Default for FailedAttemptsDocument {
    fn default() -> Self {
        Self { window: Period::seconds(60), per_address: 60, per_user: 20 }
    }
}

/// A source of identities.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(in crate::config) enum RealmDocument {
    File(FileRealmDocument),
    Jwt(Box<JwtRealmDocument>),
    Pki(PkiRealmDocument),
    Elasticsearch(ElasticsearchRealmDocument),
}

impl RealmDocument {
    pub(in crate::config) fn name(&self) -> &str {
        match self {
            Self::File(realm) => &realm.name,
            Self::Jwt(realm) => &realm.name,
            Self::Pki(realm) => &realm.name,
            Self::Elasticsearch(realm) => &realm.name,
        }
    }
}

/// Users and passwords in Elasticsearch's `users` and `users_roles` files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct FileRealmDocument {
    /// Name of the realm in logs and audit events.
    pub(in crate::config) name: String,
    /// File with `NAME:HASH` lines; `mlgate hash-password` makes one.
    #[serde(default = "users")]
    pub(in crate::config) users: String,
    /// File with `ROLE:NAME,NAME` lines.
    #[serde(default = "users_roles")]
    pub(in crate::config) users_roles: String,
}

fn users() -> String {
    "users".to_owned()
}

fn users_roles() -> String {
    "users_roles".to_owned()
}

/// Client certificates of the TLS handshake; settings as in Elasticsearch's pki realm.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct PkiRealmDocument {
    /// Name of the realm in logs and audit events.
    pub(in crate::config) name: String,
    /// Regular expression over the subject, without case: its first group is the user name.
    #[serde(default = "common_name")]
    pub(in crate::config) username_pattern: String,
    /// Attribute of the subject that is the user name, such as `CN`; `username_pattern` does not count then.
    #[serde(default)]
    pub(in crate::config) username_rdn_name: Option<String>,
    /// The same by object identifier, such as `2.5.4.3`.
    #[serde(default)]
    pub(in crate::config) username_rdn_oid: Option<String>,
    /// PEM files with the issuers that this realm trusts; empty: all of the listener.
    #[serde(default)]
    pub(in crate::config) certificate_authorities: Vec<String>,
    /// Certificates that somebody else has verified. Only `enabled: false`.
    #[serde(default)]
    pub(in crate::config) delegation: DelegationDocument,
}

/// Certificates that somebody else has verified.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct DelegationDocument {
    /// Only `false`: a certificate comes by the TLS handshake and in no other way.
    pub(in crate::config) enabled: bool,
}

fn common_name() -> String {
    "CN=(.*?)(?:,|$)".to_owned()
}

/// The cluster of the request says who the caller is and what it may; for clusters with `nodes`, one realm at most.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ElasticsearchRealmDocument {
    /// Name of the realm in logs and audit events.
    pub(in crate::config) name: String,
}
