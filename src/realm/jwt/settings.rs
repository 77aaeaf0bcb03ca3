//! What a jwt realm relies on. Names and defaults are those of Elasticsearch's `xpack.security.authc.realms.jwt.*`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::issuer::IssuerSettings;
use super::keys::KeySet;
use super::pattern::{ClaimPattern, SubjectPattern};
use crate::secret::Secret;

/// A jwt realm, its keys read.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub token_type: TokenType,
    /// Equal to `iss`, byte for byte.
    pub allowed_issuer: String,
    /// One of them must be in `aud`. Not empty.
    pub allowed_audiences: Vec<String>,
    /// Not empty.
    pub allowed_signature_algorithms: Vec<Algorithm>,
    pub allowed_clock_skew: Duration,
    /// Allowed values of `sub`; with `allowed_subject_patterns` empty as well: any.
    pub allowed_subjects: Vec<String>,
    pub allowed_subject_patterns: Vec<SubjectPattern>,
    pub claims: ClaimSources,
    pub claim_patterns: ClaimPatterns,
    /// Claim name to its allowed values; never `iss`, `sub`, `aud`, `exp`, `nbf` or `iat`.
    pub required_claims: BTreeMap<String, Vec<String>>,
    pub fallback_claims: FallbackClaims,
    /// Keys of the file `pkc_jwkset_path` (RSA, EC, Ed25519) and of `hmac_jwkset_file` or `hmac_key_file` together.
    pub keys: KeySet,
    /// Where `pkc_jwkset_path` is a URL.
    pub issuer: Option<IssuerSettings>,
    pub client_authentication: ClientAuthentication,
    /// Whether claims become metadata (`jwt_claim_*`). Elasticsearch: `populate_user_metadata`, default true.
    pub populate_user_metadata: bool,
}

/// Which rules a token is checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    IdToken,
    AccessToken,
}

impl TokenType {
    /// As Elasticsearch writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "id_token",
            Self::AccessToken => "access_token",
        }
    }
}

/// Which claims make the principal. Elasticsearch: `claims.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimSources {
    pub principal: String,
    pub groups: Option<String>,
    pub name: Option<String>,
    pub mail: Option<String>,
    pub dn: Option<String>,
}

/// What of a claim's value counts. Elasticsearch: `claim_patterns.*`.
#[derive(Clone, Debug, Default)]
pub struct ClaimPatterns {
    pub principal: Option<ClaimPattern>,
    pub groups: Option<ClaimPattern>,
    pub name: Option<ClaimPattern>,
    pub mail: Option<ClaimPattern>,
    pub dn: Option<ClaimPattern>,
}

/// Claims read where an access token has no `sub` or `aud`. Elasticsearch: `fallback_claims.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FallbackClaims {
    pub sub: Option<String>,
    pub aud: Option<String>,
}

/// Who may present tokens. Elasticsearch: `client_authentication.*`.
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    None,
    /// `ES-Client-Authentication: SharedSecret <secret>`.
    SharedSecret {
        secret: Secret<Vec<u8>>,
        /// How long the secret before it is good after a reload.
        rotation_grace_period: Duration,
    },
}

/// A signature algorithm. `none` is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

impl Algorithm {
    /// All of them, as `alg` writes them.
    #[rustfmt::skip] // a table
    pub const ALL: [(&'static str, Self); 13] = [
        ("HS256", Self::Hs256), ("HS384", Self::Hs384), ("HS512", Self::Hs512),
        ("RS256", Self::Rs256), ("RS384", Self::Rs384), ("RS512", Self::Rs512),
        ("PS256", Self::Ps256), ("PS384", Self::Ps384), ("PS512", Self::Ps512),
        ("ES256", Self::Es256), ("ES384", Self::Es384), ("ES512", Self::Es512),
        ("EdDSA", Self::EdDsa),
    ];

    /// Whether the key is shared between issuer and gateway.
    pub const fn is_hmac(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

/// Not the name of a signature algorithm; names are case-sensitive (RFC 7515, 4.1.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown signature algorithm [{0}]")]
pub struct UnknownAlgorithm(pub String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, algorithm)| algorithm).ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, algorithm)| algorithm == self).map_or("", |(name, _)| name);
        formatter.write_str(name)
    }
}

/// Settings that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsProblem {
    #[error("at least one audience is needed")]
    NoAudience,
    #[error("at least one signature algorithm is needed")]
    NoAlgorithm,
    #[error("the claim of the principal is needed, such as [sub]")]
    NoPrincipalClaim,
    #[error("no key for [{0}]: it needs {key}", key = if .0.is_hmac() { "hmac_key_file or hmac_jwkset_file" } else { "pkc_jwkset_path" })]
    NoKey(Algorithm),
    #[error("[{0}] is checked by its own setting")]
    RegisteredClaimRequired(String),
    #[error("[{0}] needs at least one allowed value")]
    NoRequiredValue(String),
    #[error("fallback claims are for access tokens only")]
    FallbackForIdToken,
    #[error("the shared secret is empty")]
    EmptySharedSecret,
}

impl SettingsProblem {
    /// The key of the realm that is wrong, such as `allowed_audiences`.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::NoAudience => "allowed_audiences",
            Self::NoAlgorithm | Self::NoKey(_) => "allowed_signature_algorithms",
            Self::NoPrincipalClaim => "claims",
            Self::RegisteredClaimRequired(_) | Self::NoRequiredValue(_) => "required_claims",
            Self::FallbackForIdToken => "fallback_claims",
            Self::EmptySharedSecret => "client_authentication",
        }
    }
}

/// Claims with a setting of their own.
const REGISTERED: [&str; 6] = ["iss", "sub", "aud", "exp", "nbf", "iat"];

impl Settings {
    /// What does not fit together; empty: all does.
    pub fn problems(&self) -> Vec<SettingsProblem> {
        let mut found = Vec::new();
        let mut note = |wrong: bool, problem: SettingsProblem| {
            if wrong {
                found.push(problem);
            }
        };
        note(self.allowed_audiences.is_empty(), SettingsProblem::NoAudience);
        note(self.allowed_signature_algorithms.is_empty(), SettingsProblem::NoAlgorithm);
        note(self.claims.principal.is_empty(), SettingsProblem::NoPrincipalClaim);
        for algorithm in &self.allowed_signature_algorithms {
            let fetched = self.issuer.is_some() && !algorithm.is_hmac();
            note(!fetched && !self.keys.serves(*algorithm), SettingsProblem::NoKey(*algorithm));
        }
        for (name, values) in &self.required_claims {
            note(REGISTERED.contains(&name.as_str()), SettingsProblem::RegisteredClaimRequired(name.clone()));
            note(values.is_empty(), SettingsProblem::NoRequiredValue(name.clone()));
        }
        let falls_back = self.fallback_claims != FallbackClaims::default();
        note(falls_back && self.token_type == TokenType::IdToken, SettingsProblem::FallbackForIdToken);
        if let ClientAuthentication::SharedSecret { secret, .. } = &self.client_authentication {
            note(secret.expose().is_empty(), SettingsProblem::EmptySharedSecret);
        }
        found
    }
}
