//! Whether a principal may do what a request asks for.

use super::operation::Demand;
use super::principal::{Principal, RoleName};
use super::privilege::{self, Privilege};
use super::role::{Role, Roles};

/// Proof that one principal may do one thing. Only [`authorize`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    role: RoleName,
    privilege: String,
}

impl Grant {
    /// The role that grants it; the first of them where several grant it together.
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
/// An action needs one privilege that covers it. Named privileges need everything that they grant to be granted, by
/// one privilege or by several together, and all of them.
///
/// # Errors
/// [`Denial`] with what would be needed.
pub fn authorize(principal: &Principal, demand: Demand, roles: &Roles) -> Result<Grant, Denial> {
    let effective = || principal.roles.iter().filter_map(|name| roles.find(name));
    let granted = match demand {
        Demand::Action(action) => first(effective(), |privilege| privilege.grants(action)),
        Demand::Privileges(names) => all_granted(effective(), names),
    };
    granted.ok_or_else(|| {
        let (effective_roles, missing_roles) =
            principal.roles.iter().cloned().partition(|name| roles.find(name).is_some());
        Denial { demand, effective_roles: sorted(effective_roles), missing_roles: sorted(missing_roles) }
    })
}

/// Whether the roles of the principal grant all that the named cluster privilege does. An unknown name is not granted.
pub fn has_privilege(principal: &Principal, name: &str, roles: &Roles) -> bool {
    granted(principal.roles.iter().filter_map(|role| roles.find(role)), name).is_some()
}

impl Demand {
    /// The named privileges each of which meets it, from the least to the most powerful.
    pub fn granting_privileges(&self) -> Vec<&'static str> {
        match self {
            Self::Action(action) => privilege::names_granting(action),
            Self::Privileges(names) => privilege::names_implying(names),
        }
    }
}

impl Denial {
    /// Elasticsearch's 403 text. `route` such as `POST /_features/_reset` stands in where there is no action name.
    ///
    /// Source: `AuthorizationDenialMessages.java`.
    pub fn reason(&self, username: &str, route: &str) -> String {
        let action = match self.demand {
            Demand::Action(action) => action,
            Demand::Privileges(_) => route,
        };
        let roles = joined(&self.effective_roles);
        let mut text =
            format!("action [{action}] is unauthorized for user [{username}] with effective roles [{roles}]");
        if !self.missing_roles.is_empty() {
            text.push_str(&format!(" (assigned roles [{}] were not found)", joined(&self.missing_roles)));
        }
        let privileges = self.demand.granting_privileges();
        if !privileges.is_empty() {
            let privileges = privileges.join(",");
            text.push_str(&format!(", this action is granted by the cluster privileges [{privileges}]"));
        }
        text
    }
}

fn first<'a>(mut roles: impl Iterator<Item = &'a Role>, grants: impl Fn(&Privilege) -> bool) -> Option<Grant> {
    roles.find_map(|role| {
        let privilege = role.cluster().iter().find(|privilege| grants(privilege))?;
        Some(Grant { role: role.name().clone(), privilege: privilege.as_written().to_owned() })
    })
}

/// No names are no demand that could be met.
fn all_granted<'a>(roles: impl Iterator<Item = &'a Role> + Clone, names: &[&str]) -> Option<Grant> {
    let grants: Option<Vec<Grant>> = names.iter().map(|name| granted(roles.clone(), name)).collect();
    grants?.into_iter().next()
}

fn granted<'a>(roles: impl Iterator<Item = &'a Role> + Clone, name: &str) -> Option<Grant> {
    let alone = first(roles.clone(), |privilege| privilege::together_imply(&[privilege], name));
    alone.or_else(|| {
        let together: Vec<&Privilege> = roles.clone().flat_map(|role| role.cluster()).collect();
        if !privilege::together_imply(&together, name) {
            return None;
        }
        first(roles, |_| true)
    })
}

fn sorted(mut roles: Vec<RoleName>) -> Vec<RoleName> {
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn joined(roles: &[RoleName]) -> String {
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
