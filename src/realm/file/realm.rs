//! Which hash a password must have, and who it makes the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::password::PasswordHash;
use super::{Settings, Users, UsersRoles};
use crate::policy::{Principal, RealmRef, Rights};

/// A file realm at work.
pub(in crate::realm) struct FileRealm {
    name: String,
    users: Users,
    users_roles: UsersRoles,
}

impl FileRealm {
    pub(in crate::realm) fn build(settings: &Settings) -> Self {
        let Settings { name, users, users_roles } = settings.clone();
        Self { name, users, users_roles }
    }

    /// The hash of a user's password, and who the user is once it is checked; `None` for a user that it does not know.
    pub(in crate::realm) fn find(&self, username: &str) -> Option<(Arc<PasswordHash>, Principal)> {
        let hash = self.users.hash(username)?;
        let principal = Principal {
            username: username.to_owned(),
            realm: RealmRef { name: self.name.clone(), kind: "file" },
            roles: self.users_roles.roles(username).cloned().collect(),
            rights: Rights::Roles,
            groups: Vec::new(),
            full_name: None,
            email: None,
            metadata: BTreeMap::new(),
        };
        Some((Arc::clone(hash), principal))
    }

    /// The hashes of all users, in the order of their names.
    pub(in crate::realm) fn hashes(&self) -> impl Iterator<Item = &Arc<PasswordHash>> {
        self.users.hashes()
    }
}
