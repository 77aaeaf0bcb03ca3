//! Who calls the node, and what they may do.
//!
//! The node has its own reading of Elasticsearch's users, roles and privileges: it shares no decision code with the gateway,
//! so that a bug of one does not hide in the other.

mod access;
mod builtin;
mod caller;
mod gatekeeper;
mod password;
mod permissions;
pub mod privileges;
mod role;
mod roles_file;
mod rules;
mod users;

pub use access::Access;
pub use caller::Caller;
pub use gatekeeper::{Gatekeeper, Refreshed};
pub use permissions::Permissions;
pub use rules::SecurityProblem;
