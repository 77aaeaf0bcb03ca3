//! From a request line to a handler, by Elasticsearch's own rules.

mod route;

pub use route::{Handler, HandlerFuture, Route};
