//! One key, ready for every algorithm that it may be used with.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json::{Json, Object};
use super::settings::Algorithm;

/// Smallest and largest RSA modulus, in bits.
const RSA_BITS_MIN: usize = 2048;
const RSA_BITS_MAX: usize = 8192;

/// Shortest shared key: as long as the shortest hash (RFC 7518, 3.2).
const HMAC_BYTES_MIN: usize = 32;

/// A key. What it may verify is decided when it is read: nothing that a token says can widen it.
pub(in crate::realm) struct Key {
    id: Option<String>,
    verifiers: Vec<(Algorithm, Verifier)>,
    /// What it was read from; not of shared keys, which are no use to keep.
    members: Option<Object>,
    withdrawn: AtomicBool,
}

enum Verifier {
    Public(ParsedPublicKey),
    Shared(Box<hmac::Key>),
}

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("[{0}] is missing or not a text")]
    Missing(&'static str),
    #[error("[{0}] is not base64url")]
    Encoding(&'static str),
    #[error("an RSA key needs {RSA_BITS_MIN} to {RSA_BITS_MAX} bits, this one has {0}")]
    RsaSize(usize),
    #[error("a shared key needs {HMAC_BYTES_MIN} bytes at least, this one has {0}")]
    HmacSize(usize),
    #[error("[alg] is [{0}], which does not go with its type")]
    Algorithm(String),
    #[error("not a point of its curve, or not an RSA key")]
    Invalid,
}

impl Key {
    /// Reads a public key; `None` for types, curves and uses that the gateway has no use for.
    pub(super) fn read_public(members: &Object) -> Result<Option<Self>, KeyProblem> {
        if !is_for_signatures(members) {
            return Ok(None);
        }
        let verifiers = match text(members, "kty")? {
            "RSA" => rsa(members)?,
            "EC" => match text(members, "crv")? {
                "P-256" => elliptic(members, 32, Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED)?,
                "P-384" => elliptic(members, 48, Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED)?,
                "P-521" => elliptic(members, 66, Algorithm::Es512, &signature::ECDSA_P521_SHA512_FIXED)?,
                _ => return Ok(None),
            },
            "OKP" if text(members, "crv")? == "Ed25519" => {
                let point = sized(members, "x", 32)?;
                vec![(Algorithm::EdDsa, parsed(&signature::ED25519, &point)?)]
            }
            _ => return Ok(None),
        };
        Self::restricted(members, verifiers).map(|key| Some(Self { members: Some(members.clone()), ..key }))
    }

    /// Reads a shared key; `None` for other types and uses.
    pub(super) fn read_shared(members: &Object) -> Result<Option<Self>, KeyProblem> {
        if !is_for_signatures(members) || text(members, "kty")? != "oct" {
            return Ok(None);
        }
        let key = Self::shared(None, None, &decoded(members, "k")?)?;
        Self::restricted(members, key.verifiers).map(Some)
    }

    /// Takes a shared key as it is, for the HMAC algorithm given or for all of them.
    pub(super) fn shared(id: Option<String>, only: Option<Algorithm>, key: &[u8]) -> Result<Self, KeyProblem> {
        if key.len() < HMAC_BYTES_MIN {
            return Err(KeyProblem::HmacSize(key.len()));
        }
        let all = [
            (Algorithm::Hs256, hmac::HMAC_SHA256, 32),
            (Algorithm::Hs384, hmac::HMAC_SHA384, 48),
            (Algorithm::Hs512, hmac::HMAC_SHA512, 64),
        ];
        let usable = all
            .into_iter()
            .filter(|(algorithm, _, least)| only.is_none_or(|only| only == *algorithm) && key.len() >= *least);
        let verifiers = usable
            .map(|(algorithm, hash, _)| (algorithm, Verifier::Shared(Box::new(hmac::Key::new(hash, key)))))
            .collect();
        Ok(Self::new(id, verifiers))
    }

    /// Keeps what the key's own `alg` allows, if it has one.
    fn restricted(members: &Object, mut verifiers: Vec<(Algorithm, Verifier)>) -> Result<Self, KeyProblem> {
        if let Some(name) = members.get("alg") {
            let name = name.as_text().ok_or(KeyProblem::Missing("alg"))?;
            verifiers.retain(|(algorithm, _)| algorithm.to_string() == name);
            if verifiers.is_empty() {
                return Err(KeyProblem::Algorithm(name.to_owned()));
            }
        }
        let id = members.get("kid").map(|id| id.as_text().map(str::to_owned).ok_or(KeyProblem::Missing("kid")));
        Ok(Self::new(id.transpose()?, verifiers))
    }

    const fn new(id: Option<String>, verifiers: Vec<(Algorithm, Verifier)>) -> Self {
        Self { id, verifiers, members: None, withdrawn: AtomicBool::new(false) }
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether both were read from the same members.
    pub(super) fn is_the_same_as(&self, other: &Self) -> bool {
        self.members.is_some() && self.members == other.members
    }

    /// The issuer has it no more: what it has verified must be forgotten.
    pub(super) fn withdraw(&self) {
        self.withdrawn.store(true, Ordering::Release);
    }

    pub(in crate::realm) fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Acquire)
    }

    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        self.verifiers.iter().any(|(own, _)| *own == algorithm)
    }

    /// Whether a token that names key `id` can be from this one.
    pub(super) fn may_have_signed(&self, id: Option<&str>) -> bool {
        match (&self.id, id) {
            (Some(own), Some(id)) => own == id,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether the signature is good; HMACs are compared in constant time.
    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let Some((_, verifier)) = self.verifiers.iter().find(|(own, _)| *own == algorithm) else { return false };
        match verifier {
            Verifier::Public(key) => key.verify_sig(message, signature).is_ok(),
            Verifier::Shared(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

/// Whether `use` and `key_ops`, where they are given, allow to verify.
fn is_for_signatures(members: &Object) -> bool {
    let by_use = members.get("use").is_none_or(|of| of.as_text() == Some("sig"));
    let by_operations = members.get("key_ops").is_none_or(|operations| match operations {
        Json::List(list) => list.iter().any(|operation| matches!(operation.as_text(), Some("verify"))),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => false,
    });
    by_use && by_operations
}

fn rsa(members: &Object) -> Result<Vec<(Algorithm, Verifier)>, KeyProblem> {
    #[rustfmt::skip] // a table
    let all: [(Algorithm, &'static RsaParameters); 6] = [
        (Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256), (Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
        (Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384), (Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384),
        (Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512), (Algorithm::Ps512, &signature::RSA_PSS_2048_8192_SHA512),
    ];
    let (modulus, exponent) = (decoded(members, "n")?, decoded(members, "e")?);
    let (n, e) = (without_leading_zeros(&modulus), without_leading_zeros(&exponent));
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
        return Err(KeyProblem::RsaSize(bits));
    }
    let components = RsaPublicKeyComponents { n, e };
    let ready = |(algorithm, parameters)| {
        let key = components.to_parsed_public_key(parameters).map_err(|_| KeyProblem::Invalid)?;
        Ok((algorithm, Verifier::Public(key)))
    };
    all.into_iter().map(ready).collect()
}

/// `size`: bytes of a coordinate.
fn elliptic(
    members: &Object,
    size: usize,
    algorithm: Algorithm,
    verification: &'static dyn VerificationAlgorithm,
) -> Result<Vec<(Algorithm, Verifier)>, KeyProblem> {
    let mut point = vec![4]; // both coordinates follow (SEC 1, 2.3.3)
    point.extend(sized(members, "x", size)?);
    point.extend(sized(members, "y", size)?);
    Ok(vec![(algorithm, parsed(verification, &point)?)])
}

fn parsed(algorithm: &'static dyn VerificationAlgorithm, bytes: &[u8]) -> Result<Verifier, KeyProblem> {
    ParsedPublicKey::new(algorithm, bytes).map(Verifier::Public).map_err(|_| KeyProblem::Invalid)
}

fn text<'a>(members: &'a Object, name: &'static str) -> Result<&'a str, KeyProblem> {
    members.get(name).and_then(Json::as_text).ok_or(KeyProblem::Missing(name))
}

fn decoded(members: &Object, name: &'static str) -> Result<Vec<u8>, KeyProblem> {
    URL_SAFE_NO_PAD.decode(text(members, name)?).map_err(|_| KeyProblem::Encoding(name))
}

fn sized(members: &Object, name: &'static str, size: usize) -> Result<Vec<u8>, KeyProblem> {
    let bytes = decoded(members, name)?;
    if bytes.len() == size { Ok(bytes) } else { Err(KeyProblem::Invalid) }
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}
