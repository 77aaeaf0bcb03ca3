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
use http::{HeaderMap, HeaderValue, header};

use crate::elasticsearch::vouched;
use crate::secret::Secret;

pub use control::{ControlClient, chain, request_once};
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

/// Whom a request reaches: equal only if the nodes are the same and believed by the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    nodes: Vec<NodeUrl>,
    trust: Vec<u8>,
}

impl Settings {
    pub fn servers(&self) -> Servers {
        Servers { nodes: self.nodes.clone(), trust: self.tls.trust.clone() }
    }
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
    /// Equal only where the same nodes are believed; `client` cannot be compared.
    pub trust: Vec<u8>,
    /// Files it was built from.
    pub files: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
pub enum Credentials {
    /// The base64 form of `id:key`.
    ApiKey(Secret<String>),
    Basic {
        username: String,
        password: Secret<String>,
    },
    /// The embedded node of this process (`elasticsearch::vouched`).
    Vouched(Secret<String>),
}

#[derive(Clone, Debug)]
pub struct HealthSettings {
    pub interval: Duration,
    pub timeout: Duration,
    /// Starts with `/`.
    pub path: String,
}

/// The user that the embedded node sees when the gateway asks for itself.
const OWN_USER: &str = "_mlgate";

impl Credentials {
    /// The `Authorization` header, marked sensitive. `None` for an API key that no header can hold, and for `Vouched`.
    pub fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::ApiKey(key) => format!("ApiKey {}", key.expose()),
            Self::Basic { username, password } => {
                format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose())))
            }
            Self::Vouched(_) => return None,
        };
        sensitive(text)
    }

    /// Adds what the cluster is to see of a request that the gateway makes for itself.
    pub fn authorize(&self, headers: &mut HeaderMap) {
        if let Some(value) = self.header() {
            headers.insert(header::AUTHORIZATION, value);
        }
        if let Self::Vouched(secret) = self
            && let (Some(secret), Some(caller)) = (sensitive(secret.expose().clone()), sensitive(own_caller().encode()))
        {
            headers.insert(vouched::SECRET_HEADER, secret);
            headers.insert(vouched::CALLER_HEADER, caller);
        }
    }
}

fn sensitive(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn own_caller() -> vouched::Caller {
    vouched::Caller {
        username: OWN_USER.to_owned(),
        realm: vouched::Realm { name: OWN_USER.to_owned(), kind: "internal".to_owned() },
        roles: vec!["superuser".to_owned()],
        full_name: None,
        email: None,
        metadata: std::collections::BTreeMap::new(),
    }
}
