//! What one caller may do.

use std::sync::Arc;

use super::permissions::Permissions;
use crate::node::documents::SearchError;
use crate::node::indices::catalogue::Unknown;
use crate::node::indices::{Catalogue, IndexExpression, IndexMetadata};

/// The permissions of the caller of one request.
#[derive(Clone, Debug)]
pub enum Access {
    /// Security is off, or the node itself asks.
    Everything,
    /// What the caller's roles give.
    Granted(Arc<Permissions>),
}

impl Access {
    /// Whether an action on the cluster is granted.
    pub fn allows_cluster(&self, action: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Granted(permissions) => permissions.allows_cluster(action),
        }
    }

    /// Whether an action on an index is granted.
    pub fn allows(&self, action: &str, index: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Granted(permissions) => permissions.allows_index(action, index),
        }
    }

    /// Refuses an action on indices that is not granted, with Elasticsearch's text.
    ///
    /// # Errors
    /// `Denied`, naming the indices that are not granted.
    pub fn check(&self, action: &str, indices: &[&str]) -> Result<(), SearchError> {
        let Self::Granted(permissions) = self else { return Ok(()) };
        let denied: Vec<&str> =
            indices.iter().copied().filter(|index| !permissions.allows_index(action, index)).collect();
        if denied.is_empty() {
            return Ok(());
        }
        Err(SearchError::Denied { reason: permissions.index_denial(action, &denied) })
    }

    /// The indices of an expression on which an action is granted: wildcards leave out the others, names are refused.
    ///
    /// # Errors
    /// `Denied` before `IndexMissing`, so that nobody learns what there is.
    pub fn resolve(
        &self,
        catalogue: &Catalogue,
        expression: &IndexExpression,
        action: &str,
    ) -> Result<Vec<Arc<IndexMetadata>>, SearchError> {
        let mut expression = expression.clone();
        if expression.options.ignore_unavailable {
            expression.retain_names(|name| self.allows(action, name));
        } else {
            self.check(action, &expression.names().collect::<Vec<_>>())?;
        }
        catalogue
            .resolve(&expression, |index| self.allows(action, &index.name))
            .map_err(|Unknown(index)| SearchError::IndexMissing { index })
    }
}
