//! The `file` realm: Elasticsearch's `users` and `users_roles`.

mod line;
pub mod password;
mod realm;
mod users;
mod users_roles;

pub use line::{NameProblem, check_name};
pub(in crate::realm) use realm::FileRealm;
pub use users::{Users, UsersCause, UsersProblem};
pub use users_roles::{UsersRoles, UsersRolesCause, UsersRolesProblem};

/// A file realm, its files read.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub users: Users,
    pub users_roles: UsersRoles,
}

#[cfg(test)]
mod tests;
