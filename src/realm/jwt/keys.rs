//! The keys that signatures are checked with.

use std::fmt;
use std::sync::Arc;

use super::json::{Json, JsonProblem, Object, parse_object};
use super::key::{Key, KeyProblem};
use super::settings::Algorithm;

/// Most keys of one set; more would make every token of an unknown key dear.
const KEYS_MAX: usize = 100;
/// Signatures that one token costs at most: strangers decide how many tokens there are.
const TRIES_MAX: usize = 16;

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

    /// The key by which `signature` (base64url) over `message` is good.
    ///
    /// A key is tried if it serves the algorithm, and if its id is that of the token where both have one; the first
    /// [`TRIES_MAX`] of those.
    pub(super) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &str,
    ) -> Option<Arc<Key>> {
        let candidates = self.keys.iter().filter(|key| key.may_have_signed(id) && key.serves(algorithm));
        candidates.take(TRIES_MAX).find(|key| key.verify(algorithm, message, signature)).cloned()
    }

    /// Reads a JSON Web Key set that an issuer publishes. Keys that are malformed or weak are left out and told: nobody
    /// who runs the gateway can mend them, and the good ones beside them must not go with them (RFC 7517, section 5).
    ///
    /// # Errors
    /// What is no key set, is too long, or has no usable key.
    pub(super) fn parse_published(answer: &[u8]) -> Result<(Self, Vec<KeySetProblem>), KeySetProblem> {
        let (mut keys, mut unusable) = (Vec::new(), Vec::new());
        for key in read_each(answer, Key::read_public)? {
            match key {
                Ok(key) => keys.extend(key.map(Arc::new)),
                Err(problem) => unusable.push(problem),
            }
        }
        if keys.is_empty() { Err(KeySetProblem::Empty) } else { Ok((Self { keys }, unusable)) }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether there is a key of that id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id() == Some(id))
    }

    /// The same keys; those that `earlier` has as well are its very ones.
    pub(super) fn keeping(self, earlier: &Self) -> Self {
        let keep = |key: Arc<Key>| {
            let known = earlier.keys.iter().find(|known| known.is_the_same_as(&key) && !known.is_withdrawn());
            known.cloned().unwrap_or(key)
        };
        Self { keys: self.keys.into_iter().map(keep).collect() }
    }

    /// Withdraws the keys that `later` does not have.
    pub(super) fn withdraw_beyond(&self, later: &Self) {
        self.beyond(later).for_each(|key| key.withdraw());
    }

    /// The ids of the keys that `other` does not have; `-` for those without one.
    pub(super) fn ids_beyond(&self, other: &Self) -> Vec<String> {
        self.beyond(other).map(|key| key.id().unwrap_or("-").to_owned()).collect()
    }

    fn beyond(&self, other: &Self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.iter().filter(|key| !other.keys.iter().any(|known| Arc::ptr_eq(known, key)))
    }

    fn parse(file: &[u8], read: fn(&Object) -> Result<Option<Key>, KeyProblem>) -> Result<Self, KeySetProblem> {
        let keys = read_each(file, read)?.into_iter().collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = keys.into_iter().flatten().map(Arc::new).collect();
        if keys.is_empty() { Err(KeySetProblem::Empty) } else { Ok(Self { keys }) }
    }
}

type Read = Result<Option<Key>, KeySetProblem>;

fn read_each(file: &[u8], read: fn(&Object) -> Result<Option<Key>, KeyProblem>) -> Result<Vec<Read>, KeySetProblem> {
    let set = parse_object(file).map_err(KeySetProblem::Json)?;
    let Some(Json::List(list)) = set.get("keys") else { return Err(KeySetProblem::NoKeys) };
    if list.len() > KEYS_MAX {
        return Err(KeySetProblem::TooMany);
    }
    let one = |(index, item): (usize, &Json)| {
        let Json::Object(members) = item else { return Err(KeySetProblem::NoKeys) };
        let id = members.get("kid").and_then(Json::as_text).map(str::to_owned);
        read(members).map_err(|cause| KeySetProblem::Key { position: index + 1, id, cause })
    };
    Ok(list.iter().enumerate().map(one).collect())
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeySet of {}", self.keys.len())
    }
}
