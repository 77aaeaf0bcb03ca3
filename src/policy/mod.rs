//! Pure decisions: what a request asks for, what it needs, who has it, what upgrade mode says.
//!
//! **Invariant**: `std` and the types of `http` only. No runtime, file, clock, random or log: facts come in as arguments.

pub mod authorize;
mod builtin_roles;
pub mod catalog;
pub mod classify;
pub mod operation;
mod perimeter;
pub mod principal;
pub mod privilege;
pub mod rights;
pub mod role;
pub mod target;
pub mod upgrade_mode;

pub use authorize::{Denial, Grant, authorize, has_privilege};
pub use classify::{Classified, Perimeter, Unroutable, classify};
pub use operation::{Demand, Operation, UpgradeRule};
pub use perimeter::body::{Document, Doubt, Inspection, Judge, Reading, Scalar, inspection, shown};
pub use perimeter::query::parameters;
pub use principal::{Principal, RealmRef, RoleName};
pub use privilege::{Privilege, PrivilegeProblem};
pub use rights::{Account, ClusterRights, Rights};
pub use role::{Role, RoleProblem, Roles};
pub use target::{Target, TargetProblem};
