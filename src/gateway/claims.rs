//! Headers by which a request says who somebody is, or where it comes from.

use http::HeaderMap;
use http::header::HeaderName;

/// Whose business a header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// A credential, or a claim that Elasticsearch weighs itself: the caller's own in `passthrough`.
    Own,
    /// What a proxy says of the person or the certificate behind it.
    Holder,
    /// What a proxy says of the address behind it.
    Way,
    /// Of the gateway or the cluster among themselves, or a name that some servers read as another one.
    Never,
}

/// Which claims of a request are believed and go on.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// The cluster sees the caller's own credentials.
    pub(super) passthrough: bool,
    /// The other end of the connection is a trusted proxy.
    pub(super) trusted: bool,
}

impl Claim {
    /// Of the header of that name, in lower case.
    ///
    /// Source: elasticsearch, `Security.java` (`getRestHeaders`), `SecondaryAuthenticator.java`, `AuthenticationField.java`;
    /// RFC 9440; the documents of nginx, Envoy, HAProxy, Apache, oauth2-proxy and the clouds' load balancers.
    pub(super) fn of(name: &str) -> Option<Self> {
        if name.contains('_') {
            return of_underscored(name);
        }
        match name {
            "authorization" | "cookie" | "x-client-authentication" => Some(Self::Own),
            "proxy-authorization" => Some(Self::Never),
            "forwarded" | "true-client-ip" | "cf-connecting-ip" => Some(Self::Way),
            "client-cert" | "client-cert-chain" => Some(Self::Holder),
            _ => match name.strip_prefix("x-") {
                Some(rest) => of_extension(rest),
                None if name.starts_with("es-") => Some(Self::Own),
                None => starts_with_any(name, &["remote-", "ssl-", "cf-access-"]).then_some(Self::Holder),
            },
        }
    }

    const fn passes(self, kept: Kept) -> bool {
        match self {
            Self::Own => kept.passthrough,
            Self::Holder => kept.passthrough && kept.trusted,
            Self::Way => kept.trusted,
            Self::Never => false,
        }
    }
}

/// Removes the claims that do not go on.
pub(super) fn remove(headers: &mut HeaderMap, kept: Kept) {
    remove_where(headers, |claim| !claim.passes(kept));
}

/// Removes every claim.
pub(super) fn remove_all(headers: &mut HeaderMap) {
    remove_where(headers, |_| true);
}

fn remove_where(headers: &mut HeaderMap, goes: impl Fn(Claim) -> bool) {
    let found = headers.keys().filter(|name| Claim::of(name.as_str()).is_some_and(&goes));
    // Not even allocated where there is none.
    let found: Vec<HeaderName> = found.cloned().collect();
    for name in found {
        headers.remove(name);
    }
}

/// Elasticsearch's own between its nodes start with `_`; others may be read with `-` by what stands before a cluster.
fn of_underscored(name: &str) -> Option<Claim> {
    let dashed = name.replace('_', "-");
    (name.starts_with('_') || Claim::of(&dashed).is_some()).then_some(Claim::Never)
}

/// Behind `x-`.
fn of_extension(name: &str) -> Option<Claim> {
    const OF_PERSONS: &[&str] = &[
        "forwarded-user",
        "forwarded-email",
        "forwarded-groups",
        "forwarded-preferred-username",
        "forwarded-access-token",
        "forwarded-client-cert",
        "forwarded-tls-client-cert",
        "ssl-",
        "tls-client-",
        "client-cert",
        "client-dn",
        "client-san",
        "client-subject",
        "client-verif",
        "remote-",
        "proxy-",
        "auth-",
        "authenticated-",
        "webauth-",
        "amzn-oidc-",
        "amzn-mtls-",
        "goog-authenticated-user-",
        "goog-iap-",
        "ms-client-principal",
        "ms-token-",
        "arr-clientcert",
    ];
    const OF_ADDRESSES: &[&str] =
        &["forwarded", "real-ip", "client-ip", "cluster-client-ip", "original-forwarded-for", "envoy-external-address"];
    // The clients' own note of name and version.
    if name == "elastic-client-meta" {
        None
    } else if name.starts_with("mlgate-") {
        Some(Claim::Never)
    } else if name.starts_with("elastic-") {
        Some(Claim::Own)
    } else if starts_with_any(name, OF_PERSONS) {
        Some(Claim::Holder)
    } else {
        starts_with_any(name, OF_ADDRESSES).then_some(Claim::Way)
    }
}

fn starts_with_any(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a query parameter of that name would carry a credential (RFC 6750, section 2.3), or says what a header may.
///
/// Elasticsearch knows no parameter of these names.
pub(super) fn is_credential_parameter(name: &str) -> bool {
    const NAMES: [&str; 5] = ["access_token", "api_key", "apikey", "password", "token"];
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || matches!(Claim::of(&name), Some(Claim::Own | Claim::Holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_has_an_owner() {
        for (claim, names) in [
            (
                Some(Claim::Own),
                "authorization cookie es-security-runas-user es-secondary-x-client-authentication es-new",
            ),
            (
                Some(Claim::Own),
                "es-client-authentication x-client-authentication x-elastic-product-origin x-elastic-new",
            ),
            (
                Some(Claim::Holder),
                "x-ssl-client-cert ssl-client-s-dn client-cert x-client-cert remote-user x-remote-groups",
            ),
            (Some(Claim::Holder), "x-forwarded-user x-forwarded-client-cert x-proxy-user x-auth-request-email"),
            (Some(Claim::Way), "forwarded x-forwarded x-forwarded-for x-forwarded-port x-real-ip x-client-ip"),
            (Some(Claim::Never), "x-mlgate-node-secret proxy-authorization _xpack_security_authentication _x"),
            (Some(Claim::Never), "es_security_runas_user x_forwarded_for x-forwarded_for x_mlgate_wait remote_user"),
            (
                None,
                "host accept user-agent content-type x-opaque-id traceparent x-elastic-client-meta x-client-version",
            ),
            (None, "x_under_score via es x- x escape x-request-id from"),
        ] {
            for name in names.split(' ') {
                assert_eq!(Claim::of(name), claim, "{name}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_spelling_makes_a_claim_pass(name in "[_-]?(x[_-])?(es|mlgate|forwarded|remote|ssl|[a-z]{1,4})([_-][a-z]{0,4}){0,3}") {
            let dashed = name.replace('_', "-");
            let claim = Claim::of(&name);
            if name == dashed {
                proptest::prop_assert_eq!(claim == Some(Claim::Never), name.starts_with("x-mlgate-"));
            } else {
                let claims = Claim::of(&dashed).is_some() || name.starts_with('_');
                proptest::prop_assert_eq!(claim, claims.then_some(Claim::Never));
            }
        }
    }

    #[test]
    fn parameters_of_elasticsearch_are_no_credentials() {
        for name in ["q", "username", "realm_name", "owner", "timeout", "source", "_source", "routing", "scroll_id"] {
            assert!(!is_credential_parameter(name), "{name}");
        }
        for name in ["access_token", "Access_Token", "authorization", "es-security-runas-user", "ApiKey"] {
            assert!(is_credential_parameter(name), "{name}");
        }
    }
}
