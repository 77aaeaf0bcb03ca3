//! Whether a principal may do what a request asks for.

use super::operation::Demand;
use super::principal::{Principal, RoleName};
use super::role::Roles;

/// Proof that one principal may do one thing. Only [`authorize`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    role: RoleName,
    privilege: String,
}

impl Grant {
    /// The role that grants it.
    pub const fn role(&self) -> &RoleName {
        &self.role
    }

    /// The privilege of that role, as the role writes it.
    pub fn privilege(&self) -> &str {
        &self.privilege
    }
}

/// Why a principal may not: the facts of Elasticsearch's 403 text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub demand: Demand,
    /// Roles that exist, sorted.
    pub effective_roles: Vec<RoleName>,
    /// Assigned roles that do not exist, sorted.
    pub missing_roles: Vec<RoleName>,
}

/// Decides by the roles of the principal; what nothing grants is denied.
///
/// # Errors
/// [`Denial`] with what would be needed.
pub fn authorize(_principal: &Principal, demand: Demand, _roles: &Roles) -> Result<Grant, Denial> {
    Err(Denial { demand, effective_roles: Vec::new(), missing_roles: Vec::new() })
}
