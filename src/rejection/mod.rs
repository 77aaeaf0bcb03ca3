//! Every way in which a request is refused: cause, status, body.
//!
//! **Invariant**: what a caller reads names no node, address, file or credential; those are for the log.

mod body;
mod cause;
mod reply;
mod status;

pub use cause::{Cause, Malformation, Rejection};
pub use reply::{Asked, answer, options, reason, unparsed};
pub use status::ErrorStatus;
