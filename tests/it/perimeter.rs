//! What reaches ML through other APIs, by path or by body, and who gets it through.

mod attacks;
mod bodies;
mod fence;
mod http2;
mod streaming;

use crate::harness::gateway::basic;
use crate::harness::{Client, Gateway, Response};

const JSON: &str = "Content-Type: application/json\r\n";

/// Sends one request with a body of known length on a connection of its own.
fn ask(gateway: &Gateway, user: &str, request: &str, lines: &str, body: &[u8]) -> Response {
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\n{}{lines}Content-Length: {}\r\n\r\n",
        basic(user),
        body.len()
    );
    Client::connect(gateway.address).ask([head.as_bytes(), body].concat())
}

/// The same in chunks of `size`.
fn ask_chunked(gateway: &Gateway, user: &str, request: &str, lines: &str, body: &[u8], size: usize) -> Response {
    let head =
        format!("{request} HTTP/1.1\r\nHost: localhost\r\n{}{lines}Transfer-Encoding: chunked\r\n\r\n", basic(user));
    let mut wire = head.into_bytes();
    for chunk in body.chunks(size) {
        wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    Client::connect(gateway.address).ask(wire)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The reason of an error answer.
fn reason(response: &Response) -> String {
    response.json()["error"]["reason"].as_str().unwrap_or_default().to_owned()
}

/// A body without its chunks.
fn unchunked(mut wire: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = wire.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&wire[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&wire[end + 2..end + 2 + size]);
        wire = &wire[end + 2 + size + 2..];
    }
}
