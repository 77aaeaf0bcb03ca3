//! `role_mapping.yml`: which roles a verified caller gets by name, groups, DN, realm or metadata.

mod dn;
mod fact;
mod read;
mod rule;

use std::collections::BTreeSet;

pub(super) use fact::texts;
pub use fact::{Fact, Facts};
pub use read::{RoleMappingCause, RoleMappingProblem};
pub use rule::Subject;

use rule::Rule;

use crate::policy::RoleName;

/// All mappings of the file. Empty: nobody gets a role by it.
#[derive(Clone, Debug, Default)]
pub struct RoleMapping {
    mappings: Vec<Mapping>,
}

#[derive(Clone, Debug)]
struct Mapping {
    roles: Vec<RoleName>,
    rule: Rule,
}

impl RoleMapping {
    /// The roles of every mapping whose rules the caller fulfils.
    pub fn roles(&self, subject: &Subject<'_>) -> BTreeSet<RoleName> {
        let fulfilled = self.mappings.iter().filter(|mapping| mapping.rule.matches(subject));
        fulfilled.flat_map(|mapping| mapping.roles.iter().cloned()).collect()
    }

    /// Roles that some mapping gives, sorted: for a check that each of them exists.
    pub fn role_names(&self) -> BTreeSet<&RoleName> {
        self.mappings.iter().flat_map(|mapping| &mapping.roles).collect()
    }
}

#[cfg(test)]
mod tests;
