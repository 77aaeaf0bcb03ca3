//! Documents: get, search, count, and reading in time order.

mod error;
mod hits;
mod query;
mod request;
mod service;

pub use error::SearchError;
pub use hits::{Cursor, Document, Hit, Hits, Page, Relation, TimedDocument, Total};
pub use query::{Bound, QueryNode};
pub use request::{Direction, Missing, SearchRequest, Sort, SourceFilter, TrackTotal};
pub use service::Documents;
