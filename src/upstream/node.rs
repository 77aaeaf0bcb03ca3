//! One node of a cluster, ready to be connected to.

use std::sync::Arc;

use http::HeaderValue;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::{NodeUrl, Settings};

/// What cannot be turned into a node; `config` finds the same earlier, with line and column.
#[derive(Debug, thiserror::Error)]
pub enum NodeProblem {
    #[error("[{0}] is not a valid host name or address")]
    Host(String),
    #[error("node [{0}] is https, but there is no TLS client configuration")]
    NoTls(String),
}

/// A node's address with everything that connecting to it needs.
#[derive(Clone)]
pub struct Node {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
    authority: String,
    host_header: HeaderValue,
}

impl Node {
    /// # Errors
    /// A host that is no name, or `https` without TLS settings.
    pub fn new(url: &NodeUrl, client: Option<&Arc<rustls::ClientConfig>>) -> Result<Self, NodeProblem> {
        let authority = url.authority();
        let problem = || NodeProblem::Host(url.host.clone());
        let tls = if url.secure {
            let client = client.ok_or_else(|| NodeProblem::NoTls(authority.clone()))?;
            let name = ServerName::try_from(url.host.clone()).map_err(|_| problem())?;
            Some((TlsConnector::from(Arc::clone(client)), name))
        } else {
            None
        };
        let host_header = HeaderValue::from_str(&authority).map_err(|_| problem())?;
        Ok(Self { host: url.host.clone(), port: url.port, tls, authority, host_header })
    }

    /// All nodes of a cluster, in the order of the config.
    ///
    /// # Errors
    /// The first node that is not usable.
    pub fn all(settings: &Settings) -> Result<Vec<Self>, NodeProblem> {
        settings.nodes.iter().map(|url| Self::new(url, settings.tls.client.as_ref())).collect()
    }

    /// `host:port`, its name in logs and metrics.
    pub fn name(&self) -> &str {
        &self.authority
    }

    /// The `Host` header of requests to it.
    pub const fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }
}
