//! HTTP/2 from the caller, HTTP/1.1 to the node.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Frame;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::secured;
use crate::harness::gateway::basic;
use crate::harness::http2::{empty, frames, get, whole, with_http2, with_window};
use crate::harness::{Certificates, Gateway, Setup, Upstream};

#[test]
fn a_request_goes_on_as_http1() {
    let (node, gateway, certificates) = secured(|_| {});
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        let response = sender.send_request(get("/idx/_search?q=1")).await.unwrap();
        assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_2));
        assert_eq!(whole(response.into_body()).await.0, "{}");
    });
    let request = node.next_request();
    assert_eq!(request.line(), "GET /idx/_search?q=1 HTTP/1.1");
    assert_eq!(request.value("via"), Some("2 mlgate"));
    assert_eq!(request.value("x-forwarded-host"), Some("localhost"));
    assert_eq!(request.value("transfer-encoding"), None);
}

#[test]
fn bodies_are_framed_for_http1() {
    let (node, gateway, certificates) = secured(|_| {});
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        for method in ["GET", "POST", "DELETE"] {
            let request = |body| Request::builder().method(method).uri("https://localhost/x/_doc").body(body).unwrap();
            let known = sender.send_request(request(Full::from("abc").boxed())).await.unwrap();
            assert_eq!(known.status(), 200);
            let unknown = frames(vec![Frame::data("ab".into()), Frame::data("c".into())]);
            assert_eq!(sender.send_request(request(unknown)).await.unwrap().status(), 200);
        }
    });
    for _ in 0..3 {
        let known = node.next_request();
        assert_eq!((known.value("content-length"), known.body.as_slice()), (Some("3"), &b"abc"[..]));
        let unknown = node.next_request();
        assert_eq!(unknown.value("transfer-encoding"), Some("chunked"));
        assert!(unknown.body.ends_with(b"0\r\n\r\n"));
    }
}

#[test]
fn trailers_go_both_ways() {
    let certificates = Certificates::for_names(&["localhost"]);
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(
            b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 9\r\n\r\n",
        );
        exchange.rest();
    });
    let mut setup = Setup::of(&[node.address]);
    setup.tls = Some(certificates.server(&["h2"]));
    let gateway = Gateway::start(setup);
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        let trailers = HeaderMap::from_iter([("x-up".parse().unwrap(), "7".parse().unwrap())]);
        let request = Request::post("https://localhost/x/_doc")
            .header("trailer", "x-up")
            .header("te", "trailers")
            .body(frames(vec![Frame::data("abc".into()), Frame::trailers(trailers)]))
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (body, trailers) = whole(response.into_body()).await;
        assert_eq!((&body[..], trailers.unwrap().get("x-sum").unwrap().as_bytes()), (&b"{}"[..], &b"9"[..]));
    });
    let request = node.next_request();
    assert_eq!(request.value("te"), Some("trailers"));
    assert!(request.body.ends_with(b"0\r\nx-up: 7\r\n\r\n"), "{}", String::from_utf8_lossy(&request.body));
}

#[test]
fn cookie_crumbs_become_one_header() {
    let (node, gateway, certificates) = secured(|_| {});
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        let mut request = get("/");
        for crumb in ["a=1", "b=2"] {
            request.headers_mut().append("cookie", crumb.parse().unwrap());
        }
        sender.send_request(request).await.unwrap();
    });
    assert_eq!(node.next_request().value("cookie"), Some("a=1; b=2"));
}

#[test]
fn refusals_are_the_same() {
    let (node, gateway, certificates) = secured(|setup| setup.limits.max_content_length = 4);
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        let response = sender.send_request(get("/_ml/info")).await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        let large = Request::post("https://localhost/x").body(Full::from("12345").boxed()).unwrap();
        let response = sender.send_request(large).await.unwrap();
        assert_eq!(response.status(), 413);
        assert!(!response.headers().contains_key("connection"));
        let mut other = get("/");
        other.headers_mut().insert("host", "elsewhere".parse().unwrap());
        assert_eq!(sender.send_request(other).await.unwrap().status(), 400);
        // None of them has cost the connection.
        assert_eq!(sender.send_request(get("/")).await.unwrap().status(), 200);
    });
    assert_eq!(node.next_request().line(), "GET / HTTP/1.1");
    assert!(node.has_nothing());
}

#[test]
fn streams_run_side_by_side() {
    let all_there = Arc::new((Mutex::new(0), std::sync::Condvar::new()));
    let certificates = Certificates::for_names(&["localhost"]);
    let node = Upstream::scripted(move |exchange| {
        exchange.request();
        let (count, changed) = &*all_there;
        *count.lock().unwrap() += 1;
        changed.notify_all();
        // None is answered before all have come.
        drop(changed.wait_while(count.lock().unwrap(), |count| *count < 8).unwrap());
        exchange.send(crate::harness::upstream::OK);
        exchange.rest();
    });
    let mut setup = Setup::of(&[node.address]);
    setup.tls = Some(certificates.server(&["h2"]));
    let gateway = Gateway::start(setup);
    with_http2(&gateway, &certificates, |sender, _| async move {
        let answers = futures_util::future::join_all((0..8).map(|_| sender.clone().send_request(get("/")))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    });
}

#[test]
fn an_answer_that_breaks_off_resets_its_stream() {
    let certificates = Certificates::for_names(&["localhost"]);
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        exchange.close();
    });
    let mut setup = Setup::of(&[node.address]);
    setup.tls = Some(certificates.server(&["h2"]));
    let gateway = Gateway::start(setup);
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        let mut body = sender.send_request(get("/")).await.unwrap().into_body();
        let broken = loop {
            match body.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(broken, "the stream ended as if it were whole");
    });
}

#[test]
fn a_stopping_gateway_says_goodbye() {
    let (_node, gateway, certificates) = secured(|_| {});
    let gateway = Arc::new(gateway);
    let stopping = Arc::clone(&gateway);
    with_http2(&gateway, &certificates, |mut sender, connection| async move {
        let request = get("/").map(|_| empty());
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
        stopping.stop();
        connection.await.unwrap().unwrap();
    });
    Arc::into_inner(gateway).unwrap().join();
}

#[test]
fn credentials_go_over_http2() {
    let (node, gateway, certificates) = secured(|_| {});
    let line = basic("ml_admin");
    let value = line.trim_end().trim_start_matches("Authorization: ").to_owned();
    with_http2(&gateway, &certificates, |mut sender, _| async move {
        let mut request = get("/_ml/info");
        request.headers_mut().insert("authorization", value.parse().unwrap());
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    });
    node.next_request();
}

/// What a caller sees that sends `body` only after the answer has come: the reset of the stream, if there is one.
fn reset_after_early_answer(bytes: usize) -> Option<h2::Reason> {
    let (_node, gateway, certificates) = secured(|_| {});
    let config = certificates.client(&["h2"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(config).connect(name, tcp).await.unwrap();
        let (mut sender, mut connection) = h2::client::handshake(tls).await.unwrap();
        let mut pings = connection.ping_pong().unwrap();
        tokio::spawn(connection);
        let request = Request::post("https://localhost/_ml/_bulk").body(()).unwrap();
        let (answer, mut upload) = sender.send_request(request, false).unwrap();
        assert_eq!(answer.await.unwrap().status(), 400);
        let mut left = bytes;
        while left > 0 {
            upload.reserve_capacity(left);
            match std::future::poll_fn(|cx| upload.poll_capacity(cx)).await {
                Some(Ok(free)) => {
                    let size = free.min(left);
                    left -= size;
                    upload.send_data(Bytes::from(vec![b'x'; size]), left == 0).unwrap();
                }
                Some(Err(error)) => return error.reason(),
                None => break,
            }
        }
        // The answer to a ping comes after everything that the gateway has to say about what was sent before.
        pings.ping(h2::Ping::opaque()).await.unwrap();
        std::future::poll_fn(|cx| match upload.poll_reset(cx) {
            std::task::Poll::Ready(reason) => std::task::Poll::Ready(reason.ok()),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    })
}

#[test]
fn an_answer_that_comes_before_the_body_does_not_reset_the_stream() {
    assert_eq!(reset_after_early_answer(1), None);
    assert_eq!(reset_after_early_answer(100_000), None);
}

#[test]
fn a_long_body_that_nobody_reads_is_not_read_for_ever() {
    assert_eq!(reset_after_early_answer(10_000_000), Some(h2::Reason::NO_ERROR));
}

#[test]
fn a_caller_that_takes_nothing_does_not_hold_a_connection_to_the_node() {
    let (ended, end) = std::sync::mpsc::channel();
    let certificates = Certificates::for_names(&["localhost"]);
    let node = Upstream::scripted(move |exchange| {
        exchange.request();
        // An answer that is not over: its connection cannot be kept for another request.
        exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it");
        exchange.rest();
        let _ = ended.send(());
    });
    let mut setup = Setup::of(&[node.address]);
    setup.tls = Some(certificates.server(&["h2"]));
    setup.timeouts.idle = std::time::Duration::from_millis(200);
    let gateway = Gateway::start(setup);
    with_window(&gateway, &certificates, 0, |mut sender, connection| async move {
        let response = sender.send_request(get("/")).await.unwrap();
        // The socket is open and answers pings; only the window of the stream is closed.
        let _ = connection.await.unwrap();
        drop(response);
    });
    end.recv_timeout(crate::harness::PATIENCE).expect("the connection to the node is held");
}
