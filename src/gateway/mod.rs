//! The data plane, a stage a file.

mod admit;
mod authenticate;
mod authorize;
mod body;
mod claims;
mod classify;
mod connection;
mod drain;
mod forward;
mod forwarded;
mod guard;
mod hop_headers;
mod host;
mod identity;
mod inspect;
mod leftover;
pub mod listener;
mod looker;
mod peer;
pub mod permit;
mod pipeline;
mod proxy_protocol;
mod readers;
mod received;
pub mod recorder;
mod refusal;
mod reply;
mod request_id;
mod snapshot;
mod source;
mod stall;
mod switch;
mod throttle;
mod tls;
pub mod trail;
mod upstream_head;
mod view;
mod watch;
mod wire;
pub mod worker;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rustls::server::danger::ClientCertVerifier;

pub use looker::Looker;
pub use peer::Peer;
pub use request_id::RequestId;
pub use snapshot::{Cluster, ClusterProblem, Shared, Snapshot};

/// One address that callers connect to.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    pub address: SocketAddr,
    /// Connections begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// Peers whose `X-Forwarded-*` are kept; with `proxy_protocol` nobody else may connect, but anybody if there are none.
    pub trusted_proxies: Vec<IpNet>,
    /// `None`: plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The one of `tls`: asked again while a connection lasts. `None`: callers show no certificate.
    pub client_verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl ListenerSettings {
    fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }
}

/// Names that a cluster answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`
    Any,
    /// Lower case, without port.
    Exact(String),
    /// `*.example.org`, kept as `.example.org`: exactly one or more labels in front.
    Suffix(String),
}

/// What the cluster sees of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The caller's own credentials.
    Passthrough,
    /// The gateway's.
    Service,
    /// The gateway's, with `es-security-runas-user`.
    RunAs,
    /// None.
    None,
    /// The embedded node's: the secret made at start, and the principal.
    Vouched,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub max_header_bytes: usize,
    pub max_content_length: u64,
    /// Of all workers together.
    pub max_connections: usize,
    pub max_connections_per_ip: usize,
    /// Of all workers together; 0: unlimited.
    pub requests_per_second_per_principal: u32,
    pub inspect_buffer: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the first byte of a request, or the accepted connection, to the end of its head.
    pub header: Duration,
    /// Between two chunks of a request body.
    pub body: Duration,
    /// Between two requests.
    pub idle: Duration,
    pub drain: Duration,
}
