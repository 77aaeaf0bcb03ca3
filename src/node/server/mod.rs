//! HTTP/1.1 on a socket: connections, bodies within limits, an orderly end.

mod body;
mod connection;
mod listener;

pub(super) use listener::serve;

use std::time::Duration;

/// Connections at one time; others wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;
/// KiB of request bodies in memory at one time; what goes beyond is refused with 429.
const BODIES_KIB_MAX: usize = 512 * 1024;
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// Between two parts of a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// For requests that run when the node stops.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
