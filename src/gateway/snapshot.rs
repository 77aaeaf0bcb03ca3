//! Everything a request is decided by, as one immutable value that a reload replaces whole.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;

use super::permit::Connections;
use super::{HostPattern, Identity, Limits, ListenerSettings, Timeouts};
use crate::gate::Gate;
use crate::policy::Roles;
use crate::realm::{self, Realms, RunAs};
use crate::secret::Secret;
use crate::upstream::{self, ControlClient, Health, Node, NodeProblem, Servers};

/// Settings and rules of one load.
pub struct Snapshot {
    /// In the order of the sockets that each worker is given.
    pub listeners: Vec<ListenerSettings>,
    pub clusters: Vec<Cluster>,
    pub realms: Arc<Realms>,
    pub roles: Roles,
    /// Of `roles`.
    pub run_as: RunAs,
    pub limits: Limits,
    pub timeouts: Timeouts,
}

/// One cluster as the data plane sees it.
pub struct Cluster {
    pub(super) name: Arc<str>,
    pub(super) hosts: Vec<HostPattern>,
    pub(super) identity: Identity,
    pub(super) nodes: Vec<Node>,
    servers: Arc<Servers>,
    /// The gateway's own, for `service` and `run_as`.
    pub(super) credentials: Option<HeaderValue>,
    /// The embedded node's, for `Vouched`.
    pub(super) node_secret: Option<HeaderValue>,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) health: Arc<Health>,
    pub(super) gate: Arc<Gate>,
}

/// What cannot be served; `config` finds the same earlier, with line and column.
#[derive(Debug, thiserror::Error)]
pub enum ClusterProblem {
    #[error(transparent)]
    Node(#[from] NodeProblem),
    #[error("identity needs credentials of the gateway, and there are none that a header can hold")]
    NoCredentials,
    #[error("the embedded node needs its secret")]
    NoSecret,
}

impl Cluster {
    /// As the elasticsearch realm asks it, by one thread.
    pub(super) fn asked(&self) -> realm::Cluster {
        let client = ControlClient::of(self.nodes.clone(), Arc::clone(&self.health), self.connect_timeout);
        realm::Cluster::new(Rc::from(&*self.name), Arc::clone(&self.servers), client)
    }

    /// `node_secret`: what the embedded node believes the gateway by; for [`Identity::Vouched`] only.
    ///
    /// # Errors
    /// What the identity needs and is not there.
    pub fn new(
        name: &str,
        hosts: Vec<HostPattern>,
        identity: Identity,
        settings: &upstream::Settings,
        node_secret: Option<&Secret<String>>,
        health: Arc<Health>,
        gate: Arc<Gate>,
    ) -> Result<Self, ClusterProblem> {
        let credentials = settings.credentials.as_ref().and_then(upstream::Credentials::header);
        let node_secret =
            node_secret.and_then(|secret| HeaderValue::from_str(secret.expose()).ok()).map(|mut value| {
                value.set_sensitive(true);
                value
            });
        match identity {
            Identity::Service | Identity::RunAs if credentials.is_none() => return Err(ClusterProblem::NoCredentials),
            Identity::Vouched if node_secret.is_none() => return Err(ClusterProblem::NoSecret),
            Identity::Service | Identity::RunAs | Identity::Vouched | Identity::Passthrough | Identity::None => {}
        }
        Ok(Self {
            name: Arc::from(name),
            hosts,
            identity,
            nodes: Node::all(settings)?,
            servers: Arc::new(settings.servers()),
            credentials,
            node_secret,
            connect_timeout: settings.connect_timeout,
            response_timeout: settings.response_timeout,
            idle_timeout: settings.idle_timeout,
            health,
            gate,
        })
    }
}

/// What all workers share: the present snapshot, and the count of connections.
pub struct Shared {
    snapshot: ArcSwap<Snapshot>,
    generation: AtomicU64,
    connections: Arc<Connections>,
}

impl Shared {
    pub fn new(snapshot: Snapshot) -> Arc<Self> {
        Arc::new(Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            generation: AtomicU64::new(1),
            connections: Connections::new(),
        })
    }

    /// Every request that comes from now on is decided by `snapshot`. The number of listeners must stay the same.
    pub fn replace(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The realms of the present snapshot.
    pub fn realms(&self) -> Arc<Realms> {
        Arc::clone(&self.load().realms)
    }

    pub const fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Changes with each [`Shared::replace`]. Read for each request: a line of memory that nobody writes meanwhile.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn load(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }
}
