//! Audit events: who did what, one ECS JSON line each.
//!
//! **Invariant**: no credential, token or body is ever part of an event.

mod event;
mod sink;

pub use event::{Action, Event, EventClass, Outcome, User};
pub use sink::{Auditor, Output, Sender, Settings};
