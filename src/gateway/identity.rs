//! What the cluster sees of the caller.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::Identity;
use super::claims::{self, Kept};
use super::snapshot::Cluster;
use super::view::WorkerCluster;
use crate::elasticsearch::vouched;
use crate::policy::{Account, Principal, Rights, Target, parameters};
use crate::realm::{RunAs, Verified};
use crate::rejection::Rejection;

const RUN_AS: HeaderName = HeaderName::from_static("es-security-runas-user");
/// Sets the identity of a request that goes upstream. Headers by which a caller could claim one are gone afterwards,
/// but for those that are its own business in `passthrough` and what a trusted proxy says.
///
/// # Errors
/// 401: nobody would get the gateway's own credentials. 403: run-as without the right to it, or a name that no header
/// can hold.
pub(super) fn apply(
    headers: &mut HeaderMap,
    caller: &Verified,
    trusted: bool,
    (settings, cluster): (&Cluster, &WorkerCluster),
    run_as: &RunAs,
) -> Result<(), Rejection> {
    let passthrough = settings.identity == Identity::Passthrough;
    claims::remove(headers, Kept { passthrough, trusted });
    if passthrough {
        if matches!(caller, Verified::Caller(principal) if principal.realm.kind == "pki") {
            // Nobody has looked at it: the certificate went first.
            headers.remove(header::AUTHORIZATION);
        }
        return check_run_as(headers, caller, run_as);
    }
    match (settings.identity, caller) {
        (Identity::Passthrough | Identity::None, _) | (Identity::RunAs, Verified::Nobody) => {}
        // What nobody may ask for, the gateway does not ask for in its own name.
        (Identity::Service, Verified::Nobody) => return Err(Rejection::Missing),
        (Identity::Service, Verified::Caller(_)) => {
            insert(headers, header::AUTHORIZATION, settings.credentials.clone())?
        }
        (Identity::RunAs, Verified::Caller(principal)) => {
            check_is_that_user(principal)?;
            insert(headers, header::AUTHORIZATION, settings.credentials.clone())?;
            headers.insert(RUN_AS, plain_name(&principal.username)?);
        }
        (Identity::Vouched, Verified::Nobody) => {
            insert(headers, HeaderName::from_static(vouched::SECRET_HEADER), settings.node_secret.clone())?;
        }
        (Identity::Vouched, Verified::Caller(principal)) => {
            insert(headers, HeaderName::from_static(vouched::SECRET_HEADER), settings.node_secret.clone())?;
            insert(headers, HeaderName::from_static(vouched::CALLER_HEADER), cluster.caller_header(principal))?;
        }
    }
    Ok(())
}

/// The target goes on as it came: where the caller's credentials end here, one with a credential in it goes nowhere.
///
/// # Errors
/// 400, as Elasticsearch answers a parameter that it does not know.
pub(super) fn check_query(target: &Target<'_>, settings: &Cluster) -> Result<(), Rejection> {
    if settings.identity == Identity::Passthrough {
        return Ok(());
    }
    let mut names = parameters(target.query()).map(|(name, _)| String::from_utf8_lossy(&name).into_owned());
    names.find(|name| claims::is_credential_parameter(name)).map_or(Ok(()), |name| Err(Rejection::Parameter { name }))
}

/// Takes away trailers that say who somebody is or where a request comes from: some servers read them as headers.
/// The other checks of [`apply`] have seen the head only.
pub(super) fn strip_trailers(trailers: &mut HeaderMap) {
    claims::remove_all(trailers);
    trailers.remove(header::VIA);
    trailers.remove(header::HOST);
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) -> Result<(), Rejection> {
    headers.insert(name, value.ok_or(Rejection::Internal("the gateway has no credentials for the cluster"))?);
    Ok(())
}

/// Users that every cluster has. Who is named so by a token or a certificate is somebody else.
///
/// Source: elasticsearch, `UsernamesField.java`.
const RESERVED: [&str; 7] =
    ["elastic", "kibana", "kibana_system", "logstash_system", "beats_system", "apm_system", "remote_monitoring_user"];

/// With `run_as` the cluster takes a caller for its own user of that name, with all that this user may.
fn check_is_that_user(principal: &Principal) -> Result<(), Rejection> {
    let account = match &principal.rights {
        Rights::Cluster(rights) => rights.account(),
        Rights::Roles => &Account::User,
    };
    let username = principal.username.as_str();
    let what = match account {
        Account::ApiKey { .. } => "an API key",
        Account::ServiceAccount => "a service account",
        Account::User | Account::RunAs { .. } => {
            let from_outside = matches!(principal.realm.kind, "jwt" | "pki" | "anonymous");
            if !from_outside || !(RESERVED.contains(&username) || username.starts_with('_')) {
                return Ok(());
            }
            "a caller of another realm"
        }
    };
    Err(Rejection::NotAsUser { username: username.to_owned(), what })
}

/// A name in other bytes than plain ones could be read as another name.
fn plain_name(name: &str) -> Result<HeaderValue, Rejection> {
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let trimmed = name.trim() == name;
    HeaderValue::from_str(name).ok().filter(|_| plain && trimmed).ok_or(Rejection::UnspeakableUser)
}

/// The cluster checks run-as itself where it knows the caller by itself; for callers of other realms a role here has to
/// allow it.
fn check_run_as(headers: &HeaderMap, caller: &Verified, allowed: &RunAs) -> Result<(), Rejection> {
    let mut names = headers.get_all(RUN_AS).iter();
    let Some(name) = names.next() else { return Ok(()) };
    let Verified::Caller(principal) = caller else { return Ok(()) };
    if principal.realm.kind == "elasticsearch" {
        return Ok(());
    }
    let run_as = String::from_utf8_lossy(name.as_bytes()).into_owned();
    if names.next().is_none() && allowed.allows(principal, &run_as) {
        return Ok(());
    }
    Err(Rejection::RunAs {
        username: principal.username.clone(),
        run_as,
        roles: principal.roles.iter().map(|role| role.as_str().to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::RealmRef;

    #[test]
    fn a_name_from_outside_is_no_user_that_every_cluster_has() {
        let allowed = |kind, username: &str| {
            let principal = Principal {
                username: username.to_owned(),
                realm: RealmRef { name: "r".to_owned(), kind },
                roles: Vec::new(),
                rights: Rights::Roles,
                groups: Vec::new(),
                full_name: None,
                email: None,
                metadata: std::collections::BTreeMap::new(),
            };
            check_is_that_user(&principal).is_ok()
        };
        for kind in ["jwt", "pki", "anonymous"] {
            assert!(allowed(kind, "jane") && allowed(kind, "elastical"));
            assert!(!allowed(kind, "elastic") && !allowed(kind, "kibana_system") && !allowed(kind, "_xpack"));
        }
        assert!(allowed("file", "elastic") && allowed("elasticsearch", "elastic"));
    }

    #[test]
    fn only_plain_names_become_headers() {
        assert_eq!(plain_name("jane doe").unwrap(), "jane doe");
        for name in ["", " jane", "jane ", "zo\u{eb}", "a\nb", "a\tb", "\u{7f}"] {
            assert!(plain_name(name).is_err(), "{name:?}");
        }
    }
}
