//! Makes keys and tokens, by `jsonwebtoken` where it can: another implementation than the one under test.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// The shared key of the issuer.
pub(super) const SHARED: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The keys of the issuer, and of somebody else.
pub(super) struct Keys {
    pub(super) rsa: EncodingKey,
    pub(super) other_rsa: EncodingKey,
    pub(super) small_rsa: Value,
    p256: EncodingKey,
    p384: EncodingKey,
    p521: EcdsaKeyPair,
    ed25519: EncodingKey,
    ed25519_public: Vec<u8>,
}

pub(super) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let random = SystemRandom::new();
        let elliptic = |algorithm| EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap().as_ref().to_vec();
        let p521 = elliptic(&signature::ECDSA_P521_SHA512_FIXED_SIGNING);
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ed25519_public = Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap().public_key().as_ref().to_vec();
        Keys {
            rsa: rsa(),
            other_rsa: rsa(),
            // 1,024 bits, all set: never a good modulus, but of a size to be refused for.
            small_rsa: json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB" }),
            p256: EncodingKey::from_ec_der(&elliptic(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)),
            p384: EncodingKey::from_ec_der(&elliptic(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)),
            p521: EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, &p521).unwrap(),
            ed25519: EncodingKey::from_ed_der(ed25519.as_ref()),
            ed25519_public,
        }
    })
}

fn rsa() -> EncodingKey {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

/// The key set that the issuer publishes.
pub(super) fn public_set() -> Value {
    let keys = keys();
    let public = |id: &str, key: &EncodingKey, algorithm| {
        let mut key = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
        let members = key.as_object_mut().unwrap();
        members.remove("alg");
        members.insert("kid".to_owned(), id.into());
        members.insert("use".to_owned(), "sig".into());
        key
    };
    let point = keys.p521.public_key().as_ref();
    let p521 = json!({ "kty": "EC", "crv": "P-521", "kid": "p521",
        "x": URL_SAFE_NO_PAD.encode(&point[1..67]), "y": URL_SAFE_NO_PAD.encode(&point[67..]) });
    let ed25519 =
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": URL_SAFE_NO_PAD.encode(&keys.ed25519_public) });
    json!({ "keys": [
        public("rsa", &keys.rsa, Algorithm::RS256), public("p256", &keys.p256, Algorithm::ES256),
        public("p384", &keys.p384, Algorithm::ES384), p521, ed25519,
        { "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "odd" },
        { "kty": "RSA", "use": "enc", "n": "AA", "e": "AQAB", "kid": "for encryption" },
    ] })
}

/// The signature of `message` by the issuer's key for the algorithm, base64url.
pub(super) fn sign(algorithm: &str, message: &[u8]) -> String {
    let keys = keys();
    let key = match algorithm {
        "HS256" | "HS384" | "HS512" => &EncodingKey::from_secret(SHARED),
        "ES256" => &keys.p256,
        "ES384" => &keys.p384,
        "ES512" => return URL_SAFE_NO_PAD.encode(keys.p521.sign(&SystemRandom::new(), message).unwrap()),
        "EdDSA" => &keys.ed25519,
        _ => &keys.rsa,
    };
    sign_by(key, algorithm, message)
}

pub(super) fn sign_by(key: &EncodingKey, algorithm: &str, message: &[u8]) -> String {
    jsonwebtoken::crypto::sign(message, key, algorithm.parse().unwrap()).unwrap()
}
