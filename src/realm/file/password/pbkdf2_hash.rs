//! `{PBKDF2}10000$<salt>$<hash>` and `{PBKDF2_STRETCH}...`: PBKDF2 with HMAC-SHA512.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::HashProblem;

/// Costs that Elasticsearch writes. The highest takes about a second.
const COST_LEAST: u32 = 1_000;
const COST_MOST: u32 = 1_000_000;

/// Elasticsearch writes salts of 32 bytes and takes 8 at least.
const SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=128;

/// Elasticsearch writes keys of 32 bytes and takes multiples of 16.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// A PBKDF2 hash.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pbkdf2Hash {
    /// The password is replaced by the hexadecimal SHA-512 of itself, so that long ones cost no more.
    stretched: bool,
    cost: NonZeroU32,
    salt: Vec<u8>,
    key: Vec<u8>,
}

impl Pbkdf2Hash {
    pub(super) fn parse(text: &str) -> Result<Self, HashProblem> {
        let malformed = HashProblem::Malformed("PBKDF2");
        let (stretched, rest) = match text.strip_prefix("{PBKDF2_STRETCH}") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("{PBKDF2}").ok_or(HashProblem::UnknownForm)?),
        };
        let mut parts = rest.split('$');
        let (Some(cost), Some(salt), Some(key), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(malformed);
        };
        let salt = STANDARD.decode(salt).map_err(|_| malformed)?;
        let key = STANDARD.decode(key).map_err(|_| malformed)?;
        if !SALT_BYTES.contains(&salt.len()) || !KEY_BYTES.contains(&key.len()) || key.len() % 16 != 0 {
            return Err(malformed);
        }
        Ok(Self { stretched, cost: parse_cost(cost)?, salt, key })
    }

    /// Compares in constant time.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let stretched = self.stretched.then(|| stretch(password));
        let secret = stretched.as_deref().map_or(password, str::as_bytes);
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA512, self.cost, &self.salt, secret, &self.key).is_ok()
    }
}

fn parse_cost(text: &str) -> Result<NonZeroU32, HashProblem> {
    let out_of_range = HashProblem::Cost { form: "PBKDF2", least: COST_LEAST, most: COST_MOST };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HashProblem::Malformed("PBKDF2"));
    }
    let cost: u32 = text.parse().map_err(|_| out_of_range)?;
    let cost = Some(cost).filter(|cost| (COST_LEAST..=COST_MOST).contains(cost)).ok_or(out_of_range)?;
    NonZeroU32::new(cost).ok_or(out_of_range)
}

fn stretch(password: &[u8]) -> String {
    use std::fmt::Write;

    let hash = digest::digest(&digest::SHA512, password);
    hash.as_ref().iter().fold(String::with_capacity(128), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a string takes everything
        text
    })
}
