//! New hashes, in the form that `elasticsearch-users` writes by default.

/// As Elasticsearch's `bcrypt`: about 50 ms.
const COST: u32 = 10;

/// What counts of a password in bcrypt.
const BYTES_MAX: usize = 72;

/// As `elasticsearch-users`.
const CHARACTERS_MIN: usize = 6;

/// Why no hash is made of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    #[error("passwords must be at least [{CHARACTERS_MIN}] characters long")]
    TooShort,
    #[error("passwords must be at most [{BYTES_MAX}] bytes long: bcrypt ignores the rest")]
    TooLong,
    #[error("the system gives no random numbers")]
    NoRandom,
}

/// Makes a hash for the `users` file, such as `$2a$10$...`.
///
/// # Errors
/// Passwords that Elasticsearch refuses as too short, or of which it would silently ignore a part.
pub fn hash_password(password: &str) -> Result<String, PasswordProblem> {
    if password.chars().count() < CHARACTERS_MIN {
        return Err(PasswordProblem::TooShort);
    }
    if password.len() > BYTES_MAX {
        return Err(PasswordProblem::TooLong);
    }
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| PasswordProblem::NoRandom)?;
    let parts = bcrypt::hash_with_salt(password, COST, salt).map_err(|_| PasswordProblem::TooLong)?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}
