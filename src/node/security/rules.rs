//! The users and roles that the files hold at one moment.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::role::Role;
use super::users::Users;
use super::{builtin, roles_file};
use crate::node::Security;
use crate::secret::Secret;

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

/// Replaced as a whole when a file changes, with the passwords that were verified against it.
pub(super) struct Rules {
    pub(super) mode: Mode,
    pub(super) roles: BTreeMap<String, Arc<Role>>,
}

pub(super) enum Mode {
    Off,
    Files(Box<Users>),
    Gateway(Secret<String>),
}

impl Rules {
    pub(super) fn read(security: &Security) -> Result<Self, SecurityProblem> {
        let mut roles =
            builtin::roles().map_err(|problem| SecurityProblem::Builtin { problem: problem.to_string() })?;
        let (mode, file) = match security {
            Security::Off => (Mode::Off, None),
            Security::Files(folder) => {
                let parsed = Users::parse(&read(&folder.join("users"))?, &read(&folder.join("users_roles"))?);
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
}

fn read(path: &Path) -> Result<String, SecurityProblem> {
    fs::read_to_string(path).map_err(|source| SecurityProblem::Io { path: path.to_owned(), source })
}

/// What the files look like, good or bad: the same state is not read twice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<Option<(u64, u64, i64, i64)>>);

impl Fingerprint {
    pub(super) fn of(security: &Security) -> Self {
        let files = match security {
            Security::Off => Vec::new(),
            Security::Files(folder) => ["users", "users_roles", "roles.yml"].map(|name| folder.join(name)).to_vec(),
            Security::Gateway { roles, .. } => roles.iter().cloned().collect(),
        };
        let look = |path: &PathBuf| {
            let facts = fs::metadata(path).ok()?;
            Some((facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()))
        };
        Self(files.iter().map(look).collect())
    }
}
