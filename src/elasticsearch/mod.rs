//! Wire shapes of Elasticsearch, shared by the gateway and the embedded node.

pub mod error_body;
pub mod proof;
pub mod vouched;
