//! `$2a$10$<salt><hash>`: bcrypt.

use super::HashProblem;

/// Costs that Elasticsearch writes. The highest takes about a second.
const COST_LEAST: u32 = 4;
const COST_MOST: u32 = 14;

/// A hash that fits no password that anybody knows: its bytes are made up.
const DECOY: &str = "$2a$10$mJrTjvQhD0e6ksNlQd5rVuYbR1cXGz8PpW3aF7oKiHt9LqZsEwUgy";

/// A bcrypt hash. Of a password only the first 72 bytes count, in Elasticsearch as well.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct BcryptHash(String);

impl BcryptHash {
    /// Takes `$2a$`, `$2b$` and `$2y$`, which are the same for passwords without the faults of early versions.
    /// `$2x$` marks hashes made by such a fault and cannot be checked.
    pub(super) fn parse(text: &str) -> Result<Self, HashProblem> {
        let known = ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix));
        let parts: bcrypt::HashParts = text.parse().map_err(|_| HashProblem::Malformed("bcrypt"))?;
        if !known {
            return Err(HashProblem::Malformed("bcrypt"));
        }
        if !(COST_LEAST..=COST_MOST).contains(&parts.get_cost()) {
            return Err(HashProblem::Cost { form: "bcrypt", least: COST_LEAST, most: COST_MOST });
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn decoy() -> Self {
        Self(DECOY.to_owned())
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        bcrypt::verify(password, &self.0).unwrap_or(false)
    }
}
