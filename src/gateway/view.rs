//! A worker's own copy of the snapshot, with its pools: no request touches a count that workers share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use http::HeaderValue;

use super::body::Upload;
use super::host;
use super::snapshot::{Cluster, Shared, Snapshot};
use crate::elasticsearch::vouched;
use crate::gate::WorkerGate;
use crate::policy::Principal;
use crate::realm;
use crate::upstream::pool::{Pool, PoolLimits};
use crate::upstream::{Health, Node, NodeState};

/// Upstream connections of one worker to one node.
const OPEN_MAX: usize = 1024;
const IDLE_MAX: usize = 256;
const WAITING_MAX: usize = 1024;
const CALLERS_MAX: usize = 1024;

/// The snapshot of one generation, in the hands of one worker.
pub(super) struct View {
    pub(super) generation: u64,
    pub(super) snapshot: Arc<Snapshot>,
    clusters: Vec<Rc<WorkerCluster>>,
}

/// One cluster with this worker's connections to it.
pub(super) struct WorkerCluster {
    pub(super) name: Rc<str>,
    index: usize,
    snapshot: Arc<Snapshot>,
    pub(super) gate: WorkerGate,
    /// The cluster as the elasticsearch realm asks it, over connections of their own.
    pub(super) asked: realm::Cluster,
    nodes: Vec<Rc<WorkerNode>>,
    next: Cell<usize>,
    /// Callers as they are told to the embedded node.
    callers: RefCell<HashMap<*const Principal, (Rc<Principal>, HeaderValue)>>,
}

pub(super) struct WorkerNode {
    pub(super) name: Rc<str>,
    pub(super) pool: Rc<Pool<Upload>>,
    /// The health round in which this worker could not reach the node.
    failed_in: Cell<u64>,
}

impl View {
    pub(super) fn of(shared: &Shared, worker_index: usize) -> Rc<Self> {
        // The generation first: a snapshot that is newer than it is only looked at once more.
        let generation = shared.generation();
        let snapshot = shared.load();
        let clusters = snapshot
            .clusters
            .iter()
            .enumerate()
            .map(|(index, cluster)| WorkerCluster::new(index, cluster, &snapshot, worker_index))
            .collect();
        Rc::new(Self { generation, snapshot, clusters })
    }

    /// The cluster that answers to a name in lower case.
    pub(super) fn cluster_for(&self, name: &str) -> Option<Rc<WorkerCluster>> {
        let patterns = self.snapshot.clusters.iter().map(|cluster| cluster.hosts.as_slice());
        host::route(patterns, name).and_then(|index| self.clusters.get(index)).cloned()
    }

    pub(super) fn sweep(&self) {
        let now = std::time::Instant::now();
        self.clusters.iter().flat_map(|cluster| &cluster.nodes).for_each(|node| node.pool.sweep(now));
    }

    /// Another view has taken its place.
    pub(super) fn retire(&self) {
        self.clusters.iter().flat_map(|cluster| &cluster.nodes).for_each(|node| node.pool.retire());
    }
}

impl WorkerCluster {
    fn new(index: usize, cluster: &Cluster, snapshot: &Arc<Snapshot>, worker_index: usize) -> Rc<Self> {
        let limits = PoolLimits {
            open_max: OPEN_MAX,
            idle_max: IDLE_MAX,
            waiting_max: WAITING_MAX,
            idle_timeout: cluster.idle_timeout,
            connect_timeout: cluster.connect_timeout,
            head_bytes_max: snapshot.limits.max_header_bytes,
        };
        let node = |node: &Node| {
            let pool = Pool::new(node.clone(), limits);
            Rc::new(WorkerNode { name: Rc::from(node.name()), pool, failed_in: Cell::new(0) })
        };
        Rc::new(Self {
            asked: cluster.asked(),
            name: Rc::from(&*cluster.name),
            index,
            snapshot: Arc::clone(snapshot),
            gate: cluster.gate.worker(worker_index),
            nodes: cluster.nodes.iter().map(node).collect(),
            next: Cell::new(worker_index),
            callers: RefCell::default(),
        })
    }

    pub(super) fn settings(&self) -> Option<&Cluster> {
        self.snapshot.clusters.get(self.index)
    }

    /// The next node in turn that is not known to be down and not in `tried` (a bit a node).
    pub(super) fn pick(&self, health: &Health, tried: u64) -> Option<(usize, Rc<WorkerNode>)> {
        let count = self.nodes.len();
        let start = self.next.get();
        let round = health.round();
        let usable = |index: &usize| {
            tried & bit(*index) == 0
                && health.state(*index) != NodeState::Down
                && self.nodes.get(*index).is_some_and(|node| node.failed_in.get() != round)
        };
        let index = (0..count).map(|offset| start.wrapping_add(offset) % count).find(usable)?;
        self.next.set(index.wrapping_add(1));
        self.nodes.get(index).map(|node| (index, Rc::clone(node)))
    }

    /// Until the next health result this worker leaves the node alone.
    pub(super) fn note_failure(&self, health: &Health, index: usize) {
        if let Some(node) = self.nodes.get(index) {
            node.failed_in.set(health.round());
        }
    }

    /// How the embedded node is told of a caller; worked out once for each.
    pub(super) fn caller_header(&self, principal: &Rc<Principal>) -> Option<HeaderValue> {
        let key = Rc::as_ptr(principal);
        let mut callers = self.callers.borrow_mut();
        if let Some((_, header)) = callers.get(&key) {
            return Some(header.clone());
        }
        let header = HeaderValue::try_from(caller(principal).encode()).ok()?;
        if callers.len() >= CALLERS_MAX {
            callers.clear();
        }
        // The principal is kept too, so that its address stays its own.
        callers.insert(key, (Rc::clone(principal), header.clone()));
        Some(header)
    }
}

/// The bit of a node among those that a request has tried; from the 64th on they share one.
pub(super) fn bit(index: usize) -> u64 {
    1 << index.min(63)
}

fn caller(principal: &Principal) -> vouched::Caller {
    vouched::Caller {
        username: principal.username.clone(),
        realm: vouched::Realm { name: principal.realm.name.clone(), kind: principal.realm.kind.to_owned() },
        roles: principal.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        full_name: principal.full_name.clone(),
        email: principal.email.clone(),
        metadata: principal.metadata.clone(),
    }
}
