//! `authentication.realms[]` of type `jwt`: how a key set is fetched by HTTPS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;

/// TLS to the server of the key set.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct KeySetTlsDocument {
    /// PEM files with the issuers of the server's certificate; empty: those of the system.
    pub(in crate::config) certificate_authorities: Vec<String>,
    /// `full` checks issuer and host name, `certificate` the issuer only.
    pub(in crate::config) verification_mode: KeySetVerification,
}

/// Without `none`: whoever is in between could make keys, and tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum KeySetVerification {
    #[default]
    Full,
    Certificate,
}

/// How long a fetch may take.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct KeySetHttpDocument {
    /// Until the connection is there, TLS included.
    pub(in crate::config) connect_timeout: Period,
    /// Until the whole answer is there.
    pub(in crate::config) socket_timeout: Period,
}

impl Default for KeySetHttpDocument {
    fn default() -> Self {
        Self { connect_timeout: Period::seconds(5), socket_timeout: Period::seconds(5) }
    }
}

/// When the keys are fetched again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct KeySetReloadDocument {
    /// Shortest time between two fetches, whatever `Cache-Control` says; the time where it says nothing.
    pub(in crate::config) url_interval_min: Period,
    /// Longest time between two fetches.
    pub(in crate::config) url_interval_max: Period,
    /// How long keys are used after the last good fetch; then tokens are refused.
    pub(in crate::config) max_staleness: Period,
}

impl Default for KeySetReloadDocument {
    fn default() -> Self {
        Self {
            url_interval_min: Period::seconds(5 * 60),
            url_interval_max: Period::seconds(60 * 60),
            max_staleness: Period::seconds(24 * 60 * 60),
        }
    }
}
