//! A token in compact form (RFC 7515, 7.1): three parts, of which nothing is believed yet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json::{Json, Object, parse_object};
use super::refusal::Refusal;
use super::settings::Algorithm;

/// Longest token that is looked at.
pub(in crate::realm) const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Headers by which a token would bring its own key, or change how it is to be read.
const REFUSED_HEADERS: [&str; 8] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"];

/// A token, taken apart.
pub(in crate::realm) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) claims: Object,
    /// What is signed.
    pub(super) message: &'a [u8],
    /// Base64url, and not empty.
    pub(super) signature: &'a str,
}

impl<'a> Token<'a> {
    /// Takes `<header>.<claims>.<signature>`, each base64url without padding.
    ///
    /// # Errors
    /// What is no such token, or has a header that the gateway refuses.
    pub(in crate::realm) fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Refusal::NotCompact)?;
        let (header, claims) = message.split_once('.').ok_or(Refusal::NotCompact)?;
        if decode(signature)?.is_empty() {
            return Err(Refusal::NotSigned);
        }
        let header = parse_object(&decode(header)?).map_err(Refusal::Header)?;
        if let Some(name) = REFUSED_HEADERS.into_iter().find(|name| header.contains_key(*name)) {
            return Err(Refusal::HeaderMember(name));
        }
        let algorithm = text_member(&header, "alg")?.ok_or(Refusal::Algorithm)?;
        let mut claims = parse_object(&decode(claims)?).map_err(Refusal::Claims)?;
        claims.retain(|_, value| *value != Json::Null); // null is as good as missing, as in Elasticsearch
        Ok(Self {
            algorithm: algorithm.parse().map_err(|_| Refusal::Algorithm)?,
            key_id: text_member(&header, "kid")?,
            kind: text_member(&header, "typ")?,
            claims,
            message: message.as_bytes(),
            signature,
        })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::NotCompact)
}

fn text_member(header: &Object, name: &'static str) -> Result<Option<String>, Refusal> {
    let text = |value: &Json| value.as_text().map(str::to_owned).ok_or(Refusal::HeaderMember(name));
    header.get(name).map(text).transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compact(header: &str, claims: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    proptest! {
        #[test]
        fn is_total_on_any_text(text in "\\PC{0,120}") {
            let _ = Token::parse(&text);
        }

        #[test]
        fn is_total_on_any_header_and_claims(header in r#"[{}"\[\]:,a-c0-9.eE+\\ -]{0,60}"#, claims in r#"[{}"\[\]:,a-c0-9.eE+\\ -]{0,60}"#) {
            let _ = Token::parse(&compact(&header, &claims));
            let _ = Token::parse(&compact(r#"{"alg":"RS256"}"#, &claims));
        }

        #[test]
        fn what_is_signed_is_what_came(subject in "[a-z]{0,20}") {
            let text = compact(r#"{"alg":"RS256"}"#, &format!(r#"{{"sub":"{subject}"}}"#));
            let token = Token::parse(&text).unwrap();
            prop_assert_eq!(token.message, text.strip_suffix(".AAAA").unwrap().as_bytes());
            prop_assert_eq!(token.claims.get("sub").and_then(Json::as_text), Some(subject.as_str()));
        }
    }
}
