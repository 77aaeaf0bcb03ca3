//! The cluster's side: nodes, their health, and a connection pool for each worker.

mod control;
mod error;
pub mod health;
mod node;
pub mod pool;
mod transport;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::secret::Secret;

pub use control::ControlClient;
pub use error::UpstreamError;
pub use health::{Health, NodeState};
pub use node::{Node, NodeProblem};
pub use transport::Stream;

/// What the gateway needs to reach one cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Not empty.
    pub nodes: Vec<NodeUrl>,
    /// For `https` nodes.
    pub tls: TlsSettings,
    /// The gateway's own credentials, for health, the gate, and the identities `service` and `run_as`.
    pub credentials: Option<Credentials>,
    pub health: HealthSettings,
    pub connect_timeout: Duration,
    /// From the last byte of the request to the head of the response.
    pub response_timeout: Duration,
    /// How long an idle upstream connection is kept.
    pub idle_timeout: Duration,
}

/// Base address of a node: scheme, host and port, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeUrl {
    pub secure: bool,
    /// A DNS name or an address, without brackets.
    pub host: String,
    pub port: u16,
}

impl NodeUrl {
    /// The `Host` header of requests to it.
    pub fn authority(&self) -> String {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            Ok(IpAddr::V4(_)) | Err(_) => format!("{}:{}", self.host, self.port),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// Built from `certificate_authorities`, `verification_mode`, `ca_trusted_fingerprint`, `certificate` and `key`;
    /// `None` when no node is `https`.
    pub client: Option<Arc<rustls::ClientConfig>>,
    /// Files it was built from.
    pub files: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// The base64 form of `id:key`.
    ApiKey(Secret<String>),
    Basic {
        username: String,
        password: Secret<String>,
    },
}

#[derive(Clone, Debug)]
pub struct HealthSettings {
    pub interval: Duration,
    pub timeout: Duration,
    /// Starts with `/`.
    pub path: String,
}

impl Credentials {
    /// The `Authorization` header, marked sensitive. `None` for an API key that no header can hold.
    pub fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::ApiKey(key) => format!("ApiKey {}", key.expose()),
            Self::Basic { username, password } => {
                format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose())))
            }
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
