//! Bearer tokens: what a good one makes.

mod keys;
mod memory;

use std::sync::Arc;
use std::time::Duration;

use mlgate::realm::jwt::{
    ClaimPattern, ClaimPatterns, ClaimSources, ClientAuthentication, FallbackClaims, KeySet, Refusal, Settings,
    SubjectPattern, TokenType,
};
use mlgate::realm::role_mapping::RoleMapping;
use mlgate::realm::{RealmSettings, Realms, Unauthenticated};
use serde_json::{Value, json};

use super::signing::{SHARED, public_set};
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

fn other_spellings() -> &'static Arc<Realms> {
    static REALMS: std::sync::OnceLock<Arc<Realms>> = std::sync::OnceLock::new();
    REALMS.get_or_init(|| realms_of(jwt_settings()))
}

proptest::proptest! {
    /// Base64 is read strictly, so that a token has one spelling.
    #[test]
    fn a_token_with_another_character_is_another_token(place in 0_usize..600, character in "[A-Za-z0-9_.=+/-]") {
        let realms = other_spellings();
        let good = token().bearer();
        let place = "Bearer ".len() + place % (good.len() - "Bearer ".len());
        let mut other = good.clone();
        other.replace_range(place..=place, &character);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(Worker::new().ask(realms, &[&other]));
        proptest::prop_assert_eq!(answer.is_ok(), other == good, "{}", other);
    }
}
