//! Verifies passwords against the hashes of Elasticsearch's `users` file.
//!
//! Source: elasticsearch, `Hasher.java`.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const ITERATIONS_MAX: u32 = 10_000_000;

/// A hash whose form is known; what cannot be one is refused when the file is read.
#[derive(Clone)]
pub(super) enum Hash {
    Bcrypt(String),
    Pbkdf2 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        key: Vec<u8>,
        /// The password is hashed once before (`PBKDF2_STRETCH`), for any length of it.
        stretch: bool,
    },
}

impl Hash {
    /// `$2a$..`, `{PBKDF2}iterations$salt$hash` or `{PBKDF2_STRETCH}iterations$salt$hash`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) && text.len() == 60 {
            return Some(Self::Bcrypt(text.to_owned()));
        }
        let (rest, stretch) = match text.strip_prefix("{PBKDF2_STRETCH}") {
            Some(rest) => (rest, true),
            None => (text.strip_prefix("{PBKDF2}")?, false),
        };
        let mut parts = rest.split('$');
        let iterations: u32 = parts.next()?.parse().ok().filter(|count| *count <= ITERATIONS_MAX)?;
        let salt = STANDARD.decode(parts.next()?).ok()?;
        let key = STANDARD.decode(parts.next()?).ok().filter(|key| !key.is_empty())?;
        let end = parts.next().is_none();
        end.then_some(Self::Pbkdf2 { iterations: NonZeroU32::new(iterations)?, salt, key, stretch })
    }

    /// Takes as long as the hash's cost says: not for async threads.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Pbkdf2 { iterations, salt, key, stretch } => {
                let stretched = if *stretch { hexadecimal(password) } else { password.to_vec() };
                pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA512, *iterations, salt, &stretched, key).is_ok()
            }
        }
    }
}

fn hexadecimal(password: &[u8]) -> Vec<u8> {
    let digest = digest::digest(&digest::SHA512, password);
    digest.as_ref().iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pbkdf2_hash(prefix: &str, password: &[u8]) -> String {
        let mut key = [0; 32];
        let count = NonZeroU32::new(1000).expect("not zero");
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, count, b"salt", password, &mut key);
        format!("{prefix}1000${}${}", STANDARD.encode(b"salt"), STANDARD.encode(key))
    }

    #[test]
    fn verifies_each_form() {
        let bcrypt = bcrypt::hash("secret", 4).expect("a hash");
        for text in
            [bcrypt, pbkdf2_hash("{PBKDF2}", b"secret"), pbkdf2_hash("{PBKDF2_STRETCH}", &hexadecimal(b"secret"))]
        {
            let hash = Hash::parse(&text).expect("a known form");
            assert!(hash.verify(b"secret") && !hash.verify(b"Secret") && !hash.verify(b""), "{text}");
        }
    }

    #[test]
    fn verifies_what_elasticsearch_wrote() {
        let text = "{PBKDF2_STRETCH}1000$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=$NYrxEscFlBEqKiQfGPpvfS99ZH/fv6t1hHNu8gDuyWo=";
        assert!(Hash::parse(text).expect("a known form").verify(b"secret-1"));
    }

    #[test]
    fn refuses_what_is_no_hash() {
        for text in
            ["", "secret", "$2a$10$short", "{PBKDF2}x$a$b", "{PBKDF2}0$YQ==$YQ==", "{PBKDF2}9$YQ==$", "{SHA}abc"]
        {
            assert!(Hash::parse(text).is_none(), "{text}");
        }
    }
}
