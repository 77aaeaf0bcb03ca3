//! What the roles of one caller give together.

use super::privileges::{Actions, Scope, granting};
use super::role::Role;
use std::sync::Arc;

/// The roles of a caller that exist, and the names of those that do not.
#[derive(Clone, Debug)]
pub struct Permissions {
    username: String,
    roles: Vec<Arc<Role>>,
    unknown: Vec<String>,
}

impl Permissions {
    pub(super) fn new(username: String, mut roles: Vec<Arc<Role>>, mut unknown: Vec<String>) -> Self {
        roles.sort_by(|left, right| left.name.cmp(&right.name));
        unknown.sort_unstable();
        Self { username, roles, unknown }
    }

    pub fn allows_cluster(&self, action: &str) -> bool {
        self.roles.iter().any(|role| role.cluster.iter().any(|actions| actions.allows(action)))
    }

    pub fn allows_index(&self, action: &str, index: &str) -> bool {
        self.grants(index).any(|grant| grant.allows(action))
    }

    /// Whether a cluster privilege, or all actions that start with a name, are granted; for `_has_privileges`.
    pub fn has_cluster(&self, asked: &Actions) -> bool {
        self.roles.iter().any(|role| role.cluster.iter().any(|actions| actions.contains(asked)))
    }

    /// Whether an index privilege is granted on all indices that a name or pattern means.
    pub fn has_index(&self, asked: &Actions, index: &str) -> bool {
        self.grants(index).any(|grant| grant.contains(asked))
    }

    fn grants<'a>(&'a self, index: &'a str) -> impl Iterator<Item = &'a super::role::IndexGrant> {
        self.roles.iter().flat_map(|role| &role.indices).filter(move |grant| grant.covers(index))
    }

    /// Elasticsearch's text for an action on the cluster that is not granted.
    pub fn cluster_denial(&self, action: &str) -> String {
        let who = self.who(action);
        granted_by(who, "cluster", &granting(Scope::Cluster, action))
    }

    /// Elasticsearch's text for an action on indices that is not granted.
    pub fn index_denial(&self, action: &str, indices: &[&str]) -> String {
        let who = format!("{} on indices [{}]", self.who(action), indices.join(","));
        granted_by(who, "index", &granting(Scope::Index, action))
    }

    fn who(&self, action: &str) -> String {
        let effective: Vec<&str> = self.roles.iter().map(|role| role.name.as_str()).collect();
        let (user, roles) = (&self.username, effective.join(","));
        let mut text = format!("action [{action}] is unauthorized for user [{user}] with effective roles [{roles}]");
        if !self.unknown.is_empty() {
            text.push_str(&format!(" (assigned roles [{}] were not found)", self.unknown.join(",")));
        }
        text
    }
}

fn granted_by(who: String, scope: &str, privileges: &[&str]) -> String {
    if privileges.is_empty() {
        return who;
    }
    format!("{who}, this action is granted by the {scope} privileges [{}]", privileges.join(","))
}
