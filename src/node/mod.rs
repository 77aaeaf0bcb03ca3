//! The embedded Elasticsearch-compatible node.

mod api;
pub mod clock;
pub mod documents;
pub mod http;
mod identity;
pub mod indices;
mod json;
pub mod ml;
pub mod router;
pub mod security;
mod server;
mod start;
pub mod store;

pub use identity::Identity;
pub use start::{RunningNode, StartError, routes, start, start_with};

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use self::clock::Clock;
use self::documents::Documents;
use self::store::Store;
use crate::secret::Secret;

/// The version of Elasticsearch that the node reports; its APIs answer as that one does.
pub const VERSION: &str = "9.1.0";
/// As long as a commit's; the node is no build of Elasticsearch.
const BUILD_HASH: &str = "0000000000000000000000000000000000000000";
const BUILD_DATE: &str = "2026-11-23T00:00:00.000Z";
/// What the node does in its cluster of one.
const ROLES: [&str; 4] = ["data", "ingest", "master", "ml"];
/// What indices say they were created by.
const INDEX_VERSION: u32 = 9_033_000;

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

const BULK_STEPS_MAX: usize = 4;

/// What every part of the node works with; clones are the same.
#[derive(Clone, Debug)]
pub struct Core {
    pub store: Store,
    pub documents: Documents,
    pub clock: Clock,
    pub identity: Identity,
    /// Steps of `_bulk` that are parsed, written or answered at one time; others wait.
    pub bulk_steps: Arc<Semaphore>,
}

impl Core {
    fn new(store: Store, documents: Documents, clock: Clock, identity: Identity) -> Self {
        Self { store, documents, clock, identity, bulk_steps: Arc::new(Semaphore::new(BULK_STEPS_MAX)) }
    }
}

/// What handlers get.
pub struct Node {
    pub core: Core,
    pub ml: ml::Ml,
}
