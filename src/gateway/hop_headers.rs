//! Headers that belong to one connection and go no further.
//!
//! Source: RFC 9110, section 7.6.1; RFC 9112, section 9.6.

use http::header::{self, HeaderMap, HeaderName};

/// Removes what is for the next hop only: the names in `Connection`, and those that always are.
///
/// `Transfer-Encoding` goes too: whoever sends the message on frames it anew.
pub(super) fn remove(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in named(headers) {
            headers.remove(name);
        }
    }
    let found = Found::among(headers);
    for name in found.names() {
        headers.remove(name);
    }
}

/// Whether `Connection` names a header by which the request is judged: the node would get another request than the one
/// that was authenticated, authorized and inspected.
pub(super) fn takes_what_decides(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONNECTION)
        && named(headers).iter().any(|name| {
            let decides = ["es-", "content-", "x-mlgate-"].iter().any(|prefix| name.as_str().starts_with(prefix));
            decides || [header::AUTHORIZATION, header::HOST].contains(name)
        })
}

/// The names that `Connection` lists.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .collect()
}

const NAMES: [HeaderName; 9] = [
    header::CONNECTION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// Which of [`NAMES`] there are, found in one pass: most messages have none.
struct Found(u16);

impl Found {
    fn among(headers: &HeaderMap) -> Self {
        let mut bits = 0;
        for name in headers.keys() {
            bits |= match name.as_str() {
                "connection" => 1,
                "te" => 2,
                "transfer-encoding" => 4,
                "upgrade" => 8,
                "proxy-authenticate" => 16,
                "proxy-authorization" => 32,
                "keep-alive" => 64,
                "proxy-connection" => 128,
                "http2-settings" => 256,
                _ => 0,
            };
        }
        Self(bits)
    }

    fn names(&self) -> impl Iterator<Item = &'static HeaderName> {
        static ALL: [HeaderName; 9] = NAMES;
        let bits = self.0;
        ALL.iter().enumerate().filter(move |(index, _)| bits & (1 << index) != 0).map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn removes_each_hop_header() {
        for name in NAMES {
            let mut headers = HeaderMap::new();
            headers.insert(name.clone(), HeaderValue::from_static("x"));
            headers.insert("kept", HeaderValue::from_static("y"));
            remove(&mut headers);
            assert_eq!(headers, map(&[("kept", "y")]), "{name}");
        }
    }

    #[test]
    fn what_the_request_is_judged_by_is_not_of_the_connection() {
        for names in ["authorization", "close, Content-Encoding", "es-security-runas-user", "x-mlgate-reason", "HOST"] {
            assert!(takes_what_decides(&map(&[("connection", names)])), "{names}");
        }
        for names in ["close", "keep-alive, TE, via", "x-one", ""] {
            assert!(!takes_what_decides(&map(&[("connection", names)])), "{names}");
        }
        assert!(!takes_what_decides(&map(&[("authorization", "x")])));
    }

    #[test]
    fn removes_what_connection_names_in_any_case_and_line() {
        let mut headers = map(&[
            ("connection", "close, X-One ,, bad name"),
            ("connection", "x-TWO"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-three", "3"),
        ]);
        remove(&mut headers);
        assert_eq!(headers, map(&[("x-three", "3")]));
    }
}
