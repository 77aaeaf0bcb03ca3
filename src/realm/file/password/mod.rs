//! Password hashes as Elasticsearch writes them.

mod bcrypt_hash;
mod make;
mod pbkdf2_hash;
mod salted_sha256;

use bcrypt_hash::BcryptHash;
pub use make::{PasswordProblem, hash_password};
use pbkdf2_hash::Pbkdf2Hash;
use salted_sha256::SaltedSha256;

/// Longest password that is looked at, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// The hash of one password. `Debug` tells the form only.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    SaltedSha256(SaltedSha256),
}

/// Why a text is no hash that a password may be checked against. Holds nothing of the text: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashProblem {
    #[error("the hash is missing")]
    Missing,
    #[error("not a hash that Elasticsearch writes (bcrypt or PBKDF2): make one with `mlgate hash-password`")]
    UnknownForm,
    #[error(
        "{{SHA}} and {{MD5}} hashes are refused, they can be guessed too quickly: make a new one with `mlgate hash-password`"
    )]
    TooWeak,
    #[error("the {0} hash is malformed")]
    Malformed(&'static str),
    #[error("the cost of the {form} hash must be from {least} to {most}")]
    Cost { form: &'static str, least: u32, most: u32 },
}

impl PasswordHash {
    /// Takes a hash such as `$2a$10$...` or `{PBKDF2}10000$<salt>$<hash>`.
    ///
    /// # Errors
    /// Forms that Elasticsearch does not write, weak ones, and costs outside of what Elasticsearch knows.
    ///
    /// Source: Elasticsearch, `Hasher.java`.
    pub fn parse(text: &str) -> Result<Self, HashProblem> {
        let form = match text {
            "" => return Err(HashProblem::Missing),
            _ if text.starts_with("$2") => Form::Bcrypt(BcryptHash::parse(text)?),
            _ if text.starts_with("{PBKDF2") => Form::Pbkdf2(Pbkdf2Hash::parse(text)?),
            _ if text.starts_with("{SSHA256}") => Form::SaltedSha256(SaltedSha256::parse(text)?),
            _ if text.starts_with("{SHA}") || text.starts_with("{MD5}") => return Err(HashProblem::TooWeak),
            _ => return Err(HashProblem::UnknownForm),
        };
        Ok(Self(form))
    }

    /// The hash of a password that nobody knows, in the form and at the cost of new ones.
    pub(in crate::realm) fn decoy() -> Self {
        Self(Form::Bcrypt(BcryptHash::decoy()))
    }

    /// Whether it is the hash of `password`. Slow by design: for the threads of the verifier.
    pub fn verify(&self, password: &[u8]) -> bool {
        if password.len() > PASSWORD_BYTES_MAX {
            return false;
        }
        match &self.0 {
            Form::Bcrypt(hash) => hash.verify(password),
            Form::Pbkdf2(hash) => hash.verify(password),
            Form::SaltedSha256(hash) => hash.verify(password),
        }
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match &self.0 {
            Form::Bcrypt(_) => "bcrypt [hidden]",
            Form::Pbkdf2(_) => "PBKDF2 [hidden]",
            Form::SaltedSha256(_) => "SSHA256 [hidden]",
        })
    }
}

#[cfg(test)]
mod tests;
