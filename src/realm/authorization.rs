//! The `Authorization` header: which scheme, and what it holds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::credentials::Malformed;

/// Longest header value: a token of 16 KiB and its scheme.
const BYTES_MAX: usize = super::jwt::TOKEN_BYTES_MAX + 16;

/// What a request presents.
pub(super) enum Presented<'a> {
    Basic(Basic),
    Bearer(&'a str),
    ApiKey,
    /// A scheme that no realm of the gateway knows, such as `Negotiate`.
    Other,
}

/// A user name and a password. The password is wiped when it is dropped.
pub(super) struct Basic {
    pub(super) username: String,
    pub(super) password: Zeroizing<Vec<u8>>,
}

impl<'a> Presented<'a> {
    /// Reads the value of a header: a scheme in any case, exactly one space, a credential.
    ///
    /// # Errors
    /// What is no such value; for `Basic` what is no base64 of `name:password` in UTF-8.
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        if value.len() > BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        let (scheme, credential) = text.and_then(|text| text.split_once(' ')).ok_or(Malformed::Scheme)?;
        if scheme.is_empty() || credential.is_empty() || credential.starts_with(' ') {
            return Err(Malformed::Scheme);
        }
        if scheme.eq_ignore_ascii_case("basic") {
            return Basic::parse(credential).map(Presented::Basic);
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Presented::Bearer(credential));
        }
        Ok(if scheme.eq_ignore_ascii_case("apikey") { Presented::ApiKey } else { Presented::Other })
    }
}

impl Basic {
    /// The first colon splits; the password may be empty and may hold colons (RFC 7617).
    fn parse(credential: &str) -> Result<Self, Malformed> {
        let decoded = Zeroizing::new(STANDARD.decode(credential).map_err(|_| Malformed::BasicEncoding)?);
        let text = std::str::from_utf8(&decoded).map_err(|_| Malformed::BasicEncoding)?;
        let (username, password) = text.split_once(':').ok_or(Malformed::BasicValue)?;
        if username.is_empty() {
            return Err(Malformed::BasicValue);
        }
        Ok(Self { username: username.to_owned(), password: Zeroizing::new(password.as_bytes().to_vec()) })
    }
}

#[cfg(test)]
mod tests;
