//! Whether a principal may do what a request asks for.

use super::operation::Demand;
use super::principal::{Principal, RoleName};
use super::privilege::{self, Privilege};
use super::rights::{Account, ClusterRights, Rights};
use super::role::{Role, Roles};

/// Proof that one principal may do one thing. Only [`authorize`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    role: Option<RoleName>,
    privilege: String,
}

impl Grant {
    /// The role that grants it; the first of them where several grant it together. `None`: the cluster grants it.
    pub const fn role(&self) -> Option<&RoleName> {
        self.role.as_ref()
    }

    /// The privilege of that role, as the role writes it; of a cluster, what it was asked for.
    pub fn privilege(&self) -> &str {
        &self.privilege
    }
}

/// Why a principal may not: the facts of Elasticsearch's 403 text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub demand: Demand,
    pub account: Account,
    /// Roles that exist, sorted; where the cluster decided, all that it named.
    pub effective_roles: Vec<RoleName>,
    /// Assigned roles that do not exist, sorted; where the cluster decided, none is known to be one.
    pub missing_roles: Vec<RoleName>,
}

/// Decides by the roles of the principal, or by what its cluster said; what nothing grants is denied.
///
/// An action needs one privilege that covers it. Named privileges need everything that they grant to be granted, by
/// one privilege or by several together, and all of them.
///
/// # Errors
/// [`Denial`] with what would be needed.
pub fn authorize(principal: &Principal, demand: Demand, roles: &Roles) -> Result<Grant, Denial> {
    match &principal.rights {
        Rights::Roles => by_roles(principal, demand, roles),
        Rights::Cluster(rights) => by_cluster(principal, demand, rights),
    }
}

fn by_cluster(principal: &Principal, demand: Demand, rights: &ClusterRights) -> Result<Grant, Denial> {
    if rights.meet(demand) {
        let privilege = match demand {
            Demand::Action(action) => action.to_owned(),
            Demand::Privileges(names) => names.join(","),
        };
        return Ok(Grant { role: None, privilege });
    }
    let effective_roles = sorted(principal.roles.clone());
    Err(Denial { demand, account: rights.account().clone(), effective_roles, missing_roles: Vec::new() })
}

fn by_roles(principal: &Principal, demand: Demand, roles: &Roles) -> Result<Grant, Denial> {
    let effective = || principal.roles.iter().filter_map(|name| roles.find(name));
    let granted = match demand {
        Demand::Action(action) => first(effective(), |privilege| privilege.grants(action)),
        Demand::Privileges(names) => all_granted(effective(), names),
    };
    granted.ok_or_else(|| {
        let (effective_roles, missing_roles) =
            principal.roles.iter().cloned().partition(|name| roles.find(name).is_some());
        let (effective_roles, missing_roles) = (sorted(effective_roles), sorted(missing_roles));
        Denial { demand, account: Account::User, effective_roles, missing_roles }
    })
}

/// Whether the principal is granted all that the named cluster privilege does. An unknown name is not granted.
pub fn has_privilege(principal: &Principal, name: &str, roles: &Roles) -> bool {
    match &principal.rights {
        Rights::Roles => granted(principal.roles.iter().filter_map(|role| roles.find(role)), name).is_some(),
        Rights::Cluster(rights) => rights.grant(name),
    }
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
        let mut text = format!("action [{action}] is unauthorized for {}", self.who(username));
        let privileges = self.demand.granting_privileges();
        if !privileges.is_empty() {
            let privileges = privileges.join(",");
            text.push_str(&format!(", this action is granted by the cluster privileges [{privileges}]"));
        }
        text
    }

    /// API keys and service accounts have no roles.
    fn who(&self, username: &str) -> String {
        let user = match &self.account {
            Account::ApiKey { id } => return format!("API key id [{id}] of user [{username}]"),
            Account::ServiceAccount => return format!("service account [{username}]"),
            Account::RunAs { by } => format!("user [{by}] run as [{username}]"),
            Account::User => format!("user [{username}]"),
        };
        let mut text = format!("{user} with effective roles [{}]", joined(&self.effective_roles));
        if !self.missing_roles.is_empty() {
            text.push_str(&format!(" (assigned roles [{}] were not found)", joined(&self.missing_roles)));
        }
        text
    }
}

fn first<'a>(mut roles: impl Iterator<Item = &'a Role>, grants: impl Fn(&Privilege) -> bool) -> Option<Grant> {
    roles.find_map(|role| {
        let privilege = role.cluster().iter().find(|privilege| grants(privilege))?;
        Some(Grant { role: Some(role.name().clone()), privilege: privilege.as_written().to_owned() })
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
