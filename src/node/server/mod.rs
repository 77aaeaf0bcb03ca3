//! HTTP/1.1 on a socket: connections, bodies within limits, an orderly end.

mod connection;
mod listener;

pub(super) use listener::serve;

use std::time::Duration;

/// Connections at one time; others wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// For requests that run when the node stops.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
