//! Bulks that are larger than what is read ahead.

use std::sync::{Arc, Mutex};

use super::{JSON, gzip, reason, unchunked};
use crate::harness::gateway::basic;
use crate::harness::upstream::OK;
use crate::harness::{Client, Gateway, Setup, Upstream};

const INSPECTED: usize = 4096;

/// A node that keeps everything that comes, whole or not, and a gateway in front of it.
fn keeping() -> (Arc<Mutex<Vec<u8>>>, Upstream, Gateway) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&kept);
    let node = Upstream::scripted(move |exchange| {
        if exchange.head().is_some() {
            let _ = exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n");
            while let Some(bytes) = exchange.take(1) {
                let ended = bytes.ends_with(b"0\r\n\r\n");
                into.lock().unwrap().extend(bytes);
                if ended {
                    exchange.send(OK);
                }
            }
        }
        into.lock().unwrap().extend(b"<closed>");
    });
    let mut setup = Setup::of(&[node.address]);
    setup.limits.inspect_buffer = INSPECTED;
    (kept, node, Gateway::start(setup))
}

fn bulk(user: &str, lines: &str) -> String {
    format!("POST /_bulk HTTP/1.1\r\nHost: x\r\n{JSON}{lines}{}Transfer-Encoding: chunked\r\n\r\n", basic(user))
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn harmless() -> Vec<u8> {
    b"{\"index\":{\"_index\":\"logs\"}}\n{\"a\":1}\n".repeat(INSPECTED / 16)
}

/// Waits until the node has seen what `done` looks for.
fn wait_for(kept: &Mutex<Vec<u8>>, done: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let begin = std::time::Instant::now();
    loop {
        let seen = kept.lock().unwrap().clone();
        if done(&seen) {
            return seen;
        }
        assert!(begin.elapsed() < crate::harness::PATIENCE, "{:?}", String::from_utf8_lossy(&seen));
        std::thread::yield_now();
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn the_forbidden_line_and_what_follows_are_never_sent() {
    let (kept, _node, gateway) = keeping();
    let mut client = Client::connect(gateway.address);
    client.send(bulk("reader", ""));
    client.send(chunk(&harmless()));
    wait_for(&kept, |seen| contains(seen, b"logs"));
    // The line comes in two pieces; the first alone says nothing yet.
    client.send(chunk(b"{\"delete\":{\"_id\":\"sent\"}}\n{\"index\":{\"_index\":\".m"));
    wait_for(&kept, |seen| contains(seen, b"sent"));
    client.send(chunk(b"l-config\"}}\n{\"b\":2}\n"));
    let response = client.response(false);
    assert_eq!(response.status, 403, "{}", response.head);
    assert!(reason(&response).ends_with("the body reaches [.ml-config]"), "{}", reason(&response));
    let seen = wait_for(&kept, |seen| contains(seen, b"<closed>"));
    for never in [&b"{\"index\":{\"_index\":\".m"[..], b"ml-config", b"{\"b\":2}", b"\r\n0\r\n"] {
        assert!(!contains(&seen, never), "{}", String::from_utf8_lossy(&seen));
    }
}

#[test]
fn a_body_that_is_judged_while_it_streams_comes_whole() {
    for size in [1, 37, 1000, 100_000] {
        let (kept, _node, gateway) = keeping();
        let body = harmless();
        let mut client = Client::connect(gateway.address);
        let mut wire = bulk("reader", "").into_bytes();
        body.chunks(size).for_each(|piece| wire.extend(chunk(piece)));
        wire.extend(b"0\r\n\r\n");
        let response = client.ask(wire);
        assert_eq!(response.status, 200, "{}", response.head);
        let seen = wait_for(&kept, |seen| seen.ends_with(b"0\r\n\r\n"));
        assert_eq!(unchunked(&seen), body, "in pieces of {size}");
    }
}

#[test]
fn a_compressed_bulk_is_judged_while_it_streams() {
    let (kept, _node, gateway) = keeping();
    // Does not compress to less than what is read ahead.
    let noise =
        |index: u64| index.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mut text: String = (0..2000).map(|at| format!("{{\"index\":{{}}}}\n{{\"a\":\"{:x}\"}}\n", noise(at))).collect();
    text.push_str("{\"index\":{\"_index\":\".ml-config\"}}\n{}\n");
    let wire = gzip(text.as_bytes());
    assert!(wire.len() > 4 * INSPECTED);
    let mut client = Client::connect(gateway.address);
    client.send(bulk("reader", "Content-Encoding: gzip\r\n"));
    for piece in wire.chunks(1000) {
        if client.try_send(chunk(piece)).is_err() {
            break;
        }
    }
    let _ = client.try_send(b"0\r\n\r\n");
    let response = client.response(false);
    assert_eq!(response.status, 403, "{}", response.head);
    let seen = wait_for(&kept, |seen| contains(seen, b"<closed>"));
    assert!(seen.len() < wire.len() + 2000 && !contains(&seen, b"\r\n0\r\n"));
}

/// A small body that is a very large text ends at a limit.
#[test]
fn a_bomb_is_refused() {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.limits.max_content_length = 1024 * 1024;
    setup.limits.inspect_buffer = INSPECTED;
    let gateway = Gateway::start(setup);
    let wire = gzip(&b"\n".repeat(4 * 1024 * 1024));
    assert!(wire.len() < 64 * 1024);
    let lines = format!("{JSON}Content-Encoding: gzip\r\n");
    let response = super::ask(&gateway, "reader", "POST /_bulk", &lines, &wire);
    assert_eq!(response.status, 403, "{}", response.head);
    assert!(reason(&response).contains("[limits.max_content_length]"), "{}", reason(&response));
    let document = gzip(format!("{{\"a\":\"{}\"}}", "x".repeat(INSPECTED)).as_bytes());
    let response = super::ask(&gateway, "reader", "POST /_aliases", &lines, &document);
    assert_eq!(response.status, 403, "{}", response.head);
    assert!(node.has_nothing());
}

#[test]
fn a_document_and_a_line_have_to_fit() {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.limits.inspect_buffer = INSPECTED;
    let gateway = Gateway::start(setup);
    let spaces = " ".repeat(INSPECTED);
    for (request, body) in [
        ("POST /_aliases", format!("{{\"actions\":[]{spaces}}}")),
        ("POST /_bulk", format!("{{\"index\":{{}}{spaces}}}\n{{}}\n")),
        ("POST /_bulk", format!("{{\"index\":{{}}}}\n{{}}\n{{\"index\":{{}}{spaces}")),
    ] {
        for response in [
            super::ask(&gateway, "reader", request, JSON, body.as_bytes()),
            super::ask_chunked(&gateway, "reader", request, JSON, body.as_bytes(), 500),
        ] {
            assert_eq!(response.status, 403, "{request}: {}", response.head);
            assert!(reason(&response).contains("larger than [limits.inspect_buffer]"), "{}", reason(&response));
        }
        assert_eq!(super::ask(&gateway, "elastic", request, JSON, body.as_bytes()).status, 200, "{request}");
        assert_eq!(node.next_request().body, body.as_bytes());
    }
    assert!(node.has_nothing());
}
