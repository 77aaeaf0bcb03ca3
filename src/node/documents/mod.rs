//! Documents: get, search, count, and reading in time order.

mod error;
mod hits;
mod in_time;
mod matcher;
mod parse;
mod query;
mod request;
mod search;
mod service;
mod sorting;
pub mod source_filter;
mod walk;

pub use error::SearchError;
pub use hits::{Cursor, Document, Hit, Hits, Page, Relation, TimedDocument, Total};
pub use query::{Bound, QueryNode};
pub use request::{Direction, Missing, SearchRequest, Sort, SourceFilter, TrackTotal};
pub use service::Documents;

#[cfg(test)]
mod tests;
