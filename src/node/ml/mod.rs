//! Machine learning on the node: jobs, datafeeds, results, upgrade mode.

use crate::node::Core;
use crate::node::router::Route;
use crate::node::store::StoreError;

/// What runs: jobs, datafeeds.
pub struct Ml;

impl Ml {
    /// Takes up what ran when the node stopped. Called once, inside the node's runtime.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(core: &Core) -> Result<Self, StoreError> {
        let _ = core;
        Ok(Self)
    }

    /// Ends what runs, without changing what it will be after a restart.
    pub async fn stop(&self) {}
}

pub fn routes() -> Vec<Route> {
    Vec::new()
}
