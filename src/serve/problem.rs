//! Why the gateway cannot start.

use std::io;
use std::net::SocketAddr;

use super::first_start::FirstStartProblem;
use crate::config::Problems;
use crate::gate::JournalProblem;
use crate::gateway::ClusterProblem;
use crate::node;
use crate::realm::RealmsProblem;
use crate::upstream::NodeProblem;

/// One line for the operator; the process ends with 78.
#[derive(Debug, thiserror::Error)]
pub enum StartProblem {
    #[error(transparent)]
    Config(#[from] Problems),
    #[error(transparent)]
    FirstStart(#[from] FirstStartProblem),
    #[error("cannot listen on [{address}]")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("the embedded node cannot start")]
    Node(#[from] node::StartError),
    #[error(transparent)]
    Upstream(#[from] NodeProblem),
    #[error(transparent)]
    Cluster(#[from] ClusterProblem),
    #[error(transparent)]
    Realms(#[from] RealmsProblem),
    #[error(transparent)]
    Journal(#[from] JournalProblem),
    #[error("cannot write audit events to their output")]
    Audit(#[source] io::Error),
    #[error("the system gives no threads")]
    Threads(#[source] io::Error),
    #[error("the system gives no signals")]
    Signals(#[source] io::Error),
    #[error("the system gives no random bytes")]
    Random,
    /// A reload only.
    #[error("[{key}] cannot change while the gateway runs: start a successor, then stop this one")]
    NeedsRestart { key: &'static str },
}
