//! Who calls the node, and what they may do.

mod access;
mod caller;

pub use access::Access;
pub use caller::Caller;
