//! Where an issuer publishes its keys, and how often they are fetched.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::upstream::NodeUrl;

/// A key set that is fetched by HTTPS.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    pub url: KeySetUrl,
    pub tls: IssuerTls,
    /// Of the connection, the TLS handshake included. Elasticsearch: `http.connect_timeout`.
    pub connect_timeout: Duration,
    /// Of the whole fetch. Elasticsearch: `http.socket_timeout`.
    pub fetch_timeout: Duration,
    pub intervals: Intervals,
}

/// How the server of the keys is verified.
#[derive(Clone, Debug)]
pub struct IssuerTls {
    pub client: Arc<rustls::ClientConfig>,
    /// What `client` was made of; empty: the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether the host name must be that of the certificate.
    pub checks_name: bool,
}

/// When keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Between two fetches that go by the lifetime which the issuer gives its answer. Elasticsearch:
    /// `pkc_jwkset_reload.url_interval_min` and `url_interval_max`.
    pub min: Duration,
    pub max: Duration,
    /// Between two fetches that tokens of unknown keys ask for.
    pub asked: Duration,
    /// After the first fetch that failed; each further one doubles it, up to a minute.
    pub retry: Duration,
    /// How long keys are used after the last good fetch.
    pub staleness_max: Duration,
}

impl IssuerSettings {
    /// Whether keys that were fetched by `other` are as good as fetched by these.
    pub(super) fn trusts_the_same(&self, other: &Self) -> bool {
        self.url == other.url
            && self.tls.authorities == other.tls.authorities
            && self.tls.checks_name == other.tls.checks_name
    }
}

/// An `https` URL without user and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetUrl {
    pub(super) node: NodeUrl,
    /// As the URL writes it, for `Host`.
    pub(super) authority: String,
    pub(super) target: PathAndQuery,
}

/// Why a text is no URL of a key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetUrlProblem {
    #[error("a key set URL must be https")]
    Plain,
    #[error("[{0}] is not a URL such as [https://issuer.example/jwks.json]")]
    NotUrl(String),
    #[error("a key set URL has no user name or password")]
    Credentials,
}

impl KeySetUrl {
    /// Whether the text is meant as a URL and not as the path of a file.
    pub fn is_meant(text: &str) -> bool {
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
        scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
    }

    /// Takes `https://host[:port]/path[?query]`.
    ///
    /// # Errors
    /// [`KeySetUrlProblem`]
    pub fn parse(text: &str) -> Result<Self, KeySetUrlProblem> {
        let problem = || KeySetUrlProblem::NotUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| problem())?;
        if uri.scheme_str() == Some("http") {
            return Err(KeySetUrlProblem::Plain);
        }
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https")).ok_or_else(problem)?;
        if authority.as_str().contains('@') {
            return Err(KeySetUrlProblem::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => 443,
            Some(written) => written.trim_start_matches(':').parse().map_err(|_| problem())?,
            None => return Err(problem()),
        };
        // `Uri` drops a fragment without a word.
        if text.contains('#') || port == 0 || ServerName::try_from(host.as_str()).is_err() {
            return Err(problem());
        }
        let target = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { node: NodeUrl { secure: true, host, port }, authority: authority.to_string(), target })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_set_url_is_https_host_and_target() {
        for (text, host, port, target) in [
            ("https://issuer.example/jwks.json", "issuer.example", 443, "/jwks.json"),
            ("HTTPS://Issuer.Example:8443/a/b?c=d", "issuer.example", 8443, "/a/b?c=d"),
            ("https://[::1]:9/x", "::1", 9, "/x"),
            ("https://127.0.0.1", "127.0.0.1", 443, "/"),
        ] {
            let url = KeySetUrl::parse(text).unwrap();
            assert_eq!((url.node.host.as_str(), url.node.port, url.target.as_str()), (host, port, target), "{text}");
            assert!(url.node.secure && KeySetUrl::is_meant(text));
        }
        let not_url = |text: &str| KeySetUrlProblem::NotUrl(text.to_owned());
        for (text, problem) in [
            ("http://issuer.example/jwks.json", KeySetUrlProblem::Plain),
            ("https://user:secret@issuer.example/", KeySetUrlProblem::Credentials),
            ("https://", not_url("https://")),
            ("https:///jwks.json", not_url("https:///jwks.json")),
            ("https://issuer.example:99999/", not_url("https://issuer.example:99999/")),
            ("https://issuer.example:0/", not_url("https://issuer.example:0/")),
            ("https://issuer.example/#keys", not_url("https://issuer.example/#keys")),
            ("https://a..b/", not_url("https://a..b/")),
        ] {
            assert_eq!(KeySetUrl::parse(text), Err(problem), "{text}");
        }
        for file in ["jwks.json", "/etc/jwks.json", "https", "keys/https:/x"] {
            assert!(!KeySetUrl::is_meant(file), "{file}");
        }
    }
}
