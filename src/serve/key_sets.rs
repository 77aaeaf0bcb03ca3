//! The tasks that fetch the key sets of issuers.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::realm::Realms;
use crate::realm::jwt::{IssuerKeys, WAIT_MAX};

/// One task a key set; they end when this is dropped.
pub(super) struct KeySetTasks(Vec<JoinHandle<()>>);

impl KeySetTasks {
    pub(super) fn start(realms: &Realms, runtime: &Handle) -> Self {
        let follow = |keys: &Arc<IssuerKeys>| {
            let keys = Arc::clone(keys);
            runtime.spawn(async move { match IssuerKeys::follow(&keys).await {} })
        };
        Self(realms.issuer_keys().map(follow).collect())
    }

    /// Ends them once nobody waits for them any more: requests that began before a reload are decided by its predecessor.
    pub(super) fn retire(self, runtime: &Handle) {
        runtime.spawn(async move {
            tokio::time::sleep(WAIT_MAX).await;
            drop(self);
        });
    }
}

impl Drop for KeySetTasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
