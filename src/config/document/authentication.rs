//! `authentication`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key_set::{KeySetHttpDocument, KeySetReloadDocument, KeySetTlsDocument};
use super::{Period, SecretText};

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

/// Signed tokens; settings as in Elasticsearch's jwt realm.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct JwtRealmDocument {
    /// Name of the realm in logs and audit events.
    pub(in crate::config) name: String,
    /// Kind of token that is checked.
    #[serde(default)]
    pub(in crate::config) token_type: TokenTypeDocument,
    /// Exact value of `iss`.
    pub(in crate::config) allowed_issuer: String,
    /// One of these must be in `aud`.
    pub(in crate::config) allowed_audiences: Vec<String>,
    /// Of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `HS256`, `HS384`, `HS512`.
    #[serde(default = "rs256")]
    pub(in crate::config) allowed_signature_algorithms: Vec<String>,
    /// How far the clock of the issuer may be off.
    #[serde(default = "clock_skew")]
    pub(in crate::config) allowed_clock_skew: Period,
    /// Exact values of `sub`; empty, and no patterns: any.
    #[serde(default)]
    pub(in crate::config) allowed_subjects: Vec<String>,
    /// Patterns of `sub`: wildcards, or a regular expression between slashes.
    #[serde(default)]
    pub(in crate::config) allowed_subject_patterns: Vec<String>,
    /// JWKS with the issuer's public keys: a file, or an https URL from which it is fetched.
    #[serde(default)]
    pub(in crate::config) pkc_jwkset_path: Option<String>,
    /// When a JWKS by https is fetched again.
    #[serde(default)]
    pub(in crate::config) pkc_jwkset_reload: Option<KeySetReloadDocument>,
    /// TLS to the server of a JWKS by https.
    #[serde(default)]
    pub(in crate::config) ssl: Option<KeySetTlsDocument>,
    /// How long a fetch of a JWKS by https may take.
    #[serde(default)]
    pub(in crate::config) http: Option<KeySetHttpDocument>,
    /// JWKS with shared keys.
    #[serde(default)]
    pub(in crate::config) hmac_jwkset: Option<SecretText>,
    /// File with a JWKS of shared keys.
    #[serde(default)]
    pub(in crate::config) hmac_jwkset_file: Option<String>,
    /// Shared key, as text.
    #[serde(default)]
    pub(in crate::config) hmac_key: Option<SecretText>,
    /// File with a shared key.
    #[serde(default)]
    pub(in crate::config) hmac_key_file: Option<String>,
    /// Which claims say who the caller is.
    pub(in crate::config) claims: ClaimNames,
    /// What part of a claim counts: regular expressions with one group, by the names of `claims`.
    #[serde(default)]
    pub(in crate::config) claim_patterns: ClaimPatternTexts,
    /// Claims that a token must have, and their allowed values.
    #[serde(default)]
    pub(in crate::config) required_claims: BTreeMap<String, Vec<String>>,
    /// Claims that stand in for missing ones; access tokens only.
    #[serde(default)]
    pub(in crate::config) fallback_claims: FallbackClaimNames,
    /// Whether whoever presents a token must show a secret as well.
    #[serde(default)]
    pub(in crate::config) client_authentication: ClientAuthenticationDocument,
    /// Keep claims as user metadata `jwt_claim_*`.
    #[serde(default = "yes")]
    pub(in crate::config) populate_user_metadata: bool,
}

fn rs256() -> Vec<String> {
    vec!["RS256".to_owned()]
}

fn clock_skew() -> Period {
    Period::seconds(60)
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum TokenTypeDocument {
    #[default]
    IdToken,
    AccessToken,
}

/// Which claims say who the caller is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ClaimNames {
    /// Claim with the user name, such as `sub`.
    pub(in crate::config) principal: String,
    /// Claim with the groups, for role mappings.
    #[serde(default)]
    pub(in crate::config) groups: Option<String>,
    /// Claim with the full name.
    #[serde(default)]
    pub(in crate::config) name: Option<String>,
    /// Claim with the mail address.
    #[serde(default)]
    pub(in crate::config) mail: Option<String>,
    /// Claim with the distinguished name, for role mappings.
    #[serde(default)]
    pub(in crate::config) dn: Option<String>,
}

/// What part of a claim counts: regular expressions with one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ClaimPatternTexts {
    /// Part of `claims.principal` that counts.
    pub(in crate::config) principal: Option<String>,
    /// Part of each of `claims.groups` that counts.
    pub(in crate::config) groups: Option<String>,
    /// Part of `claims.name` that counts.
    pub(in crate::config) name: Option<String>,
    /// Part of `claims.mail` that counts.
    pub(in crate::config) mail: Option<String>,
    /// Part of `claims.dn` that counts.
    pub(in crate::config) dn: Option<String>,
}

/// Claims that stand in for missing ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct FallbackClaimNames {
    /// Claim that is read where there is no `sub`.
    pub(in crate::config) sub: Option<String>,
    /// Claim that is read where there is no `aud`.
    pub(in crate::config) aud: Option<String>,
}

/// Whether whoever presents a token must show a secret as well.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ClientAuthenticationDocument {
    /// `shared_secret`: in the header `ES-Client-Authentication: SharedSecret SECRET`.
    #[serde(rename = "type")]
    pub(in crate::config) kind: SharedSecretType,
    /// The secret.
    pub(in crate::config) shared_secret: Option<SecretText>,
    /// File with the secret.
    pub(in crate::config) shared_secret_file: Option<String>,
    /// How long the old secret is good after a new one has been loaded.
    pub(in crate::config) rotation_grace_period: Period,
}

impl Default for ClientAuthenticationDocument {
    fn default() -> Self {
        Self {
            kind: SharedSecretType::None,
            shared_secret: None,
            shared_secret_file: None,
            rotation_grace_period: Period::seconds(60),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum SharedSecretType {
    #[default]
    None,
    SharedSecret,
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
