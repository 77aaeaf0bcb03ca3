//! Many at the same time.

use std::sync::mpsc::{Sender, channel};

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::*;

/// A node that keeps back the answer to a first question until it is told.
fn holding(names: &'static [&'static str]) -> (Upstream, Sender<()>) {
    let (go, wait) = channel();
    let wait = Mutex::new(wait);
    let node = Upstream::scripted(move |exchange| {
        while let Some(request) = exchange.request() {
            let name = names
                .iter()
                .find(|name| request.value("authorization") == Some(&basic(name, "secret")))
                .copied()
                .unwrap_or_default();
            if is_first(&request) && name == "held" && wait.lock().unwrap().recv().is_err() {
                return;
            }
            exchange.send(&if is_first(&request) { user(name) } else { privileges(name, &[OPEN]) });
        }
    });
    (node, go)
}

#[tokio::test]
async fn two_requests_with_one_credential_ask_once_and_others_do_not_wait() {
    let (node, go) = holding(&["held", "free"]);
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let (held, free) = (basic("held", "secret"), basic("free", "secret"));
    let both = async { tokio::join!(ask(&worker, &realms, &cluster, &held), ask(&worker, &realms, &cluster, &held)) };
    let other = async {
        let other = caller(ask(&worker, &realms, &cluster, &free).await);
        go.send(()).unwrap();
        other
    };
    let ((one, two), other) = tokio::join!(both, other);
    assert_eq!((caller(one).username.as_str(), other.username.as_str()), ("held", "free"));
    assert_eq!(caller(two).username, "held");
    assert_eq!(asked(&node), 4, "two for each credential");
}

#[tokio::test]
async fn a_flood_of_wrong_credentials_asks_little_and_shuts_out_nobody_known() {
    let (node, _go) = holding(&["known", "new"]);
    let (realms, mut worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let (known, new) = (basic("known", "secret"), basic("new", "secret"));
    caller(ask(&worker, &realms, &cluster, &known).await);
    worker.seconds = 60;
    let silent = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.rest();
    });
    let flooded = super::cluster("main", &[&silent]);
    let guesses: Vec<String> = (0..500).map(|number| basic("elastic", &number.to_string())).collect();
    let mut flood = Box::pin(join_all(guesses.iter().map(|guess| ask(&worker, &realms, &flooded, guess))));
    // Each is polled once: those that find a place wait for the silent node, the others are answered.
    assert!((&mut flood).now_or_never().is_none());
    assert_eq!(ask(&worker, &realms, &cluster, &new).await, Err(Unauthenticated::Busy));
    assert!(may(&caller(ask(&worker, &realms, &cluster, &known).await), OPEN), "it was good before");
    drop(flood);
    caller(ask(&worker, &realms, &cluster, &new).await);
    assert!(asked(&silent) <= 64);
}

/// With ever new users to run as, one account of one network leaves places to first log-ins from others.
#[tokio::test]
async fn one_network_has_a_share_of_the_questions() {
    let (node, _go) = holding(&["new"]);
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let silent = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.rest();
    });
    let flooded = super::cluster("main", &[&silent]);
    let (low, new) = (basic("low", "secret"), basic("new", "secret"));
    let address = |last: u8| Some(std::net::IpAddr::from([10, 0, 0, last]));
    let users: Vec<String> = (0..200).map(|number| format!("x{number}")).collect();
    let mut flood = Box::pin(join_all(users.iter().map(async |user| {
        let (headers, run_as) = ([low.as_str()], [user.as_str()]);
        let presents =
            Presents { headers: &headers, run_as: &run_as, cluster: Some(&flooded), address: address(1), secret: None };
        worker.present(&realms, &presents).await
    })));
    assert!((&mut flood).now_or_never().is_none());
    let log_in = async |last: u8| {
        let headers = [new.as_str()];
        let presents =
            Presents { headers: &headers, cluster: Some(&cluster), address: address(last), ..Presents::default() };
        worker.present(&realms, &presents).await
    };
    assert_eq!(log_in(1).await, Err(Unauthenticated::Busy));
    caller(log_in(2).await);
    drop(flood);
    assert!(asked(&silent) <= 16);
}

/// With Basic a client's secret says nothing: it makes no other credential of the same one.
#[tokio::test]
async fn a_client_secret_makes_no_new_question_of_a_password() {
    let (node, _go) = holding(&["new"]);
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let new = basic("new", "secret");
    for number in 0..5 {
        let secret = format!("SharedSecret {number}");
        let headers = [new.as_str()];
        let presents =
            Presents { headers: &headers, secret: Some(&secret), cluster: Some(&cluster), ..Presents::default() };
        caller(worker.present(&realms, &presents).await);
    }
    assert_eq!(asked(&node), 2, "who it is, and what it may");
}
