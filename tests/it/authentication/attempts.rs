//! Failed attempts: who is limited by them, and who is not.

use std::net::IpAddr;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use mlgate::realm::{RealmSettings, Realms, Unauthenticated, Verified, elasticsearch};

use super::cluster::{answer, asked, cluster, is_first, node, privileges, user};
use super::*;
use crate::harness::{Client, Gateway, Setup, Upstream};

async fn ask(worker: &Worker, realms: &Arc<Realms>, header: &str, address: &str) -> Result<Verified, Unauthenticated> {
    let address: Option<IpAddr> = Some(address.parse().unwrap());
    worker.present(realms, &Presents { headers: &[header], address, ..Presents::default() }).await
}

fn limited(username: &str) -> Result<Verified, Unauthenticated> {
    Err(Unauthenticated::Limited { username: Some(username.to_owned()) })
}

const GUESSER: &str = "10.0.0.1";
const OTHER: &str = "10.0.0.2";

/// Ten wrong passwords for as many names.
async fn guess(worker: &Worker, realms: &Arc<Realms>) {
    for number in 0..10 {
        let name = format!("user-{number}");
        let refused = ask(worker, realms, &basic(&name, "guess"), GUESSER).await;
        assert_eq!(refused, Err(Unauthenticated::User { username: name }));
    }
}

#[tokio::test]
async fn over_the_limit_even_the_right_password_is_wrong_from_there() {
    let realms = build(&settings(vec![file_realm()]));
    let mut worker = Worker::new();
    let (elastic, reader) = (basic("elastic", "elastic-password"), basic("reader", "reader-password"));
    caller(ask(&worker, &realms, &elastic, GUESSER).await);
    guess(&worker, &realms).await;
    assert_eq!(ask(&worker, &realms, &reader, GUESSER).await, limited("reader"));
    caller(ask(&worker, &realms, &reader, OTHER).await);
    caller(ask(&worker, &realms, &elastic, GUESSER).await);
    worker.seconds = 10;
    let slow = ask(&worker, &realms, &basic("slow", "slow-password"), GUESSER).await;
    assert_ne!(slow, limited("slow"), "some time later it is weighed");
}

#[tokio::test]
async fn what_was_good_before_is_weighed_from_everywhere_also_after_its_time_and_a_reload() {
    let realms = build(&settings(vec![file_realm()]));
    let mut worker = Worker::new();
    let elastic = basic("elastic", "elastic-password");
    caller(ask(&worker, &realms, &elastic, OTHER).await);
    worker.seconds = 61;
    guess(&worker, &realms).await;
    caller(ask(&worker, &realms, &elastic, GUESSER).await);
    let reloaded = build(&settings(vec![file_realm()]));
    caller(ask(&worker, &reloaded, &elastic, GUESSER).await);
    let without = build(&settings(vec![RealmSettings::File(file::Settings {
        name: "file1".to_owned(),
        users: file::Users::default(),
        users_roles: file::UsersRoles::default(),
    })]));
    let gone = ask(&worker, &without, &elastic, GUESSER).await;
    assert_eq!(gone, Err(Unauthenticated::User { username: "elastic".to_owned() }), "known once is not let in");
}

#[tokio::test]
async fn a_stranger_who_guesses_a_name_does_not_lock_it() {
    let realms = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    for number in 0..20 {
        let address = format!("10.1.0.{number}");
        let refused = ask(&worker, &realms, &basic("elastic", &number.to_string()), &address).await;
        assert_eq!(refused, Err(Unauthenticated::User { username: "elastic".to_owned() }));
    }
    let elastic = basic("elastic", "elastic-password");
    assert_eq!(ask(&worker, &realms, &elastic, "10.1.0.7").await, limited("elastic"), "it has had its guess");
    caller(ask(&worker, &realms, &elastic, OTHER).await);
}

#[tokio::test]
async fn a_flood_from_one_address_leaves_places_for_a_first_log_in_from_another() {
    let realms = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    let guesses: Vec<String> = (0..100).map(|number| basic("slow", &number.to_string())).collect();
    let mut flood = Box::pin(join_all(guesses.iter().map(|guess| ask(&worker, &realms, guess, GUESSER))));
    assert!((&mut flood).now_or_never().is_none());
    caller(ask(&worker, &realms, &basic("reader", "reader-password"), OTHER).await);
    drop(flood);
}

#[tokio::test]
async fn a_cluster_is_not_asked_for_who_is_over_the_limit() {
    let node = node(|request| match (request.value("authorization"), is_first(request)) {
        (Some("ApiKey Z29vZA=="), true) => user("jane"),
        (Some("ApiKey Z29vZA=="), false) => privileges("jane", &[]),
        _ => answer(401, "{}"),
    });
    let realms = build(&settings(vec![RealmSettings::Elasticsearch(elasticsearch::Settings { name: "c".to_owned() })]));
    let (worker, cluster) = (Worker::new(), cluster("main", &[&node]));
    let ask = async |header: &str, address: &str| {
        let address = Some(address.parse().unwrap());
        let headers = &[header];
        worker.present(&realms, &Presents { headers, address, cluster: Some(&cluster), ..Presents::default() }).await
    };
    for number in 0..50 {
        let refused = ask(&format!("ApiKey {number}"), GUESSER).await;
        let is_limited = refused == Err(Unauthenticated::Limited { username: None });
        assert_eq!(is_limited, number >= 10, "{number}: {refused:?}");
    }
    assert!(ask("ApiKey Z29vZA==", GUESSER).await.is_err());
    assert_eq!(asked(&node), 10);
    caller(ask("ApiKey Z29vZA==", OTHER).await);
}

/// A cluster says what is wrong with an API key; who is limited would miss that.
#[test]
fn a_limited_api_key_is_told_what_a_wrong_one_is_told() {
    let detail = r#"{"error":{"additional_unsuccessful_credentials":"API key: api key is expired"}}"#;
    for (per_address, answers) in [(2, 1), (0, 2)] {
        let node = node(move |request| match request.value("authorization") {
            Some("ApiKey MDow") => answer(401, "{}"),
            _ => answer(401, detail),
        });
        let mut setup = Setup::of(&[node.address]);
        (setup.users, setup.elasticsearch_realm) = (Vec::new(), true);
        setup.failed_attempts = AttemptLimits { window: Duration::from_secs(3600), per_address, per_user: 0 };
        let gateway = Gateway::start(setup);
        let mut client = Client::connect(gateway.address);
        let told: std::collections::BTreeSet<_> = ["MDow", "MTox", "Mjoy", "Mzoz"]
            .iter()
            .map(|key| client.simple("GET /_ml/info", &format!("Authorization: ApiKey {key}\r\n")))
            .map(|response| (response.status, response.value("content-length").map(str::to_owned), response.body))
            .collect();
        assert_eq!(told.len(), answers, "{told:?}");
        assert_eq!(asked(&node), if per_address == 0 { 4 } else { 2 });
    }
}

#[test]
fn who_is_limited_is_told_what_a_wrong_password_is_told() {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.failed_attempts = AttemptLimits { window: Duration::from_secs(3600), per_address: 2, per_user: 0 };
    let gateway = Gateway::start(setup);
    let mut client = Client::connect(gateway.address);
    let mut ask = |password: &str| {
        let response = client.simple("GET /_ml/info", &format!("Authorization: {}\r\n", basic("reader", password)));
        let is_told = |line: &str| !line.starts_with("x-request-id") && !line.starts_with("date");
        let told = response.head.lines().filter(|line| is_told(&line.to_ascii_lowercase()));
        (response.status, told.map(str::to_owned).collect::<Vec<_>>(), response.body.clone())
    };
    let wrong = ask("a");
    assert_eq!(wrong.0, 401);
    assert_eq!(ask("b"), wrong);
    assert_eq!(ask("reader-password"), wrong);
    assert!(node.has_nothing());
}
