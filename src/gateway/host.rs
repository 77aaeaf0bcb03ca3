//! Which cluster a request is for.

use super::HostPattern;

/// The name of a `Host` header, an `:authority` or an absolute target, without port: lower case, no dot at the end.
///
/// `None` for what is no `uri-host [":" port]` of RFC 9112, section 3.2.
pub(super) fn name_of(authority: &[u8]) -> Option<String> {
    let authority = std::str::from_utf8(authority).ok()?;
    let (name, port) = if authority.starts_with('[') {
        let (address, rest) = authority.split_once(']')?;
        address.strip_prefix('[')?.parse::<std::net::Ipv6Addr>().ok()?;
        (address.len() + 1, rest.strip_prefix(':').or(rest.is_empty().then_some(""))?)
    } else {
        let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if name.is_empty() || !name.bytes().all(valid) {
            return None;
        }
        (name.len(), port)
    };
    if port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let name = authority.get(..name)?.to_ascii_lowercase();
    Some(name.strip_suffix('.').map_or(name.clone(), str::to_owned))
}

/// How well a pattern fits a name; the better one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Any,
    /// With the length of the suffix.
    Suffix(usize),
    Exact,
}

impl HostPattern {
    pub(super) fn fit(&self, name: &str) -> Option<Fit> {
        match self {
            Self::Any => Some(Fit::Any),
            Self::Exact(exact) => (exact == name).then_some(Fit::Exact),
            Self::Suffix(suffix) => {
                (name.len() > suffix.len() && name.ends_with(suffix.as_str())).then_some(Fit::Suffix(suffix.len()))
            }
        }
    }
}

/// The index of the cluster whose pattern fits best, the first of equals.
pub(super) fn route<'a>(clusters: impl Iterator<Item = &'a [HostPattern]>, name: &str) -> Option<usize> {
    let mut best: Option<(Fit, usize)> = None;
    for (index, patterns) in clusters.enumerate() {
        if let Some(fit) = patterns.iter().filter_map(|pattern| pattern.fit(name)).max()
            && best.is_none_or(|(known, _)| fit > known)
        {
            best = Some((fit, index));
        }
    }
    best.map(|(_, index)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_and_addresses_with_and_without_port() {
        for (authority, name) in [
            ("Search.Example.ORG", "search.example.org"),
            ("search.example.org:9200", "search.example.org"),
            ("search.example.org.", "search.example.org"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:DB8::1]:9243", "[2001:db8::1]"),
            ("my_host:", "my_host"),
        ] {
            assert_eq!(name_of(authority.as_bytes()).as_deref(), Some(name), "{authority}");
        }
    }

    #[test]
    fn refuses_what_is_no_host() {
        for authority in [
            "",
            ":80",
            "a b",
            "a,b",
            "user@host",
            "host/",
            "a:80:80",
            "a:x",
            "a:123456",
            "[::1",
            "[x]",
            "[::1]x",
            "h\u{e4}",
            "a\\b",
            "a%41",
            "http://a",
        ] {
            assert_eq!(name_of(authority.as_bytes()), None, "{authority}");
        }
        assert_eq!(name_of(b"\xff"), None);
    }

    #[test]
    fn the_best_fit_wins() {
        let exact = [HostPattern::Exact("a.example.org".to_owned())];
        let long = [HostPattern::Suffix(".a.example.org".to_owned())];
        let short = [HostPattern::Suffix(".example.org".to_owned())];
        let any = [HostPattern::Any];
        let all = || [&any[..], &short, &long, &exact].into_iter();
        assert_eq!(route(all(), "a.example.org"), Some(3));
        assert_eq!(route(all(), "b.a.example.org"), Some(2));
        assert_eq!(route(all(), "b.example.org"), Some(1));
        assert_eq!(route(all(), "example.org"), Some(0));
        assert_eq!(route([&exact[..]].into_iter(), "b.example.org"), None);
    }
}
