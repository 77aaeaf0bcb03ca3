//! `authentication.realms[]` of type `jwt`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key_set::{KeySetHttpDocument, KeySetReloadDocument, KeySetTlsDocument};
use super::{Period, SecretText};

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
