//! From a request line to a handler, by Elasticsearch's own rules.

mod dispatch;
mod media_type;
mod render;
mod route;
mod table;
mod trace;
mod trie;
mod unknown_parameter;

pub use dispatch::{Dispatcher, Head};
pub use route::{Handler, HandlerFuture, Route};
pub use table::{Entry, Match, Table};
