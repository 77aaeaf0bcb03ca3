//! Bearer tokens: what a good one makes, and how long.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mlgate::realm::jwt::{
    ClaimPattern, ClaimPatterns, ClaimSources, ClientAuthentication, FallbackClaims, KeySet, KeySetProblem, Refusal,
    Settings, SubjectPattern, TokenType,
};
use mlgate::realm::role_mapping::RoleMapping;
use mlgate::realm::{RealmSettings, Realms, Unauthenticated, Verifier};
use mlgate::secret::Secret;
use serde_json::{Value, json};

use super::signing::{SHARED, keys, public_set};
use super::token::{ALGORITHMS, token};
use super::{NOW, Worker, build, caller, settings};

pub(super) fn jwt_settings() -> Settings {
    let public = KeySet::parse_public(public_set().to_string().as_bytes()).unwrap();
    Settings {
        name: "jwt1".to_owned(),
        token_type: TokenType::IdToken,
        allowed_issuer: "https://issuer.example".to_owned(),
        allowed_audiences: vec!["elasticsearch".to_owned(), "kibana".to_owned()],
        allowed_signature_algorithms: ALGORITHMS.iter().map(|name| name.parse().unwrap()).collect(),
        allowed_clock_skew: Duration::from_secs(60),
        allowed_subjects: Vec::new(),
        allowed_subject_patterns: Vec::new(),
        claims: ClaimSources {
            principal: "sub".to_owned(),
            groups: Some("groups".to_owned()),
            name: Some("name".to_owned()),
            mail: Some("email".to_owned()),
            dn: Some("dn".to_owned()),
        },
        claim_patterns: ClaimPatterns::default(),
        required_claims: std::collections::BTreeMap::new(),
        fallback_claims: FallbackClaims::default(),
        keys: public.join(KeySet::from_hmac_key(SHARED).unwrap()),
        issuer: None,
        client_authentication: ClientAuthentication::None,
        populate_user_metadata: true,
    }
}

pub(super) fn realms_of(jwt: Settings) -> Arc<Realms> {
    let mut settings = settings(vec![RealmSettings::Jwt(Box::new(jwt))]);
    settings.role_mapping = RoleMapping::parse(
        "ml-admins:\n  enabled: true\n  roles: [machine_learning_admin]\n  rules: { all: [ { field: { realm.name: jwt1 } }, { field: { groups: ml-admins } } ] }\n",
    )
    .unwrap();
    build(&settings)
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Unauthenticated>) -> Refusal {
    match answer {
        Err(Unauthenticated::Token(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_good_token_makes_the_principal_that_elasticsearch_makes() {
    let realms = realms_of(jwt_settings());
    let token = token()
        .claim("groups", json!(["ml-admins", "others"]))
        .claim("name", json!("Jane Doe"))
        .claim("email", json!("jane@example.com"))
        .claim("level", json!(7))
        .claim("nested", json!({ "a": 1 }))
        .claim("nothing", Value::Null);
    let jane = caller(Worker::new().ask(&realms, &[&token.bearer()]).await);
    assert_eq!((jane.username.as_str(), jane.realm.name.as_str(), jane.realm.kind), ("jane", "jwt1", "jwt"));
    assert_eq!(jane.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["machine_learning_admin"]);
    assert_eq!(jane.groups, ["ml-admins", "others"]);
    assert_eq!((jane.full_name.as_deref(), jane.email.as_deref()), (Some("Jane Doe"), Some("jane@example.com")));
    let metadata: Vec<_> = jane.metadata.iter().map(|(name, values)| format!("{name}={}", values.join("|"))).collect();
    #[rustfmt::skip]
    assert_eq!(metadata, [
        "jwt_claim_aud=elasticsearch", "jwt_claim_email=jane@example.com", "jwt_claim_groups=ml-admins|others",
        "jwt_claim_iss=https://issuer.example", "jwt_claim_level=7", "jwt_claim_name=Jane Doe", "jwt_claim_sub=jane", "jwt_token_type=id_token",
    ]);
}

#[tokio::test]
async fn every_algorithm_verifies_what_another_implementation_signed() {
    let realms = realms_of(jwt_settings());
    let worker = Worker::new();
    for algorithm in ALGORITHMS {
        let good = token().algorithm(algorithm);
        assert_eq!(caller(worker.ask(&realms, &[&good.bearer()]).await).username, "jane", "{algorithm}");
        let broken = worker.ask(&realms, &[&good.broken_signature()]).await;
        assert_eq!(refusal(broken), Refusal::Signature, "{algorithm}");
    }
}

/// `tests/data/jwt_vectors.py` had them signed by OpenSSL.
#[tokio::test]
async fn every_algorithm_verifies_what_openssl_signed() {
    let vectors: Value = serde_json::from_str(include_str!("../../data/jwt_vectors.json")).unwrap();
    let set = |name: &str| vectors[name].to_string().into_bytes();
    let mut jwt = jwt_settings();
    jwt.keys = KeySet::parse_public(&set("jwks")).unwrap().join(KeySet::parse_hmac(&set("hmac_jwks")).unwrap());
    let realms = realms_of(jwt);
    let worker = Worker::new();
    for algorithm in ALGORITHMS {
        let bearer = format!("Bearer {}", vectors["tokens"][algorithm].as_str().unwrap());
        assert_eq!(caller(worker.ask(&realms, &[&bearer]).await).username, "jane", "{algorithm}");
        let other = realms_of(jwt_settings());
        assert_eq!(refusal(worker.ask(&other, &[&bearer]).await), Refusal::Signature, "{algorithm}");
    }
}

#[tokio::test]
async fn only_allowed_algorithms_count() {
    let mut jwt = jwt_settings();
    jwt.allowed_signature_algorithms = vec!["RS256".parse().unwrap()];
    let realms = realms_of(jwt);
    let worker = Worker::new();
    for algorithm in ALGORITHMS {
        let answer = worker.ask(&realms, &[&token().algorithm(algorithm).bearer()]).await;
        assert_eq!(answer.is_ok(), algorithm == "RS256", "{algorithm}");
    }
}

#[tokio::test]
async fn a_token_is_remembered_until_it_ends() {
    let realms = realms_of(jwt_settings());
    let mut worker = Worker::new();
    let bearer = token().claim("exp", json!(NOW + 10)).bearer();
    let first = caller(worker.ask(&realms, &[&bearer]).await);
    worker.seconds = 59;
    assert!(Rc::ptr_eq(&first, &caller(worker.ask(&realms, &[&bearer]).await)));
    worker.seconds = 60; // the memory's own time
    assert!(!Rc::ptr_eq(&first, &caller(worker.ask(&realms, &[&bearer]).await)));
    worker.seconds = 69;
    caller(worker.ask(&realms, &[&bearer]).await);
    worker.seconds = 70; // ten seconds and the skew
    assert_eq!(refusal(worker.ask(&realms, &[&bearer]).await), Refusal::Expired);
}

#[tokio::test]
async fn the_edges_of_the_skew_are_elasticsearchs() {
    let realms = realms_of(jwt_settings());
    let worker = Worker::new();
    for (claim, seconds, expected) in [
        ("exp", NOW - 59, None),
        ("exp", NOW - 60, Some(Refusal::Expired)),
        ("iat", NOW + 59, None),
        ("iat", NOW + 60, Some(Refusal::NotYet("iat"))),
        ("nbf", NOW + 59, None),
        ("nbf", NOW + 60, Some(Refusal::NotYet("nbf"))),
        ("auth_time", NOW + 60, Some(Refusal::NotYet("auth_time"))),
    ] {
        let answer = worker.ask(&realms, &[&token().claim(claim, json!(seconds)).bearer()]).await;
        assert_eq!(answer.err(), expected.map(Unauthenticated::Token), "{claim} {seconds}");
    }
}

#[tokio::test]
async fn access_tokens_have_their_type_and_fallback_claims() {
    let mut jwt = jwt_settings();
    jwt.token_type = TokenType::AccessToken;
    jwt.claims.principal = "client_id".to_owned();
    jwt.fallback_claims = FallbackClaims { sub: Some("client_id".to_owned()), aud: Some("scope".to_owned()) };
    let realms = realms_of(jwt);
    let worker = Worker::new();
    let bare = token().without("sub").without("aud").claim("client_id", json!("robot"));
    let good = bare.clone().claim("scope", json!(["elasticsearch"])).header("typ", json!("at+jwt"));
    let robot = caller(worker.ask(&realms, &[&good.bearer()]).await);
    assert_eq!((robot.username.as_str(), robot.metadata["jwt_token_type"][0].as_str()), ("robot", "access_token"));
    assert_eq!(refusal(worker.ask(&realms, &[&bare.bearer()]).await), Refusal::Missing("scope".to_owned()));
    // What stands in counts only where the claim itself is missing.
    let both = good.clone().claim("aud", json!("somebody-else"));
    assert_eq!(refusal(worker.ask(&realms, &[&both.bearer()]).await), Refusal::NotAllowed("aud".to_owned()));
}

#[tokio::test]
async fn subjects_are_allowed_by_name_or_pattern() {
    let mut jwt = jwt_settings();
    jwt.allowed_subjects = vec!["robot".to_owned()];
    jwt.allowed_subject_patterns =
        vec![SubjectPattern::parse("ja*").unwrap(), SubjectPattern::parse("/svc-[0-9]+/").unwrap()];
    let realms = realms_of(jwt);
    let worker = Worker::new();
    for (subject, allowed) in [
        ("robot", true),
        ("jane", true),
        ("svc-12", true),
        ("Robot", false),
        ("robot2", false),
        ("svc-", false),
        ("xsvc-1", false),
    ] {
        let answer = worker.ask(&realms, &[&token().claim("sub", json!(subject)).bearer()]).await;
        assert_eq!(answer.is_ok(), allowed, "{subject}");
    }
}

#[tokio::test]
async fn required_claims_have_one_of_their_values() {
    let mut jwt = jwt_settings();
    jwt.required_claims.insert("azp".to_owned(), vec!["app-1".to_owned(), "app-2".to_owned()]);
    let realms = realms_of(jwt);
    let worker = Worker::new();
    for (value, allowed) in [
        (json!("app-1"), true),
        (json!(["x", "app-2"]), true),
        (json!("app-3"), false),
        (json!(1), false),
        (Value::Null, false),
    ] {
        let answer = worker.ask(&realms, &[&token().claim("azp", value.clone()).bearer()]).await;
        assert_eq!(answer.is_ok(), allowed, "{value}");
    }
    assert_eq!(refusal(worker.ask(&realms, &[&token().bearer()]).await), Refusal::Missing("azp".to_owned()));
}

#[tokio::test]
async fn claim_patterns_cut_values() {
    let mut jwt = jwt_settings();
    jwt.claims.principal = "email".to_owned();
    jwt.claim_patterns.principal = Some(ClaimPattern::parse(r"^([^@]+)@example\.com$").unwrap());
    jwt.claim_patterns.groups = Some(ClaimPattern::parse("^es-(.*)$").unwrap());
    let realms = realms_of(jwt);
    let worker = Worker::new();
    let good =
        token().claim("email", json!("jane@example.com")).claim("groups", json!(["es-ml-admins", "other", "es-"]));
    let jane = caller(worker.ask(&realms, &[&good.bearer()]).await);
    assert_eq!((jane.username.as_str(), jane.groups.as_slice()), ("jane", ["ml-admins".to_owned()].as_slice()));
    let other = good.claim("email", json!("jane@evil.example"));
    assert_eq!(refusal(worker.ask(&realms, &[&other.bearer()]).await), Refusal::NoPrincipal("email".to_owned()));
    assert!(ClaimPattern::parse("^no-group$").is_err() && ClaimPattern::parse("^(open").is_err());
}

#[tokio::test]
async fn the_client_authenticates_by_the_shared_secret_on_every_request() {
    let mut jwt = jwt_settings();
    jwt.client_authentication = shared_secret("client-secret");
    let realms = realms_of(jwt);
    let worker = Worker::new();
    let bearer = token().bearer();
    for good in ["SharedSecret client-secret", "sharedsecret client-secret"] {
        caller(worker.ask_with_secret(&realms, &[&bearer], Some(good)).await);
    }
    for bad in [
        None,
        Some(""),
        Some("client-secret"),
        Some("SharedSecret"),
        Some("SharedSecret "),
        Some("SharedSecret  client-secret"),
        Some("SharedSecret client-secre"),
        Some("Basic client-secret"),
    ] {
        let answer = worker.ask_with_secret(&realms, &[&bearer], bad).await;
        assert_eq!(refusal(answer), Refusal::ClientAuthentication, "{bad:?}");
    }
}

fn shared_secret(secret: &str) -> ClientAuthentication {
    ClientAuthentication::SharedSecret {
        secret: Secret::new(secret.as_bytes().to_vec()),
        rotation_grace_period: Duration::from_secs(30),
    }
}

#[tokio::test]
async fn a_client_secret_outlives_its_reload_for_the_grace_period() {
    let after = |earlier: Option<&Realms>, secret: &str| {
        let mut jwt = jwt_settings();
        jwt.client_authentication = shared_secret(secret);
        let settings = settings(vec![RealmSettings::Jwt(Box::new(jwt))]);
        Arc::new(Realms::build_after(earlier, &settings, Arc::new(Verifier::start(1, 1).unwrap())).unwrap())
    };
    let bearer = token().bearer();
    let first = after(None, "one");
    let second = after(Some(&first), "two");
    // A reload for another reason in between.
    let third = after(Some(&second), "two");
    let mut worker = Worker::new();
    for secret in ["SharedSecret one", "SharedSecret two"] {
        caller(worker.ask_with_secret(&third, &[&bearer], Some(secret)).await);
    }
    assert_eq!(
        refusal(worker.ask_with_secret(&third, &[&bearer], Some("SharedSecret three")).await),
        Refusal::ClientAuthentication
    );
    // The time is over, for what is remembered as well: the memory's own is a minute.
    worker.seconds = 31;
    caller(worker.ask_with_secret(&third, &[&bearer], Some("SharedSecret two")).await);
    assert_eq!(
        refusal(worker.ask_with_secret(&third, &[&bearer], Some("SharedSecret one")).await),
        Refusal::ClientAuthentication
    );
    // Two reloads later nothing is left of the first.
    let fourth = after(Some(&third), "three");
    let answer = Worker::new().ask_with_secret(&fourth, &[&bearer], Some("SharedSecret one")).await;
    assert_eq!(refusal(answer), Refusal::ClientAuthentication);
}

#[tokio::test]
async fn a_reload_without_the_key_ends_what_is_remembered_at_once() {
    let (before, mut jwt) = (realms_of(jwt_settings()), jwt_settings());
    let worker = Worker::new();
    let bearer = token().header("kid", json!("rsa")).bearer();
    caller(worker.ask(&before, &[&bearer]).await);
    let mut set = public_set();
    set["keys"].as_array_mut().unwrap().remove(0);
    jwt.keys = KeySet::parse_public(set.to_string().as_bytes()).unwrap();
    jwt.allowed_signature_algorithms = vec!["ES256".parse().unwrap()];
    let after = realms_of(jwt);
    assert_eq!(refusal(worker.ask(&after, &[&bearer]).await), Refusal::Algorithm);
    assert!(worker.ask(&after, &[&token().algorithm("ES256").bearer()]).await.is_ok());
}

#[tokio::test]
async fn realms_are_tried_in_their_order() {
    let mut first = jwt_settings();
    first.name = "jwt0".to_owned();
    first.allowed_audiences = vec!["other".to_owned()];
    let chain = vec![first, jwt_settings()].into_iter().map(|jwt| RealmSettings::Jwt(Box::new(jwt)));
    let realms = build(&settings(chain.collect()));
    let worker = Worker::new();
    assert_eq!(caller(worker.ask(&realms, &[&token().bearer()]).await).realm.name, "jwt1");
    let other = token().claim("aud", json!("other"));
    assert_eq!(caller(worker.ask(&realms, &[&other.bearer()]).await).realm.name, "jwt0");
    let neither = token().claim("aud", json!("neither"));
    assert_eq!(refusal(worker.ask(&realms, &[&neither.bearer()]).await), Refusal::NotAllowed("aud".to_owned()));
    let challenges: Vec<_> = realms.challenges().iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(challenges, [r#"Bearer realm="security""#]);
}

#[test]
fn weak_and_broken_keys_are_refused_when_they_are_read() {
    let set =
        |key: Value| KeySet::parse_public(json!({ "keys": [key] }).to_string().as_bytes()).unwrap_err().to_string();
    assert_eq!(set(keys().small_rsa.clone()), "key 1: an RSA key needs 2048 to 8192 bits, this one has 1024");
    let mut point = public_set()["keys"][1].clone();
    point["y"] = point["x"].clone();
    assert_eq!(set(point), "key 1 [p256]: not a point of its curve, or not an RSA key");
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

proptest::proptest! {
    #[test]
    fn reading_keys_is_total(members in r#"("(kty|crv|n|e|x|y|k|alg|use|kid|key_ops)":("(RSA|EC|OKP|oct|P-256|P-521|Ed25519|AQAB|sig|RS256|[A-Za-z0-9_=-]{0,60})"|\[\]|null|1),){0,8}"z":0"#) {
        let set = format!("{{\"keys\":[{{{members}}}]}}");
        let _ = KeySet::parse_public(set.as_bytes());
        let _ = KeySet::parse_hmac(set.as_bytes());
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
