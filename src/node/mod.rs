//! The embedded Elasticsearch-compatible node.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::secret::Secret;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Port 0: any free one.
    pub address: SocketAddr,
    pub data: PathBuf,
    pub cluster_name: String,
    pub security: Security,
}

/// Who may do what on the node.
#[derive(Clone, Debug)]
pub enum Security {
    /// Everybody may do everything; loopback only.
    Off,
    /// `users`, `users_roles` and `roles.yml` in this folder.
    Files(PathBuf),
    /// Behind the gateway of the same process: a request counts only with this secret, which vouches for the caller it names.
    Gateway {
        secret: Secret<String>,
        /// Custom roles, the same file as the gateway's.
        roles: Option<PathBuf>,
    },
}
