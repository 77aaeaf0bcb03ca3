//! Stage 8: whether upgrade mode lets it through.

use super::authorize::Authorized;
use super::received::Received;
use crate::gate::{Admission, WorkerGate};
use crate::policy::{Classified, Demand, UpgradeRule};
use crate::realm::Verified;
use crate::rejection::Rejection;

/// A request that may go to a node: the only thing that [`super::forward`] takes.
pub(super) struct Admitted {
    pub(super) received: Received,
    pub(super) caller: Verified,
    /// Dropped when the reply has ended.
    pub(super) admission: Admission,
}

impl Authorized {
    /// # Errors
    /// 429 (a job reset: 409) while the fence is up, 503 while nothing is known.
    pub(super) fn admit(self, gate: &WorkerGate) -> Result<Admitted, Rejection> {
        let admission = gate.admit(self.rule, self.may_manage).map_err(|held| Rejection::Held {
            held,
            action: action(self.authenticated.routed.classified),
            job_reset: self.rule == UpgradeRule::RefusedAsReset,
            now: self.authenticated.routed.received.wall,
        })?;
        let Self { authenticated, admission: given, .. } = self;
        let admission = given.unwrap_or(admission);
        Ok(Admitted { received: authenticated.routed.received, caller: authenticated.caller, admission })
    }
}

const fn action(classified: Classified) -> Option<&'static str> {
    let demand = match classified {
        Classified::Ml(operation) => operation.demand,
        Classified::Perimeter(perimeter) => perimeter.demand,
        Classified::Other => return None,
    };
    match demand {
        Demand::Action(action) => Some(action),
        Demand::Privileges(_) => None,
    }
}
