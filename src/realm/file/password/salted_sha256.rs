//! `{SSHA256}<salt><hash>`: salted SHA-256, which Elasticsearch checks in `users` files although it is quick to guess.

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::HashProblem;

/// Base64 of the 8 bytes of salt.
const SALT_CHARACTERS: usize = 12;

/// A salted SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SaltedSha256 {
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl SaltedSha256 {
    pub(super) fn parse(text: &str) -> Result<Self, HashProblem> {
        let malformed = HashProblem::Malformed("SSHA256");
        let rest = text.strip_prefix("{SSHA256}").ok_or(HashProblem::UnknownForm)?;
        let (salt, hash) = rest.split_at_checked(SALT_CHARACTERS).ok_or(malformed)?;
        let salt = STANDARD.decode(salt).map_err(|_| malformed)?;
        let hash = STANDARD.decode(hash).map_err(|_| malformed)?;
        let sized = salt.len() == 8 && hash.len() == digest::SHA256_OUTPUT_LEN;
        if sized { Ok(Self { salt, hash }) } else { Err(malformed) }
    }

    /// Compares in constant time.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(password);
        context.update(&self.salt);
        constant_time::verify_slices_are_equal(context.finish().as_ref(), &self.hash).is_ok()
    }
}
