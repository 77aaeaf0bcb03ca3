//! What `mlgate serve` makes when it runs for the first time: a development certificate, users.

mod certificates;
mod new_file;
mod users;

use std::io;
use std::path::PathBuf;

use crate::config::FirstStart;
use new_file::Readers;

pub use certificates::CertificateProblem;
pub use users::{NewUser, UsersProblem};

/// What was made, to be told once the gateway listens.
#[derive(Debug, Default)]
pub struct Made {
    /// The shipped config, written where there was none.
    pub config: Option<PathBuf>,
    /// Clients verify the server with it.
    pub ca: Option<PathBuf>,
    pub users: Vec<NewUser>,
}

/// Why the first start is not possible.
#[derive(Debug, thiserror::Error)]
pub enum FirstStartProblem {
    #[error("cannot write [{}]", .path.display())]
    Config { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Certificate(#[from] CertificateProblem),
    #[error(transparent)]
    Users(#[from] UsersProblem),
}

/// Makes what is missing and nothing else.
///
/// # Errors
/// Files that cannot be written.
pub fn make(missing: &FirstStart) -> Result<Made, FirstStartProblem> {
    let mut made = Made::default();
    // The config itself last: while it is missing, this start is the first one.
    for file in missing.config.iter().rev() {
        new_file::write(&file.path, file.content, Readers::Everybody)
            .map_err(|source| FirstStartProblem::Config { path: file.path.clone(), source })?;
        made.config = Some(file.path.clone());
    }
    if let Some(files) = &missing.certificate {
        made.ca = Some(certificates::make(&files.certificate, &files.key)?);
    }
    if let Some(files) = &missing.users {
        made.users = users::make(&files.users, &files.users_roles)?;
    }
    Ok(made)
}
