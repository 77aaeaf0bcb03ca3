//! One key, and the algorithms that it may be used with.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, crypto};

use super::json::{Json, Object};
use super::settings::Algorithm;

/// Smallest and largest RSA modulus, in bits.
const RSA_BITS_MIN: usize = 2048;
const RSA_BITS_MAX: usize = 8192;

/// Sizes of an RSA exponent that aws-lc-rs takes; by an exponent of one every padded hash would be its own signature.
const EXPONENT_BITS: std::ops::RangeInclusive<usize> = 2..=33;

/// Shortest shared key: as long as the shortest hash (RFC 7518, 3.2).
const HMAC_BYTES_MIN: usize = 32;

/// A key. What it may verify is decided when it is read: nothing that a token says can widen it.
pub(in crate::realm) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    material: Material,
    /// What it was read from; not of shared keys, which are no use to keep.
    members: Option<Object>,
    withdrawn: AtomicBool,
}

enum Material {
    /// For `jsonwebtoken`.
    Common(DecodingKey),
    /// For ES512, which `jsonwebtoken` does not know.
    P521(ParsedPublicKey),
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
        let (algorithms, material) = match text(members, "kty")? {
            "RSA" => (RSA.to_vec(), rsa(members)?),
            "EC" => match text(members, "crv")? {
                "P-256" => (vec![Algorithm::Es256], elliptic(members, 32, &signature::ECDSA_P256_SHA256_FIXED)?),
                "P-384" => (vec![Algorithm::Es384], elliptic(members, 48, &signature::ECDSA_P384_SHA384_FIXED)?),
                "P-521" => (vec![Algorithm::Es512], p521(members)?),
                _ => return Ok(None),
            },
            "OKP" if text(members, "crv")? == "Ed25519" => (vec![Algorithm::EdDsa], ed25519(members)?),
            _ => return Ok(None),
        };
        Self::restricted(members, algorithms, material).map(|key| Some(Self { members: Some(members.clone()), ..key }))
    }

    /// Reads a shared key; `None` for other types and uses.
    pub(super) fn read_shared(members: &Object) -> Result<Option<Self>, KeyProblem> {
        if !is_for_signatures(members) || text(members, "kty")? != "oct" {
            return Ok(None);
        }
        let key = Self::shared(None, None, &decoded(members, "k")?)?;
        Self::restricted(members, key.algorithms, key.material).map(Some)
    }

    /// Takes a shared key as it is, for the HMAC algorithm given or for all of them.
    pub(super) fn shared(id: Option<String>, only: Option<Algorithm>, key: &[u8]) -> Result<Self, KeyProblem> {
        if key.len() < HMAC_BYTES_MIN {
            return Err(KeyProblem::HmacSize(key.len()));
        }
        let all = [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)];
        let usable = all
            .into_iter()
            .filter(|(algorithm, least)| only.is_none_or(|only| only == *algorithm) && key.len() >= *least);
        let algorithms = usable.map(|(algorithm, _)| algorithm).collect();
        Ok(Self::new(id, algorithms, Material::Common(DecodingKey::from_secret(key))))
    }

    /// Keeps what the key's own `alg` allows, if it has one.
    fn restricted(members: &Object, mut algorithms: Vec<Algorithm>, material: Material) -> Result<Self, KeyProblem> {
        if let Some(name) = members.get("alg") {
            let name = name.as_text().ok_or(KeyProblem::Missing("alg"))?;
            algorithms.retain(|algorithm| algorithm.to_string() == name);
            if algorithms.is_empty() {
                return Err(KeyProblem::Algorithm(name.to_owned()));
            }
        }
        let id = members.get("kid").map(|id| id.as_text().map(str::to_owned).ok_or(KeyProblem::Missing("kid")));
        Ok(Self::new(id.transpose()?, algorithms, material))
    }

    const fn new(id: Option<String>, algorithms: Vec<Algorithm>, material: Material) -> Self {
        Self { id, algorithms, material, members: None, withdrawn: AtomicBool::new(false) }
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
        self.algorithms.contains(&algorithm)
    }

    /// Whether a token that names key `id` can be from this one.
    pub(super) fn may_have_signed(&self, id: Option<&str>) -> bool {
        match (&self.id, id) {
            (Some(own), Some(id)) => own == id,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether the signature (base64url) is good; HMACs are compared in constant time.
    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &str) -> bool {
        if !self.serves(algorithm) {
            return false;
        }
        match (&self.material, common(algorithm)) {
            (Material::Common(key), Some(algorithm)) => {
                crypto::verify(signature, message, key, algorithm).unwrap_or(false)
            }
            (Material::P521(key), None) => {
                URL_SAFE_NO_PAD.decode(signature).is_ok_and(|signature| key.verify_sig(message, &signature).is_ok())
            }
            (Material::Common(_), None) | (Material::P521(_), Some(_)) => false,
        }
    }
}

/// The algorithm as `jsonwebtoken` names it; `None` for ES512.
const fn common(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    use jsonwebtoken::Algorithm as Common;
    Some(match algorithm {
        Algorithm::Hs256 => Common::HS256,
        Algorithm::Hs384 => Common::HS384,
        Algorithm::Hs512 => Common::HS512,
        Algorithm::Rs256 => Common::RS256,
        Algorithm::Rs384 => Common::RS384,
        Algorithm::Rs512 => Common::RS512,
        Algorithm::Ps256 => Common::PS256,
        Algorithm::Ps384 => Common::PS384,
        Algorithm::Ps512 => Common::PS512,
        Algorithm::Es256 => Common::ES256,
        Algorithm::Es384 => Common::ES384,
        Algorithm::EdDsa => Common::EdDSA,
        Algorithm::Es512 => return None,
    })
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

/// What an RSA key serves.
const RSA: [Algorithm; 6] =
    [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];

fn rsa(members: &Object) -> Result<Material, KeyProblem> {
    let (modulus, exponent) = (decoded(members, "n")?, decoded(members, "e")?);
    let (n, e) = (without_leading_zeros(&modulus), without_leading_zeros(&exponent));
    let size = bits(n);
    if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&size) {
        return Err(KeyProblem::RsaSize(size));
    }
    if !is_odd(n) || !is_odd(e) || !EXPONENT_BITS.contains(&bits(e)) {
        return Err(KeyProblem::Invalid);
    }
    // `jsonwebtoken` looks at a key when it verifies; a bad one is to be found when it is read.
    let checked = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256);
    checked.map_err(|_| KeyProblem::Invalid)?;
    Ok(Material::Common(DecodingKey::from_rsa_raw_components(n, e)))
}

/// `size`: bytes of a coordinate.
fn elliptic(
    members: &Object,
    size: usize,
    algorithm: &'static dyn VerificationAlgorithm,
) -> Result<Material, KeyProblem> {
    let point = point(members, size)?;
    parsed(algorithm, &point)?;
    Ok(Material::Common(DecodingKey::from_ec_der(&point)))
}

fn p521(members: &Object) -> Result<Material, KeyProblem> {
    parsed(&signature::ECDSA_P521_SHA512_FIXED, &point(members, 66)?).map(Material::P521)
}

fn ed25519(members: &Object) -> Result<Material, KeyProblem> {
    let point = sized(members, "x", 32)?;
    parsed(&signature::ED25519, &point)?;
    Ok(Material::Common(DecodingKey::from_ed_der(&point)))
}

/// Both coordinates, of `size` bytes each, behind the mark that says so (SEC 1, 2.3.3).
fn point(members: &Object, size: usize) -> Result<Vec<u8>, KeyProblem> {
    let mut point = vec![4];
    point.extend(sized(members, "x", size)?);
    point.extend(sized(members, "y", size)?);
    Ok(point)
}

fn parsed(algorithm: &'static dyn VerificationAlgorithm, bytes: &[u8]) -> Result<ParsedPublicKey, KeyProblem> {
    ParsedPublicKey::new(algorithm, bytes).map_err(|_| KeyProblem::Invalid)
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

/// Of a number without leading zeros.
fn bits(number: &[u8]) -> usize {
    number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}
