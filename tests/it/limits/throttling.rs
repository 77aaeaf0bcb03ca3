//! Requests of one principal in a second.

use super::*;

#[test]
fn a_principal_that_is_too_fast_is_429_and_others_are_not() {
    // The one worker that has the connection gives a sixteenth: one request in 16 s.
    let (node, gateway) = with(|setup| {
        setup.limits.requests_per_second_per_principal = 1;
        setup.workers = 16;
    });
    let mut client = Client::connect(gateway.address);
    let mut ask = |user: &str, request: &str| client.simple(request, &basic(user));
    assert_eq!(ask("reader", "GET /idx/_search").status, 200);
    let refused = ask("reader", "GET /idx/_search");
    assert_full_shape(&refused, 429, "es_rejected_execution_exception");
    let wait: u32 = refused.value("retry-after").unwrap().parse().unwrap();
    assert!((1..=16).contains(&wait), "{wait}");
    let denied = ask("reader", "POST /_ml/anomaly_detectors/a/_open");
    assert_eq!(denied.status, 403, "who may not is told so first");
    assert_eq!(ask("ml_admin", "GET /_ml/info").status, 200);
    let (first, second) = (node.next_request(), node.next_request());
    assert_eq!((first.line(), second.line()), ("GET /idx/_search HTTP/1.1", "GET /_ml/info HTTP/1.1"));
    assert!(node.has_nothing());
}

#[test]
fn without_credentials_nobody_is_throttled() {
    let (_node, gateway) = with(|setup| setup.limits.requests_per_second_per_principal = 1);
    let mut client = Client::connect(gateway.address);
    for _ in 0..5 {
        assert_eq!(client.simple("GET /idx/_search", "").status, 200);
    }
}
