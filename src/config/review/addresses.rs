//! Addresses, networks, node URLs and host names.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::Uri;
use ipnet::IpNet;

use super::{KeyPath, Review};
use crate::gateway::HostPattern;
use crate::upstream::NodeUrl;

impl Review<'_> {
    pub(super) fn socket_address(&mut self, key: &KeyPath, text: &str) -> Option<SocketAddr> {
        let address = text.parse().ok();
        if address.is_none() {
            self.unexpected(key, text, "an IP address and a port, such as [127.0.0.1:9243] or [[::1]:9243]");
        }
        address
    }

    /// A network in CIDR form, or one address.
    pub(super) fn network(&mut self, key: &KeyPath, text: &str) -> Option<IpNet> {
        let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        if network.is_none() {
            self.unexpected(key, text, "a network or an address, such as [10.0.0.0/8] or [10.0.0.1]");
        }
        network
    }

    pub(super) fn node_url(&mut self, key: &KeyPath, text: &str) -> Option<NodeUrl> {
        let url = node_url(text);
        if url.is_none() {
            self.unexpected(key, text, "scheme, host and port, such as [https://10.0.0.1:9200]");
        }
        url
    }

    pub(super) fn host_pattern(&mut self, key: &KeyPath, text: &str) -> Option<HostPattern> {
        let pattern = host_pattern(text);
        if pattern.is_none() {
            self.unexpected(key, text, "a host name without port, [*.] and a domain, or [*]");
        }
        pattern
    }
}

/// No path, query or user, which would silently count for nothing.
fn node_url(text: &str) -> Option<NodeUrl> {
    let uri: Uri = text.parse().ok()?;
    let secure = match uri.scheme_str()? {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = uri.authority()?;
    let plain = uri.path() == "/" && uri.query().is_none() && !authority.as_str().contains('@') && !text.contains('#');
    let port = authority.port_u16().filter(|port| *port != 0)?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let valid = host.parse::<IpAddr>().is_ok() || is_host_name(&host);
    (plain && valid).then_some(NodeUrl { secure, host, port })
}

fn host_pattern(text: &str) -> Option<HostPattern> {
    let lower = text.to_ascii_lowercase();
    if lower == "*" {
        return Some(HostPattern::Any);
    }
    if let Some(domain) = lower.strip_prefix("*.") {
        return is_host_name(domain).then(|| HostPattern::Suffix(format!(".{domain}")));
    }
    // A `Host` header has an IPv6 address in brackets.
    let bare = lower.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if bare.unwrap_or(&lower).parse::<Ipv6Addr>().is_ok() {
        return Some(HostPattern::Exact(format!("[{}]", bare.unwrap_or(&lower))));
    }
    is_host_name(&lower).then_some(HostPattern::Exact(lower))
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_scheme_host_and_port() {
        for (text, expected) in [
            ("https://10.0.0.1:9200", Some((true, "10.0.0.1", 9200))),
            ("http://ES-1.example.org:9200/", Some((false, "es-1.example.org", 9200))),
            ("https://[::1]:9200", Some((true, "::1", 9200))),
            ("https://10.0.0.1", None),
            ("https://10.0.0.1:0", None),
            ("https://10.0.0.1:99999", None),
            ("10.0.0.1:9200", None),
            ("ftp://10.0.0.1:9200", None),
            ("https://u:p@10.0.0.1:9200", None),
            ("https://10.0.0.1:9200/es", None),
            ("https://10.0.0.1:9200?x", None),
            ("https://10.0.0.1:9200#x", None),
            ("https://a..b:9200", None),
            ("", None),
        ] {
            let expected = expected.map(|(secure, host, port)| NodeUrl { secure, host: host.to_owned(), port });
            assert_eq!(node_url(text), expected, "{text}");
        }
    }

    #[test]
    fn a_host_is_exact_or_has_one_leading_star() {
        for (text, expected) in [
            ("*", Some(HostPattern::Any)),
            ("ES.Example.org", Some(HostPattern::Exact("es.example.org".to_owned()))),
            ("*.example.org", Some(HostPattern::Suffix(".example.org".to_owned()))),
            ("127.0.0.1", Some(HostPattern::Exact("127.0.0.1".to_owned()))),
            ("[::1]", Some(HostPattern::Exact("[::1]".to_owned()))),
            ("::1", Some(HostPattern::Exact("[::1]".to_owned()))),
            ("[127.0.0.1]", None),
            ("a.*.org", None),
            ("*.*.org", None),
            ("*example.org", None),
            ("es:9200", None),
            ("es.", None),
            ("", None),
        ] {
            assert_eq!(host_pattern(text), expected, "{text}");
        }
    }
}
