//! Why a search was not made.

use thiserror::Error;

use crate::elasticsearch::error_body::Exception;
use crate::node::http::ApiError;
use crate::node::store::StoreError;

#[derive(Clone, Debug, Error)]
pub enum SearchError {
    #[error("no such index [{index}]")]
    IndexMissing { index: String },
    /// A part of the request that Elasticsearch refuses too; the text is Elasticsearch's.
    #[error("{reason}")]
    Parsing { reason: String },
    /// A value that does not fit, or a part that this node does not have.
    #[error("{reason}")]
    Argument { reason: String },
    #[error("{reason}")]
    Denied { reason: String },
    #[error(
        "[parent] Data too large, data for [search] would be [{bytes}], which is larger than the limit of [{most}]"
    )]
    TooLarge { bytes: usize, most: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SearchError {
    pub fn parsing(reason: impl Into<String>) -> Self {
        Self::Parsing { reason: reason.into() }
    }

    pub fn argument(reason: impl Into<String>) -> Self {
        Self::Argument { reason: reason.into() }
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        let text = error.to_string();
        match error {
            SearchError::TooLarge { bytes, most } => {
                let exception = Exception::new("circuit_breaking_exception", text)
                    .with("bytes_wanted", bytes.into())
                    .with("bytes_limit", most.into())
                    .with("durability", "TRANSIENT".into());
                Self::new(429, exception)
            }
            SearchError::IndexMissing { index } => Self::index_not_found(&index),
            SearchError::Parsing { reason } => Self::parsing(reason),
            SearchError::Argument { reason } => Self::illegal_argument(reason),
            SearchError::Denied { reason } => Self::new(403, Exception::new("security_exception", reason)),
            SearchError::Store(error) => error.into(),
        }
    }
}
