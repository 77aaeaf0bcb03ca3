//! Stage 4: what the request asks for.

use super::received::Received;
use crate::policy::{self, Classified, Unroutable};

/// A request whose class is known.
pub(super) struct Routed {
    pub(super) received: Received,
    pub(super) classified: Classified,
}

impl Received {
    /// # Errors
    /// Targets that Elasticsearch would refuse or another parser could read differently, and `OPTIONS` on ML paths.
    pub(super) fn classify(self) -> Result<Routed, Unroutable> {
        let target = self.target().map_err(Unroutable::Target)?;
        let classified = policy::classify(&self.method, target)?;
        Ok(Routed { received: self, classified })
    }
}
