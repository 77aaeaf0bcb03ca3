//! The keys that signatures are checked with.

use std::fmt;
use std::sync::Arc;

use super::json::{Json, JsonProblem, Object, parse_object};
use super::key::{Key, KeyProblem};
use super::settings::Algorithm;

/// Most keys of one set; more would make every token of an unknown key dear.
const KEYS_MAX: usize = 100;

/// Keys of one realm. `Debug` shows no material.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
}

/// Why a key set is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetProblem {
    #[error("not a JSON Web Key set: {0}")]
    Json(JsonProblem),
    #[error("not a JSON Web Key set: no list [keys]")]
    NoKeys,
    #[error("key {position}{}: {cause}", id.as_deref().map(|id| format!(" [{id}]")).unwrap_or_default())]
    Key {
        /// In the list, from 1.
        position: usize,
        /// Its `kid`.
        id: Option<String>,
        cause: KeyProblem,
    },
    #[error("no key that can be used")]
    Empty,
    #[error("more than {KEYS_MAX} keys")]
    TooMany,
    #[error(transparent)]
    HmacKey(KeyProblem),
}

impl KeySet {
    /// Reads a JSON Web Key set of public keys (`pkc_jwkset_path`): RSA of 2,048 to 8,192 bits, P-256, P-384, P-521,
    /// Ed25519. Keys of other types and uses are skipped (RFC 7517, section 5).
    ///
    /// # Errors
    /// Malformed sets and keys, weak keys, and sets without a usable key.
    pub fn parse_public(file: &[u8]) -> Result<Self, KeySetProblem> {
        Self::parse(file, Key::read_public)
    }

    /// Reads a JSON Web Key set of shared keys (`hmac_jwkset_file`); keys of other types are skipped.
    ///
    /// # Errors
    /// As [`KeySet::parse_public`]; a shared key has 32 bytes at least.
    pub fn parse_hmac(file: &[u8]) -> Result<Self, KeySetProblem> {
        Self::parse(file, Key::read_shared)
    }

    /// Takes the bytes of one shared key (`hmac_key_file`), as they are, for every HMAC algorithm.
    ///
    /// # Errors
    /// Keys shorter than 32 bytes.
    pub fn from_hmac_key(key: &[u8]) -> Result<Self, KeySetProblem> {
        let key = Key::shared(None, None, key).map_err(KeySetProblem::HmacKey)?;
        Ok(Self { keys: vec![Arc::new(key)] })
    }

    /// The keys of both.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.keys.extend(other.keys);
        self
    }

    /// Whether there is a key for signatures of that algorithm.
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.serves(algorithm))
    }

    /// Whether `signature` over `message` is good by one of the keys.
    ///
    /// A key is tried if it serves the algorithm, and if its id is that of the token where both have one.
    pub(super) fn verify(&self, id: Option<&str>, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let candidates = self.keys.iter().filter(|key| key.may_have_signed(id));
        candidates.into_iter().any(|key| key.verify(algorithm, message, signature))
    }

    fn parse(file: &[u8], read: fn(&Object) -> Result<Option<Key>, KeyProblem>) -> Result<Self, KeySetProblem> {
        let set = parse_object(file).map_err(KeySetProblem::Json)?;
        let Some(Json::List(list)) = set.get("keys") else { return Err(KeySetProblem::NoKeys) };
        if list.len() > KEYS_MAX {
            return Err(KeySetProblem::TooMany);
        }
        let mut keys = Vec::with_capacity(list.len());
        for (index, item) in list.iter().enumerate() {
            let Json::Object(members) = item else { return Err(KeySetProblem::NoKeys) };
            let id = members.get("kid").and_then(Json::as_text).map(str::to_owned);
            let key = read(members).map_err(|cause| KeySetProblem::Key { position: index + 1, id, cause })?;
            keys.extend(key.map(Arc::new));
        }
        if keys.is_empty() { Err(KeySetProblem::Empty) } else { Ok(Self { keys }) }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeySet of {}", self.keys.len())
    }
}
