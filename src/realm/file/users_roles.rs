//! The `users_roles` file: `role:user1,user2`, one role a line.

use std::collections::{BTreeSet, HashMap};

use super::line::{Lines, NameProblem, check_name, is_skipped};
use crate::policy::RoleName;

/// Which roles each user of a file realm has.
#[derive(Clone, Debug, Default)]
pub struct UsersRoles {
    roles: HashMap<String, BTreeSet<RoleName>>,
}

/// One line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct UsersRolesProblem {
    /// From 1.
    pub line: usize,
    pub cause: UsersRolesCause,
}

/// What is wrong with a line of `users_roles`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsersRolesCause {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("expected role:user1,user2")]
    NoColon,
    #[error("role: {0}")]
    Role(NameProblem),
    #[error("role [{role}]: user: {problem}")]
    User { role: String, problem: NameProblem },
}

impl UsersRoles {
    /// Reads the file. A role may stand on several lines; white space around roles and users is dropped.
    ///
    /// # Errors
    /// Every malformed line; Elasticsearch skips those.
    ///
    /// Source: Elasticsearch, `FileUserRolesStore.java`.
    pub fn parse(file: &[u8]) -> Result<Self, Vec<UsersRolesProblem>> {
        let mut users_roles = Self::default();
        let mut problems = Vec::new();
        for (line, text) in Lines::of(file) {
            if let Err(cause) = text.ok_or(UsersRolesCause::NotUtf8).and_then(|text| users_roles.read_line(text)) {
                problems.push(UsersRolesProblem { line, cause });
            }
        }
        if problems.is_empty() { Ok(users_roles) } else { Err(problems) }
    }

    fn read_line(&mut self, line: &str) -> Result<(), UsersRolesCause> {
        if is_skipped(line) {
            return Ok(());
        }
        let (role, users) = line.split_once(':').ok_or(UsersRolesCause::NoColon)?;
        let role = role.trim();
        check_name(role).map_err(UsersRolesCause::Role)?;
        for user in users.split(',').map(str::trim) {
            check_name(user).map_err(|problem| UsersRolesCause::User { role: role.to_owned(), problem })?;
            self.roles.entry(user.to_owned()).or_default().insert(RoleName::new(role));
        }
        Ok(())
    }

    /// The roles of a user, sorted; none for one who is not in the file.
    pub fn roles(&self, user: &str) -> impl Iterator<Item = &RoleName> {
        self.roles.get(user).into_iter().flatten()
    }

    /// Users that are named, in no order: for a check that each of them exists.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.roles.keys().map(String::as_str)
    }

    /// Roles that are given to somebody, sorted: for a check that each of them exists.
    pub fn role_names(&self) -> BTreeSet<&RoleName> {
        self.roles.values().flatten().collect()
    }
}
