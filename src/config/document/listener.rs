//! `listeners` and `admin`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address that callers connect to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ListenerDocument {
    /// IP address and port, such as `0.0.0.0:9243` or `[::1]:9243`; port 0: any free one.
    pub(in crate::config) address: String,
    /// Every connection begins with a header of the PROXY protocol (version 1 or 2), which says whose it is; others are closed.
    /// Only peers in `trusted_proxies` may connect then; without any, everybody may, and may say what they like.
    #[serde(default)]
    pub(in crate::config) proxy_protocol: bool,
    /// Networks of proxies in front, such as `10.0.0.0/8`: their `X-Forwarded-*` headers are kept. With `proxy_protocol`, whose
    /// connection it is decides about the headers, not who passes it on.
    #[serde(default)]
    pub(in crate::config) trusted_proxies: Vec<String>,
    /// Plain HTTP on an address that is not loopback: credentials can be read on the way.
    #[serde(default)]
    pub(in crate::config) allow_plaintext: bool,
    /// TLS; left out: plain HTTP.
    #[serde(default)]
    pub(in crate::config) tls: Option<ListenerTlsDocument>,
}

/// TLS of a listener: versions 1.2 and 1.3, HTTP/1.1 and HTTP/2 by ALPN.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ListenerTlsDocument {
    /// PEM file: the server's certificate, then those of its issuers.
    pub(in crate::config) certificate: String,
    /// PEM file with the private key of the certificate, not encrypted.
    pub(in crate::config) key: String,
    /// Whether callers show a certificate: `none`, `optional` or `required`. Where they do, no session is resumed.
    #[serde(default)]
    pub(in crate::config) client_authentication: ClientCertificates,
    /// PEM files with the issuers of client certificates.
    #[serde(default)]
    pub(in crate::config) client_certificate_authorities: Vec<String>,
    /// PEM files with revocation lists. If there are any, every issuer of a client's chain needs one that has not run out.
    #[serde(default)]
    pub(in crate::config) client_certificate_revocation_lists: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum ClientCertificates {
    #[default]
    None,
    Optional,
    Required,
}

/// The address for health, metrics, status API and dashboard.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AdminDocument {
    /// IP address and port; plain HTTP, so best on loopback or a network of its own.
    pub(in crate::config) address: String,
}
