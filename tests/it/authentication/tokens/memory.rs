//! How long a token is remembered, and the secret that its client shows.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mlgate::realm::jwt::{ClientAuthentication, KeySet, Refusal};
use mlgate::realm::{RealmSettings, Realms, Verifier};
use mlgate::secret::Secret;
use serde_json::json;

use super::super::signing::public_set;
use super::super::token::token;
use super::super::{NOW, Worker, caller, settings};
use super::{jwt_settings, realms_of, refusal};

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
