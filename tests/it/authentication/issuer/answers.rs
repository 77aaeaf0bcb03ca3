//! What the server of an issuer may answer.

use mlgate::realm::jwt::{Intervals, KeySetState};
use serde_json::json;

use super::super::key_server::{Answer, IssuerKey, KeyServer, answer_of};
use super::super::signing;
use super::{AT_ONCE, Bench, HOUR, UNKNOWN, claims, issuer};
use crate::harness::Certificates;

#[tokio::test]
async fn an_answer_that_is_no_key_set_changes_nothing() {
    let key = IssuerKey::new("one");
    let elsewhere = KeyServer::publishing(&[&IssuerKey::new("evil")]);
    let server = KeyServer::publishing(&[&key]);
    let mut bench = Bench::new(&server, Intervals { retry: HOUR, ..AT_ONCE });
    bench.until(|status| status.state == KeySetState::Current).await;
    let location = format!("location: {}\r\n", elsewhere.url());
    let mut weak = signing::keys().small_rsa.clone();
    weak["kid"] = json!("weak");
    #[rustfmt::skip] // a table
    let cases = [
        (answer_of("302 Found", &location, ""), "status [302]: redirects are not followed"),
        (answer_of("307 Temporary Redirect", &location, ""), "status [307]: redirects are not followed"),
        (answer_of("500 Internal Server Error", "", "{\"keys\":[]}"), "status [500]"),
        (answer_of("404 Not Found", "", ""), "status [404]"),
        (answer_of("204 No Content", "", ""), "status [204]"),
        (answer_of("200 OK", "", "<html>"), "not a JSON Web Key set: not a JSON object"),
        (answer_of("200 OK", "", ""), "not a JSON Web Key set: not a JSON object"),
        (answer_of("200 OK", "", "{\"keys\":[],\"keys\":[]}"), "not a JSON Web Key set: an object has a member twice"),
        (answer_of("200 OK", "", "{\"keys\":{}}"), "not a JSON Web Key set: no list [keys]"),
        (answer_of("200 OK", "", "{\"keys\":[]}"), "no key that can be used"),
        (answer_of("200 OK", "", &json!({ "keys": [weak] }).to_string()), "no key that can be used"),
        (answer_of("200 OK", "", &json!({ "keys": vec![json!({}); 101] }).to_string()), "more than 100 keys"),
        (answer_of("200 OK", "", &" ".repeat((1 << 20) + 1)), "is larger than [1048576] bytes"),
        (Answer::Bytes(b"SSH-2.0-x\r\n".to_vec()), "broke off or sent no valid answer"),
        (Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"keys\":[".to_vec()), "broke off or sent no valid answer"),
        (Answer::Down, "broke off or sent no valid answer"),
    ];
    for (answer, expected) in cases {
        server.answer(answer);
        // A reload asks at once, and keeps what is there.
        bench = Bench::after(Some(&bench), issuer(&server, &server.certificates, Intervals { retry: HOUR, ..AT_ONCE }));
        let failed = bench.keys().status().failed;
        let status = bench.until(|status| status.failed > failed).await;
        let problem = status.problem.unwrap();
        assert!(problem.contains(expected), "{problem}, expected {expected}");
        assert_eq!(status.state, KeySetState::Stale);
        assert_eq!(bench.ask(&key.bearer(&claims(0))).await, Ok(()), "{expected}");
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn a_weak_key_beside_a_good_one_is_left_out() {
    let good = IssuerKey::new("good");
    let mut weak = signing::keys().small_rsa.clone();
    weak["kid"] = json!("weak");
    let body = json!({ "keys": [weak, { "kty": "oct", "k": "AAAA" }, good.public()] }).to_string();
    let bench = Bench::new(&KeyServer::start(answer_of("200 OK", "", &body)), AT_ONCE);
    assert_eq!(bench.ask(&good.bearer(&claims(0))).await, Ok(()));
    assert_eq!(bench.keys().status().keys, 1);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gives_no_keys() {
    let key = IssuerKey::new("one");
    let server = KeyServer::publishing(&[&key]);
    let others = Certificates::for_names(&["127.0.0.1"]);
    let bench = Bench::after(None, issuer(&server, &others, Intervals { retry: HOUR, ..AT_ONCE }));
    let status = bench.until(|status| status.failed == 1).await;
    assert_eq!((status.state, server.requests()), (KeySetState::Missing, 0));
    assert!(status.problem.unwrap().contains("cannot connect"));
    assert_eq!(bench.ask(&key.bearer(&claims(0))).await, UNKNOWN);
}
