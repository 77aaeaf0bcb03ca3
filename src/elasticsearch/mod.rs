//! Wire shapes of Elasticsearch, shared by the gateway and the embedded node, and a client for operators.

pub mod client;
pub mod error_body;
pub mod proof;
pub mod switched;
pub mod vouched;
pub mod work;
