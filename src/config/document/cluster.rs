//! `clusters`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, SecretText};

/// The default of `clusters`.
pub(super) fn one_embedded() -> Vec<ClusterDocument> {
    vec![ClusterDocument {
        name: "main".to_owned(),
        hosts: any_host(),
        nodes: None,
        embedded: None,
        tls: None,
        identity: None,
        credentials: None,
        health: None,
    }]
}

fn any_host() -> Vec<String> {
    vec!["*".to_owned()]
}

/// One Elasticsearch cluster, or the embedded node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ClusterDocument {
    /// Its name in logs, metrics and file names: letters, digits, `-`, `_` and `.`.
    pub(in crate::config) name: String,
    /// Names in `Host` (and SNI) that it answers to: exact, with one leading `*.`, or `*` for all.
    #[serde(default = "any_host")]
    pub(in crate::config) hosts: Vec<String>,
    /// Addresses of its nodes, such as `https://10.0.0.1:9200`; left out: the embedded node.
    #[serde(default)]
    pub(in crate::config) nodes: Option<Vec<String>>,
    /// The embedded node, instead of `nodes`.
    #[serde(default)]
    pub(in crate::config) embedded: Option<EmbeddedDocument>,
    /// TLS to `https` nodes. Not with `embedded`.
    #[serde(default)]
    pub(in crate::config) tls: Option<UpstreamTlsDocument>,
    /// What the cluster sees: `passthrough` the caller's own credentials (the default), `service` the gateway's,
    /// `run_as` the gateway's with the caller's name in `es-security-runas-user`, `none` no credentials. Not with `embedded`.
    #[serde(default)]
    pub(in crate::config) identity: Option<IdentityDocument>,
    /// The gateway's own credentials, for `service`, `run_as`, health and the gate. Not with `embedded`.
    #[serde(default)]
    pub(in crate::config) credentials: Option<CredentialsDocument>,
    /// How nodes are found healthy. Not with `embedded`.
    #[serde(default)]
    pub(in crate::config) health: Option<HealthDocument>,
}

impl ClusterDocument {
    /// Whether it is the embedded node: it says so, or names no nodes.
    pub(in crate::config) const fn is_embedded(&self) -> bool {
        self.embedded.is_some() || self.nodes.is_none()
    }
}

/// The embedded node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct EmbeddedDocument {
    /// Folder for its data; made if it does not exist. One process at a time.
    pub(in crate::config) data: String,
}

impl Default for EmbeddedDocument {
    fn default() -> Self {
        Self { data: "data".to_owned() }
    }
}

/// TLS to `https` nodes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct UpstreamTlsDocument {
    /// PEM files with the issuers of the nodes' certificates; empty: those of the system.
    pub(in crate::config) certificate_authorities: Vec<String>,
    /// `full` checks issuer and host name, `certificate` the issuer only, `none` nothing.
    pub(in crate::config) verification_mode: VerificationMode,
    /// SHA-256 of an issuer's certificate in hexadecimal: a chain that a node shows with this certificate in it is trusted.
    pub(in crate::config) ca_trusted_fingerprint: Option<String>,
    /// PEM file with the certificate that the gateway shows to nodes, then its issuers.
    pub(in crate::config) certificate: Option<String>,
    /// PEM file with the private key of `certificate`, not encrypted.
    pub(in crate::config) key: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum VerificationMode {
    #[default]
    Full,
    Certificate,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum IdentityDocument {
    Passthrough,
    Service,
    RunAs,
    None,
}

/// An API key, or a user name and its password.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct CredentialsDocument {
    /// API key in its base64 form, the `encoded` of Elasticsearch's answer.
    pub(in crate::config) api_key: Option<SecretText>,
    /// File with the API key.
    pub(in crate::config) api_key_file: Option<String>,
    /// User name, together with a password.
    pub(in crate::config) username: Option<String>,
    /// Password of `username`.
    pub(in crate::config) password: Option<SecretText>,
    /// File with the password.
    pub(in crate::config) password_file: Option<String>,
}

/// How nodes are found healthy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct HealthDocument {
    /// Time between two checks of a node.
    pub(in crate::config) interval: Period,
    /// How long a node may take to answer a check.
    pub(in crate::config) timeout: Period,
    /// Path that is asked for.
    pub(in crate::config) path: String,
}

impl Default for HealthDocument {
    fn default() -> Self {
        Self { interval: Period::seconds(2), timeout: Period::seconds(1), path: "/".to_owned() }
    }
}
