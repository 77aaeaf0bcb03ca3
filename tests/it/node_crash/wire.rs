//! One request on a connection of its own, to a node that may be killed meanwhile.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::harness::PATIENCE;

/// Status and body; `None` when the node went away before its answer was whole.
pub(super) fn call(address: SocketAddr, line: &str, body: &str) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(3 * PATIENCE)).ok()?;
    let kind = if line.contains("_bulk") { "application/x-ndjson" } else { "application/json" };
    let typed = if body.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{typed}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

/// A request that a running node grants.
pub(super) fn done(address: SocketAddr, line: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = call(address, line, &body).unwrap_or_else(|| panic!("{line}: no answer"));
    assert!(status < 300, "{line}: {status} {answer}");
    answer
}
