//! The same over HTTP/2, where a body comes in frames of any size.

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;

use super::attacks::{DENIED, MALFORMED, PASSES};
use super::unchunked;
use crate::harness::gateway::basic;
use crate::harness::http2::{Body, frames, whole, with_http2};
use crate::harness::upstream::OK;
use crate::harness::{Certificates, Gateway, Setup, Upstream};

fn secured(node: &Upstream) -> (Gateway, Certificates) {
    let certificates = Certificates::for_names(&["localhost"]);
    let mut setup = Setup::of(&[node.address]);
    setup.tls = Some(certificates.server(&["h2"]));
    setup.limits.inspect_buffer = 4096;
    (Gateway::start(setup), certificates)
}

/// Asks as `reader`, in frames of `size`.
async fn ask(sender: &mut SendRequest<Body>, request: &str, body: &[u8], size: usize) -> Response<Incoming> {
    let (method, target) = request.split_once(' ').unwrap();
    let credentials = basic("reader");
    let credentials = credentials.trim().strip_prefix("Authorization: ").unwrap();
    let data = body.chunks(size).map(|piece| Frame::data(Bytes::copy_from_slice(piece))).collect();
    let request = Request::builder()
        .method(method)
        .uri(format!("https://localhost{target}"))
        .header("authorization", credentials)
        .header("content-type", "application/json")
        .body(frames(data))
        .unwrap();
    sender.ready().await.unwrap();
    sender.send_request(request).await.unwrap()
}

#[test]
fn frames_change_nothing() {
    let node = Upstream::answering();
    let (gateway, certificates) = secured(&node);
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        for (index, (request, body)) in DENIED.iter().enumerate() {
            let answer = ask(&mut sender, request, body.as_bytes(), 1 + index % 7).await;
            assert_eq!(answer.status(), 403, "{request} {body}");
        }
        for (index, (request, body)) in MALFORMED.iter().enumerate() {
            let answer = ask(&mut sender, request, body.as_bytes(), 1 + index % 5).await;
            assert_eq!(answer.status(), 400, "{request} {body}");
        }
    });
    assert!(node.has_nothing());
    let target = |request: &str| request.split_once(' ').unwrap().1.to_owned();
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        for (request, body) in PASSES {
            assert_eq!(ask(&mut sender, request, body.as_bytes(), 3).await.status(), 200, "{request} {body}");
        }
    });
    for (request, body) in PASSES {
        let sent = node.next_request();
        assert_eq!(sent.line().split(' ').nth(1), Some(&*target(request)));
        let came = if sent.value("transfer-encoding").is_some() { unchunked(&sent.body) } else { sent.body };
        assert_eq!(came, body.as_bytes(), "{request}");
    }
}

/// The stream ends there, and the connection goes on.
#[test]
fn the_forbidden_line_and_what_follows_are_never_sent() {
    let (sent, got) = std::sync::mpsc::channel();
    let node = Upstream::scripted(move |exchange| {
        if exchange.head().is_some_and(|head| head.starts_with("GET")) {
            exchange.send(OK);
        }
        let _ = sent.send(exchange.rest());
    });
    let (gateway, certificates) = secured(&node);
    let harmless = b"{\"index\":{\"_index\":\"logs\"}}\n{\"a\":1}\n".repeat(500);
    let bulk = [&harmless[..], b"{\"index\":{\"_index\":\".ml-config\"}}\n{\"b\":2}\n"].concat();
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        let answer = ask(&mut sender, "POST /_bulk", &bulk, 1000).await;
        assert_eq!(answer.status(), 403);
        let (text, _) = whole(answer.into_body()).await;
        assert!(String::from_utf8_lossy(&text).contains("the body reaches [.ml-config]"), "{text:?}");
        assert_eq!(ask(&mut sender, "GET /logs/_search", b"", 1).await.status(), 200);
    });
    let seen = String::from_utf8(got.recv_timeout(crate::harness::PATIENCE).unwrap()).unwrap();
    assert!(seen.contains("logs"), "{seen}");
    for never in ["ml-config", "\"b\"", "\r\n0\r\n"] {
        assert!(!seen.contains(never), "{never} in {seen}");
    }
}
