//! Roles: names for sets of cluster privileges.

use std::collections::BTreeMap;

use super::principal::RoleName;

/// A role as far as the gateway decides by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: RoleName,
    /// Cluster privileges as written: names, action names or patterns over them.
    pub cluster: Vec<String>,
}

/// All roles that exist: the built-in ones and those of `roles.yml`.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    by_name: BTreeMap<RoleName, Role>,
}

impl Roles {
    /// The role of that name, or none.
    pub fn find(&self, name: &RoleName) -> Option<&Role> {
        self.by_name.get(name)
    }
}
