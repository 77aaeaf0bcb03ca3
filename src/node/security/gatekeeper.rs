//! Who a request comes from, and what that caller may do: security off, files, or the gateway's word.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};

use super::permissions::Permissions;
use super::rules::{Fingerprint, Mode, Rules, SecurityProblem};
use super::users::Users;
use super::{Access, Caller};
use crate::elasticsearch::error_body::Exception;
use crate::elasticsearch::vouched;
use crate::node::Security;
use crate::node::http::ApiError;
use crate::secret::Secret;

const CHALLENGE: &str = r#"Basic realm="security", charset="UTF-8""#;
const CREDENTIALS_BYTES_MAX: usize = 4096;
/// A change of a file counts within this time.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// What a look at the files found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    Unchanged,
    Changed,
}

/// Lets callers in, by the users and roles as they are now.
pub struct Gatekeeper {
    watched: Mutex<Watched>,
    rules: ArcSwap<Rules>,
}

struct Watched {
    security: Security,
    seen: Fingerprint,
}

impl Gatekeeper {
    /// Reads the users and roles that the settings name.
    ///
    /// # Errors
    /// A file that is missing or wrong.
    pub fn new(security: &Security) -> Result<Self, SecurityProblem> {
        // Before the files are read: what changes meanwhile is read again.
        let seen = Fingerprint::of(security);
        let rules = ArcSwap::from_pointee(Rules::read(security)?);
        Ok(Self { watched: Mutex::new(Watched { security: security.clone(), seen }), rules })
    }

    /// Reads the files again when they have changed. Passwords that were verified are forgotten.
    ///
    /// # Errors
    /// A file that is wrong; the last good users and roles stay.
    pub fn refresh(&self) -> Result<Refreshed, SecurityProblem> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Fingerprint::of(&watched.security);
        if now == watched.seen {
            return Ok(Refreshed::Unchanged);
        }
        watched.seen = now;
        self.rules.store(Arc::new(Rules::read(&watched.security)?));
        Ok(Refreshed::Changed)
    }

    /// Behind the gateway: takes the custom roles from this file from now on, and reads it at once.
    ///
    /// # Errors
    /// As [`Gatekeeper::refresh`].
    pub fn replace_roles(&self, file: Option<PathBuf>) -> Result<(), SecurityProblem> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let Security::Gateway { secret, .. } = &watched.security else { return Ok(()) };
        let security = Security::Gateway { secret: secret.clone(), roles: file };
        let seen = Fingerprint::of(&security);
        self.rules.store(Arc::new(Rules::read(&security)?));
        *watched = Watched { security, seen };
        Ok(())
    }

    /// Follows the files; runs until it is dropped.
    pub async fn follow(&self) -> Infallible {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            match self.refresh() {
                Ok(Refreshed::Unchanged) => {}
                Ok(Refreshed::Changed) => tracing::info!("the node's users and roles were read again"),
                Err(problem) => {
                    let problem: &dyn std::error::Error = &problem;
                    tracing::error!(error = problem, "the node's users and roles stay as they were");
                }
            }
        }
    }

    /// Who sends a request. `uri` is the whole target, for the text.
    ///
    /// # Errors
    /// 401 with Elasticsearch's text and challenge.
    pub async fn authenticate(&self, headers: &HeaderMap, uri: &str) -> Result<Caller, ApiError> {
        let rules = self.rules.load_full();
        match &rules.mode {
            Mode::Off => Ok(Caller::anyone()),
            Mode::Gateway(secret) => vouched_caller(secret, headers).ok_or_else(|| missing(uri)),
            Mode::Files(users) => file_caller(users, headers, uri).await,
        }
    }

    /// What a caller's roles give.
    pub fn access(&self, caller: &Caller) -> Access {
        let rules = self.rules.load();
        if matches!(rules.mode, Mode::Off) {
            return Access::Everything;
        }
        let (known, unknown): (Vec<_>, Vec<_>) = caller.roles.iter().partition(|role| rules.roles.contains_key(*role));
        let roles = known.into_iter().filter_map(|role| rules.roles.get(role)).map(Arc::clone).collect();
        let unknown = unknown.into_iter().cloned().collect();
        Access::Granted(Arc::new(Permissions::new(caller.username.clone(), roles, unknown)))
    }
}

async fn file_caller(users: &Users, headers: &HeaderMap, uri: &str) -> Result<Caller, ApiError> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = given.next() else { return Err(missing(uri)) };
    if given.next().is_some() {
        return Err(ApiError::illegal_argument("multiple values for single-valued header [Authorization]."));
    }
    let Some((name, password)) = basic(first) else { return Err(unusable()) };
    let roles = users
        .verify(&name, &password)
        .await
        .ok_or_else(|| unauthenticated(format!("unable to authenticate user [{name}] for REST request [{uri}]")))?;
    Ok(Caller {
        username: name,
        roles,
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
        realm: vouched::Realm { name: "default_file".to_owned(), kind: "file".to_owned() },
        authentication_type: "realm",
    })
}

fn vouched_caller(secret: &Secret<String>, headers: &HeaderMap) -> Option<Caller> {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    if !secret.matches(one(vouched::SECRET_HEADER)?.as_bytes()) {
        return None;
    }
    vouched::Caller::decode(one(vouched::CALLER_HEADER)?.as_bytes()).map(Caller::from)
}

fn basic(header: &HeaderValue) -> Option<(String, Vec<u8>)> {
    let bytes = header.as_bytes();
    let (scheme, credentials) = bytes.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") || credentials.len() > CREDENTIALS_BYTES_MAX {
        return None;
    }
    let decoded = STANDARD.decode(credentials).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (name, password) = decoded.split_at_checked(colon)?;
    Some((String::from_utf8(name.to_vec()).ok()?, password.get(1..)?.to_vec()))
}

fn missing(uri: &str) -> ApiError {
    unauthenticated(format!("missing authentication credentials for REST request [{uri}]"))
}

fn unusable() -> ApiError {
    unauthenticated(
        "unable to authenticate with provided credentials and anonymous access is not allowed for this request"
            .to_owned(),
    )
}

fn unauthenticated(reason: String) -> ApiError {
    let challenges = serde_json::json!({ "WWW-Authenticate": CHALLENGE });
    let exception = Exception::new("security_exception", reason).with("header", challenges);
    ApiError::new(401, exception).header(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))
}

#[cfg(test)]
mod tests;
