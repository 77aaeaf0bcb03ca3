//! Why a node did not answer.

use std::io;

/// A request that got no usable answer from the cluster. The texts name nodes: they are for the log, not for callers.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("no healthy node")]
    NoHealthyNode,
    #[error("cannot connect to [{node}]")]
    Connect {
        node: String,
        #[source]
        source: io::Error,
    },
    #[error("connecting to [{node}] took too long")]
    ConnectTimeout { node: String },
    /// The connections of this worker to the node are all in use, and so is the queue for them.
    #[error("all connections to [{node}] are in use")]
    Exhausted { node: String },
    /// The connection broke, or what came is no HTTP.
    #[error("[{node}] broke off or sent no valid answer")]
    Broken {
        node: String,
        #[source]
        source: hyper::Error,
    },
    /// An answer that must not be passed on, such as an unasked protocol upgrade.
    #[error("[{node}] answered with status [{status}], which cannot be passed on")]
    Unusable { node: String, status: u16 },
    #[error("[{node}] sent no answer in time")]
    ResponseTimeout { node: String },
    /// Control requests only.
    #[error("the answer of [{node}] is larger than [{limit}] bytes")]
    AnswerTooLarge { node: String, limit: usize },
}
