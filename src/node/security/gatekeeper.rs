//! Who a request comes from, and what that caller may do: security off, files, or the gateway's word.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use thiserror::Error;

use super::permissions::Permissions;
use super::role::Role;
use super::users::Users;
use super::{Access, Caller, builtin, roles_file};
use crate::elasticsearch::error_body::Exception;
use crate::elasticsearch::vouched;
use crate::node::Security;
use crate::node::http::ApiError;
use crate::secret::Secret;

const CHALLENGE: &str = r#"Basic realm="security", charset="UTF-8""#;
const CREDENTIALS_BYTES_MAX: usize = 4096;

/// Users or roles that cannot be read.
#[derive(Debug, Error)]
pub enum SecurityProblem {
    #[error("cannot read [{}]", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("[{}]: {problem}", path.display())]
    Invalid { path: PathBuf, problem: String },
    #[error("built-in roles: {problem}")]
    Builtin { problem: String },
}

/// Lets callers in.
pub struct Gatekeeper {
    mode: Mode,
    roles: BTreeMap<String, Arc<Role>>,
}

enum Mode {
    Off,
    Files(Box<Users>),
    Gateway(Secret<String>),
}

impl Gatekeeper {
    /// Reads the users and roles that the settings name.
    ///
    /// # Errors
    /// A file that is missing or wrong.
    pub fn new(security: &Security) -> Result<Self, SecurityProblem> {
        let mut roles =
            builtin::roles().map_err(|problem| SecurityProblem::Builtin { problem: problem.to_string() })?;
        let (mode, file) = match security {
            Security::Off => (Mode::Off, None),
            Security::Files(folder) => {
                let (users, users_roles) = (folder.join("users"), folder.join("users_roles"));
                let parsed = Users::parse(&read(&users)?, &read(&users_roles)?);
                let users = parsed.map_err(|problem| SecurityProblem::Invalid { path: folder.clone(), problem })?;
                let file = folder.join("roles.yml");
                (Mode::Files(Box::new(users)), file.exists().then_some(file))
            }
            Security::Gateway { secret, roles } => (Mode::Gateway(secret.clone()), roles.clone()),
        };
        if let Some(path) = file {
            let parsed = roles_file::parse(&read(&path)?);
            roles.extend(parsed.map_err(|problem| SecurityProblem::Invalid { path, problem })?);
        }
        // A built-in role cannot be redefined: the first of a name stays.
        let mut by_name = BTreeMap::new();
        for role in roles {
            by_name.entry(role.name.clone()).or_insert_with(|| Arc::new(role));
        }
        Ok(Self { mode, roles: by_name })
    }

    /// Who sends a request. `uri` is the whole target, for the text.
    ///
    /// # Errors
    /// 401 with Elasticsearch's text and challenge.
    pub async fn authenticate(&self, headers: &HeaderMap, uri: &str) -> Result<Caller, ApiError> {
        match &self.mode {
            Mode::Off => Ok(Caller::anyone()),
            Mode::Gateway(secret) => vouched_caller(secret, headers).ok_or_else(|| missing(uri)),
            Mode::Files(users) => {
                let mut given = headers.get_all(AUTHORIZATION).iter();
                let Some(first) = given.next() else { return Err(missing(uri)) };
                if given.next().is_some() {
                    let text = "multiple values for single-valued header [Authorization].";
                    return Err(ApiError::illegal_argument(text));
                }
                let Some((name, password)) = basic(first) else { return Err(unusable()) };
                let roles = users.verify(&name, &password).await.ok_or_else(|| {
                    unauthenticated(format!("unable to authenticate user [{name}] for REST request [{uri}]"))
                })?;
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
        }
    }

    /// What a caller's roles give.
    pub fn access(&self, caller: &Caller) -> Access {
        if matches!(self.mode, Mode::Off) {
            return Access::Everything;
        }
        let (known, unknown): (Vec<_>, Vec<_>) = caller.roles.iter().partition(|role| self.roles.contains_key(*role));
        let roles = known.into_iter().filter_map(|role| self.roles.get(role)).map(Arc::clone).collect();
        let unknown = unknown.into_iter().cloned().collect();
        Access::Granted(Arc::new(Permissions::new(caller.username.clone(), roles, unknown)))
    }
}

fn read(path: &Path) -> Result<String, SecurityProblem> {
    fs::read_to_string(path).map_err(|source| SecurityProblem::Io { path: path.to_owned(), source })
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
