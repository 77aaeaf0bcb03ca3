//! How the gateway vouches for a caller to the embedded node of its own process.
//!
//! Each request carries the secret made at start and the caller as base64url JSON:
//! `{"username","realm":{"name","type"},"roles":[],"full_name","email","metadata":{}}`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The header with the secret.
pub const SECRET_HEADER: &str = "x-mlgate-node-secret";
/// The header with the caller.
pub const CALLER_HEADER: &str = "x-mlgate-node-caller";

/// A caller that the gateway has verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    pub username: String,
    pub realm: Realm,
    pub roles: Vec<String>,
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub metadata: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Realm {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

impl Caller {
    /// The header value; ASCII only, whatever the names hold.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// `None` for anything that [`Caller::encode`] does not write.
    pub fn decode(header: &[u8]) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_it_encodes() {
        let caller = Caller {
            username: "zo\u{eb}\r\nx: y".to_owned(),
            realm: Realm { name: "file1".to_owned(), kind: "file".to_owned() },
            roles: vec!["viewer".to_owned()],
            full_name: None,
            email: None,
            metadata: BTreeMap::new(),
        };
        let encoded = caller.encode();
        assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_eq!(Caller::decode(encoded.as_bytes()), Some(caller));
        assert_eq!(Caller::decode(b"e30"), None);
        assert_eq!(Caller::decode(b"!"), None);
    }
}
