//! Keys and settings that cannot be used.

use mlgate::realm::jwt::{KeySet, KeySetProblem};
use serde_json::{Value, json};

use super::super::signing::{SHARED, keys, public_set};
use super::super::token::token;
use super::{Worker, jwt_settings, realms_of};

#[test]
fn weak_and_broken_keys_are_refused_when_they_are_read() {
    let set =
        |key: Value| KeySet::parse_public(json!({ "keys": [key] }).to_string().as_bytes()).unwrap_err().to_string();
    assert_eq!(set(keys().small_rsa.clone()), "key 1: an RSA key needs 2048 to 8192 bits, this one has 1024");
    let mut point = public_set()["keys"][1].clone();
    point["y"] = point["x"].clone();
    assert_eq!(set(point), "key 1 [p256]: not a point of its curve, or not an RSA key");
    // By an exponent of one every padded hash is its own signature.
    for exponent in ["AQ", "Ag", "AA", "", "AAAB", "BAAAAAE", "________"] {
        let mut weak = public_set()["keys"][0].clone();
        weak["e"] = json!(exponent);
        assert_eq!(set(weak), "key 1 [rsa]: not a point of its curve, or not an RSA key", "{exponent}");
    }
    let mut even = public_set()["keys"][0].clone();
    let modulus = even["n"].as_str().unwrap();
    even["n"] = json!(format!("{}A", &modulus[..modulus.len() - 1]));
    assert_eq!(set(even), "key 1 [rsa]: not a point of its curve, or not an RSA key");
    let mut odd = public_set()["keys"][0].clone();
    odd["alg"] = json!("ES256");
    assert_eq!(set(odd), "key 1 [rsa]: [alg] is [ES256], which does not go with its type");
    assert_eq!(set(json!({ "kty": "oct", "k": "AAAA" })), "no key that can be used");
    assert_eq!(KeySet::parse_public(b"{}").unwrap_err(), KeySetProblem::NoKeys);
    assert_eq!(
        KeySet::from_hmac_key(b"too short").unwrap_err().to_string(),
        "a shared key needs 32 bytes at least, this one has 9"
    );
    let short = KeySet::parse_hmac(br#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#).unwrap_err().to_string();
    assert_eq!(short, "key 1: a shared key needs 32 bytes at least, this one has 3");
}

/// Without an id every key of the algorithm is a candidate; a stranger does not have them all tried.
#[tokio::test]
async fn a_token_costs_so_many_signatures_and_no_more() {
    for (others, is_good) in [(15, true), (16, false)] {
        let mut jwt = jwt_settings();
        let other = |number: u8| KeySet::from_hmac_key(&[number; 64]).unwrap();
        jwt.keys = (0..others).map(other).fold(KeySet::default(), KeySet::join);
        jwt.keys = jwt.keys.join(KeySet::from_hmac_key(SHARED).unwrap());
        jwt.allowed_signature_algorithms = vec!["HS256".parse().unwrap()];
        let answer = Worker::new().ask(&realms_of(jwt), &[&token().algorithm("HS256").bearer()]).await;
        assert_eq!(answer.is_ok(), is_good, "{others}: {answer:?}");
    }
}

#[test]
fn settings_that_do_not_fit_together_are_told() {
    let mut jwt = jwt_settings();
    assert_eq!(jwt.problems(), []);
    jwt.keys = KeySet::from_hmac_key(&SHARED[..32]).unwrap();
    jwt.allowed_signature_algorithms = ["HS256", "HS512", "RS256"].iter().map(|name| name.parse().unwrap()).collect();
    jwt.allowed_audiences.clear();
    jwt.required_claims.insert("exp".to_owned(), vec!["1".to_owned()]);
    jwt.fallback_claims.sub = Some("client_id".to_owned());
    let told: Vec<_> = jwt.problems().iter().map(|problem| format!("{}: {problem}", problem.key())).collect();
    #[rustfmt::skip]
    assert_eq!(told, [
        "allowed_audiences: at least one audience is needed",
        "allowed_signature_algorithms: no key for [HS512]: it needs hmac_key_file or hmac_jwkset_file",
        "allowed_signature_algorithms: no key for [RS256]: it needs pkc_jwkset_path",
        "required_claims: [exp] is checked by its own setting",
        "fallback_claims: fallback claims are for access tokens only",
    ]);
}

proptest::proptest! {
    #[test]
    fn reading_keys_is_total(members in r#"("(kty|crv|n|e|x|y|k|alg|use|kid|key_ops)":("(RSA|EC|OKP|oct|P-256|P-521|Ed25519|AQAB|sig|RS256|[A-Za-z0-9_=-]{0,60})"|\[\]|null|1),){0,8}"z":0"#) {
        let set = format!("{{\"keys\":[{{{members}}}]}}");
        let _ = KeySet::parse_public(set.as_bytes());
        let _ = KeySet::parse_hmac(set.as_bytes());
    }
}
