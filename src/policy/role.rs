//! Roles: names for sets of cluster privileges.

use std::collections::BTreeMap;
use std::fmt;

use super::builtin_roles;
use super::principal::RoleName;
use super::privilege::{Privilege, PrivilegeProblem};

/// A role as far as the gateway decides by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    name: RoleName,
    cluster: Vec<Privilege>,
    run_as: Vec<String>,
}

impl Role {
    /// A role from its cluster privileges (names, action names or patterns over them) and the users it may act as.
    ///
    /// # Errors
    /// A privilege that is neither a known name nor a pattern over cluster actions.
    pub fn new(name: RoleName, cluster: Vec<String>, run_as: Vec<String>) -> Result<Self, RoleProblem> {
        let resolved: Result<_, _> = cluster.iter().map(|written| Privilege::resolve(written)).collect();
        match resolved {
            Ok(cluster) => Ok(Self { name, cluster, run_as }),
            Err(problem) => Err(RoleProblem::Privilege { role: name, problem }),
        }
    }

    pub const fn name(&self) -> &RoleName {
        &self.name
    }

    pub fn cluster(&self) -> &[Privilege] {
        &self.cluster
    }

    /// Users that its holders may act as: names or patterns, as written.
    pub fn run_as(&self) -> &[String] {
        &self.run_as
    }
}

/// All roles that exist: the built-in ones and those of `roles.yml`. The default has none, and so grants nothing.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    by_name: BTreeMap<RoleName, Role>,
}

impl Roles {
    /// The roles that every Elasticsearch cluster has.
    pub fn builtin() -> Self {
        let by_name = builtin_roles::all().map(|role| (role.name.clone(), role)).collect();
        Self { by_name }
    }

    /// The built-in roles and `custom` ones.
    ///
    /// # Errors
    /// A name that is built in, or that two of them have.
    pub fn with_custom(custom: Vec<Role>) -> Result<Self, RoleProblem> {
        let builtin = Self::builtin();
        let mut by_name = builtin.by_name.clone();
        for role in custom {
            if builtin.by_name.contains_key(&role.name) {
                return Err(RoleProblem::Reserved(role.name));
            }
            if let Some(earlier) = by_name.insert(role.name.clone(), role) {
                return Err(RoleProblem::Duplicate(earlier.name));
            }
        }
        Ok(Self { by_name })
    }

    /// The role of that name, or none.
    pub fn find(&self, name: &RoleName) -> Option<&Role> {
        self.by_name.get(name)
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.by_name.values()
    }
}

/// Why a role is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleProblem {
    Privilege {
        role: RoleName,
        problem: PrivilegeProblem,
    },
    /// The name of a built-in role.
    Reserved(RoleName),
    /// Two roles of one name.
    Duplicate(RoleName),
}

impl fmt::Display for RoleProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privilege { role, .. } => {
                write!(formatter, "role [{role}] has a cluster privilege that cannot be used")
            }
            Self::Reserved(role) => {
                write!(formatter, "role [{role}] is reserved and cannot be redefined; choose another name")
            }
            Self::Duplicate(role) => write!(formatter, "role [{role}] is defined twice"),
        }
    }
}

impl std::error::Error for RoleProblem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Privilege { problem, .. } => Some(problem),
            Self::Reserved(_) | Self::Duplicate(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, cluster: &[&str]) -> Result<Role, RoleProblem> {
        Role::new(RoleName::new(name), cluster.iter().map(|text| (*text).to_owned()).collect(), Vec::new())
    }

    #[test]
    fn custom_roles_stand_beside_the_builtin_ones() {
        let roles = Roles::with_custom(vec![role("ops", &["manage_ml"]).unwrap()]).unwrap();
        assert!(roles.find(&RoleName::new("ops")).is_some());
        assert!(roles.find(&RoleName::new("viewer")).is_some_and(|viewer| viewer.cluster().is_empty()));
        assert!(roles.find(&RoleName::new("Viewer")).is_none());
    }

    #[test]
    fn reserved_and_double_names_are_refused() {
        let superuser = Roles::with_custom(vec![role("superuser", &[]).unwrap()]);
        assert_eq!(superuser.unwrap_err(), RoleProblem::Reserved(RoleName::new("superuser")));
        let twice = Roles::with_custom(vec![role("ops", &["all"]).unwrap(), role("ops", &[]).unwrap()]);
        assert_eq!(twice.unwrap_err(), RoleProblem::Duplicate(RoleName::new("ops")));
    }

    #[test]
    fn an_unknown_privilege_names_the_role() {
        let problem = role("ops", &["manage_ml", "manage_mll"]).unwrap_err();
        assert_eq!(problem.to_string(), "role [ops] has a cluster privilege that cannot be used");
    }
}
