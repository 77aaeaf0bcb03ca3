//! The users of the embedded node's first start.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::new_file::{self, Readers};
use crate::realm::file::password::{PasswordProblem, hash_password};
use crate::secret::Secret;

/// Name, role and what the user is for.
const USERS: [(&str, &str); 4] = [
    ("elastic", "superuser"),
    ("ml_admin", "machine_learning_admin"),
    ("ml_user", "machine_learning_user"),
    ("reader", "viewer"),
];

/// No characters that look alike, none that a shell or a URL takes for something else.
const ALPHABET: &[u8; 56] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
/// 56^20 is more than 2^116.
const PASSWORD_LENGTH: usize = 20;

/// Why no users could be made.
#[derive(Debug, thiserror::Error)]
pub enum UsersProblem {
    #[error("the system gives no random bytes")]
    Random,
    #[error("cannot hash a password")]
    Hash(#[from] PasswordProblem),
    #[error("cannot write [{}]", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// A user of the first start with the password, which is kept nowhere else.
#[derive(Debug)]
pub struct NewUser {
    pub name: &'static str,
    pub password: Secret<String>,
}

/// Writes both files in Elasticsearch's format and gives the passwords.
///
/// # Errors
/// Files that are there already or cannot be written, no random bytes.
pub(super) fn make(users: &Path, users_roles: &Path) -> Result<Vec<NewUser>, UsersProblem> {
    let mut made = Vec::new();
    let (mut hashes, mut roles) = (String::new(), String::new());
    for (name, role) in USERS {
        let password = password()?;
        // Writing to a String cannot fail.
        let _infallible = writeln!(hashes, "{name}:{}", hash_password(password.expose())?);
        let _infallible = writeln!(roles, "{role}:{name}");
        made.push(NewUser { name, password });
    }
    write(users_roles, &roles)?;
    // Last, as its absence is what says that both are to be made.
    write(users, &hashes)?;
    Ok(made)
}

fn write(path: &Path, content: &str) -> Result<(), UsersProblem> {
    new_file::write(path, content, Readers::Owner)
        .map_err(|source| UsersProblem::Write { path: path.to_owned(), source })
}

fn password() -> Result<Secret<String>, UsersProblem> {
    let mut password = String::with_capacity(PASSWORD_LENGTH);
    while password.len() < PASSWORD_LENGTH {
        let mut bytes = [0_u8; 64];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| UsersProblem::Random)?;
        // Four times 56 is 224: bytes above would make some characters likelier.
        let even = bytes.iter().filter(|byte| usize::from(**byte) < 4 * ALPHABET.len());
        let characters = even.filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
        password.extend(characters.map(|byte| char::from(*byte)).take(PASSWORD_LENGTH - password.len()));
    }
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_never_the_same() {
        let (one, two) = (password().unwrap(), password().unwrap());
        assert_eq!(one.expose().len(), PASSWORD_LENGTH);
        assert_ne!(one.expose(), two.expose());
        assert!(one.expose().bytes().all(|byte| ALPHABET.contains(&byte)));
    }

    #[test]
    fn both_files_are_in_elasticsearch_s_format() {
        let folder = tempfile::tempdir().unwrap();
        let (users, users_roles) = (folder.path().join("users"), folder.path().join("users_roles"));
        let made = make(&users, &users_roles).unwrap();
        assert_eq!(made.iter().map(|user| user.name).collect::<Vec<_>>(), ["elastic", "ml_admin", "ml_user", "reader"]);
        let hashes = std::fs::read_to_string(&users).unwrap();
        assert!(hashes.lines().all(|line| line.contains(":$2")), "{hashes}");
        let roles = std::fs::read_to_string(&users_roles).unwrap();
        assert_eq!(
            roles,
            "superuser:elastic\nmachine_learning_admin:ml_admin\nmachine_learning_user:ml_user\nviewer:reader\n"
        );
        assert!(make(&users, &users_roles).is_err());
    }
}
