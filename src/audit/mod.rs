//! Audit events: who did what, one ECS JSON line each.
//!
//! **Invariant**: no credential, token or body is ever part of an event.

mod event;
mod sink;

pub use event::{Action, Event, EventClass, Outcome, Request, User};
pub use sink::{Auditor, ControlSender, Output, Sender, Settings};
