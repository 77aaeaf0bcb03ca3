//! The embedded Elasticsearch-compatible node.

pub mod clock;
pub mod documents;
pub mod http;
pub mod indices;
pub mod ml;
pub mod router;
pub mod security;
pub mod store;

use std::net::SocketAddr;
use std::path::PathBuf;

use self::clock::Clock;
use self::documents::Documents;
use self::store::Store;
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

/// What every part of the node works with; clones are the same.
#[derive(Clone, Debug)]
pub struct Core {
    pub store: Store,
    pub documents: Documents,
    pub clock: Clock,
    pub identity: Identity,
}

/// The names of the node; kept on disk, except the cluster's name.
#[derive(Clone, Debug)]
pub struct Identity {
    pub cluster_name: String,
    pub cluster_uuid: String,
    pub node_id: String,
    pub node_name: String,
    /// Changes with each start, as Elasticsearch's does.
    pub ephemeral_id: String,
    /// Where the node listens.
    pub address: SocketAddr,
}

/// What handlers get.
pub struct Node {
    pub core: Core,
    pub ml: ml::Ml,
}
