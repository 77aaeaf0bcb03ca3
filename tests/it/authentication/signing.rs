//! Makes keys and tokens, by aws-lc-rs itself: the realm verifies by `jsonwebtoken`.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The shared key of the issuer.
pub(super) const SHARED: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The keys of the issuer, and of somebody else.
pub(super) struct Keys {
    rsa: RsaKeyPair,
    pub(super) other_rsa: RsaKeyPair,
    /// A public key that is too small.
    pub(super) small_rsa: Value,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    p521: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

pub(super) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        other_rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        // 1,024 bits, all set: never a good modulus, but of a size to be refused for.
        small_rsa: json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB" }),
        p256: elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING),
        p384: elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING),
        p521: elliptic(&ECDSA_P521_SHA512_FIXED_SIGNING),
        ed25519: Ed25519KeyPair::generate().unwrap(),
    })
}

pub(super) fn elliptic(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap()
}

/// The key set that the issuer publishes.
pub(super) fn public_set() -> Value {
    let keys = keys();
    let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(keys.rsa.public_key());
    let ed25519 = keys.ed25519.public_key();
    json!({ "keys": [
        { "kty": "RSA", "kid": "rsa", "use": "sig", "n": URL_SAFE_NO_PAD.encode(rsa.n), "e": URL_SAFE_NO_PAD.encode(rsa.e) },
        public_point("P-256", "p256", &keys.p256), public_point("P-384", "p384", &keys.p384), public_point("P-521", "p521", &keys.p521),
        { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": URL_SAFE_NO_PAD.encode(ed25519) },
        { "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "odd" },
        { "kty": "RSA", "use": "enc", "n": "AA", "e": "AQAB", "kid": "for encryption" },
    ] })
}

/// The issuer's RSA key as a PEM file has it.
pub(super) fn public_pem() -> String {
    let der: PublicKeyX509Der<'_> = keys().rsa.public_key().as_der().unwrap();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()))
}

pub(super) fn public_point(curve: &str, id: &str, pair: &EcdsaKeyPair) -> Value {
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({ "kty": "EC", "crv": curve, "kid": id, "use": "sig", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
}

/// The signature of `message` by the issuer's key for the algorithm, base64url.
pub(super) fn sign(algorithm: &str, message: &[u8]) -> String {
    let keys = keys();
    match algorithm {
        "HS256" | "HS384" | "HS512" => sign_hmac(SHARED, algorithm, message),
        "ES256" => sign_elliptic(&keys.p256, message),
        "ES384" => sign_elliptic(&keys.p384, message),
        "ES512" => sign_elliptic(&keys.p521, message),
        "EdDSA" => URL_SAFE_NO_PAD.encode(keys.ed25519.sign(message)),
        _ => sign_rsa(&keys.rsa, algorithm, message),
    }
}

pub(super) fn sign_rsa(pair: &RsaKeyPair, algorithm: &str, message: &[u8]) -> String {
    let padding = match algorithm {
        "RS256" => &RSA_PKCS1_SHA256,
        "RS384" => &RSA_PKCS1_SHA384,
        "RS512" => &RSA_PKCS1_SHA512,
        "PS256" => &RSA_PSS_SHA256,
        "PS384" => &RSA_PSS_SHA384,
        "PS512" => &RSA_PSS_SHA512,
        other => panic!("{other} is no algorithm of an RSA key"),
    };
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
    URL_SAFE_NO_PAD.encode(signature)
}

pub(super) fn sign_elliptic(pair: &EcdsaKeyPair, message: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(pair.sign(&SystemRandom::new(), message).unwrap())
}

pub(super) fn sign_hmac(secret: &[u8], algorithm: &str, message: &[u8]) -> String {
    let hash = match algorithm {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        other => panic!("{other} is no algorithm of a shared key"),
    };
    URL_SAFE_NO_PAD.encode(hmac::sign(&hmac::Key::new(hash, secret), message))
}
