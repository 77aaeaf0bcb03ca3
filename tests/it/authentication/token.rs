//! A token in the making.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::NOW;
use super::signing::sign;

pub(in crate::authentication) const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
];

/// A token in the making. As it begins it is good.
#[derive(Clone)]
pub(in crate::authentication) struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    header_text: Option<String>,
    claims_text: Option<String>,
}

pub(in crate::authentication) fn token() -> Token {
    let claims = json!({ "iss": "https://issuer.example", "aud": "elasticsearch", "sub": "jane", "iat": NOW - 10, "exp": NOW + 600 });
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let members = |value: Value| value.as_object().unwrap().clone();
    Token { header: members(header), claims: members(claims), header_text: None, claims_text: None }
}

impl Token {
    pub(in crate::authentication) fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.to_owned(), value);
        self
    }

    pub(in crate::authentication) fn algorithm(self, name: &str) -> Self {
        self.header("alg", json!(name))
    }

    pub(in crate::authentication) fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    pub(in crate::authentication) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    pub(in crate::authentication) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    pub(in crate::authentication) fn header_text(mut self, text: &str) -> Self {
        self.header_text = Some(text.to_owned());
        self
    }

    /// Puts text behind the last member of the header.
    pub(in crate::authentication) fn header_and(mut self, more: &str) -> Self {
        let text = Value::Object(self.header.clone()).to_string();
        self.header_text = Some(format!("{}{more}}}", text.strip_suffix('}').unwrap()));
        self
    }

    /// Puts text behind the last claim.
    pub(in crate::authentication) fn claims_and(mut self, more: &str) -> Self {
        let text = Value::Object(self.claims.clone()).to_string();
        self.claims_text = Some(format!("{}{more}}}", text.strip_suffix('}').unwrap()));
        self
    }

    pub(in crate::authentication) fn claims_text(mut self, text: &str) -> Self {
        self.claims_text = Some(text.to_owned());
        self
    }

    pub(in crate::authentication) fn message(&self) -> String {
        let header = self.header_text.clone().unwrap_or_else(|| Value::Object(self.header.clone()).to_string());
        let claims = self.claims_text.clone().unwrap_or_else(|| Value::Object(self.claims.clone()).to_string());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    pub(in crate::authentication) fn compact(&self) -> String {
        let algorithm = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = if ALGORITHMS.contains(&algorithm) { algorithm } else { "RS256" };
        let message = self.message();
        format!("{message}.{}", sign(algorithm, message.as_bytes()))
    }

    pub(in crate::authentication) fn bearer(&self) -> String {
        format!("Bearer {}", self.compact())
    }

    /// One bit of the signature is another.
    pub(in crate::authentication) fn broken_signature(&self) -> String {
        let compact = self.compact();
        let (message, signature) = compact.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[10] ^= 1;
        format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Signed as `algorithm` by `signature`, whatever the header says.
    pub(in crate::authentication) fn signed(&self, signature: impl FnOnce(&[u8]) -> String) -> String {
        let message = self.message();
        format!("Bearer {message}.{}", signature(message.as_bytes()))
    }
}
