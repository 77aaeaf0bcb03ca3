//! Pure decisions: what a request asks for, what it needs, who has it, what upgrade mode says.
//!
//! **Invariant**: `std` and the types of `http` only. No runtime, file, clock, random or log: facts come in as arguments.

pub mod authorize;
pub mod classify;
pub mod operation;
pub mod principal;
pub mod role;
pub mod target;
pub mod upgrade_mode;

pub use authorize::{Denial, Grant, authorize};
pub use classify::{Classified, Unroutable, classify};
pub use operation::{Demand, Operation, UpgradeRule};
pub use principal::{Principal, RealmRef, RoleName};
pub use role::{Role, Roles};
pub use target::{Target, TargetProblem};
