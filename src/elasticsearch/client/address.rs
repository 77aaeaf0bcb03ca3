//! The URL of a cluster or a gateway.

use http::Uri;

/// A parsed URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(super) secure: bool,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as the URL writes them.
    pub(super) authority: String,
    /// The path before every target, without a `/` at its end.
    pub(super) prefix: String,
    pub(super) url: String,
}

/// Why a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    #[error("[{0}] is not a URL such as [https://127.0.0.1:9243]")]
    NotUrl(String),
    #[error("the URL has credentials in it; give them by --user, --api-key or --bearer-token-file")]
    Credentials,
}

impl Address {
    /// Reads `http://` or `https://`, host, an optional port (80, 443) and an optional path.
    ///
    /// # Errors
    /// [`AddressProblem`]
    pub fn parse(url: &str) -> Result<Self, AddressProblem> {
        let problem = || AddressProblem::NotUrl(url.to_owned());
        if url.contains('@') {
            return Err(AddressProblem::Credentials);
        }
        let uri: Uri = url.parse().map_err(|_| problem())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(problem()),
        };
        if uri.query().is_some() || url.contains('#') {
            return Err(problem());
        }
        let authority = uri.authority().ok_or_else(problem)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        // A port that is too large counts as none for `http`.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") if secure => 443,
            Some("") => 80,
            Some(written) => written.trim_start_matches(':').parse().map_err(|_| problem())?,
            None => return Err(problem()),
        };
        if host.is_empty() {
            return Err(problem());
        }
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { secure, host, port, authority: authority.to_string(), prefix, url: url.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_curl_reads_them() {
        for (url, host, port, prefix) in [
            ("https://127.0.0.1:9243", "127.0.0.1", 9243, ""),
            ("http://es1/", "es1", 80, ""),
            ("https://[::1]:9200/es/", "::1", 9200, "/es"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!((address.host.as_str(), address.port, address.prefix.as_str()), (host, port, prefix), "{url}");
        }
        for url in ["", "127.0.0.1:9200", "ftp://es1", "https://", "https://es1?a=b", "https://es1:99999"] {
            assert_eq!(Address::parse(url), Err(AddressProblem::NotUrl(url.to_owned())));
        }
        assert_eq!(Address::parse("https://elastic:secret@es1"), Err(AddressProblem::Credentials));
    }
}
