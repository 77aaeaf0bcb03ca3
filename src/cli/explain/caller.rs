//! Who the request is explained for.

use std::collections::BTreeMap;

use crate::config::Settings;
use crate::policy::{Principal, RealmRef, Rights, RoleName};
use crate::realm::RealmSettings;

/// A user of the first file realm that has one of that name, or the anonymous user.
pub(super) fn by_name(name: &str, settings: &Settings) -> anyhow::Result<Principal> {
    for realm in &settings.authentication.realms {
        if let RealmSettings::File(file) = realm
            && file.users.contains(name)
        {
            let realm = RealmRef { name: file.name.clone(), kind: "file" };
            return Ok(principal(name, realm, file.users_roles.roles(name).cloned().collect()));
        }
    }
    if let Some(anonymous) = settings.authentication.anonymous.as_ref().filter(|anonymous| anonymous.username == name) {
        let realm = RealmRef { name: "anonymous".to_owned(), kind: "anonymous" };
        return Ok(principal(name, realm, anonymous.roles.iter().map(RoleName::new).collect()));
    }
    let asks = |realm: &&RealmSettings| matches!(realm, RealmSettings::Elasticsearch(_));
    if let Some(realm) = settings.authentication.realms.iter().find(asks) {
        anyhow::bail!(
            "no file realm has the user [{name}]; if it is one of the cluster's, the cluster alone knows what it may (realm [{}]), and only with \
             the user's own credentials: ask GET _security/user/_has_privileges through the gateway, or explain for roles: --role NAME",
            realm.name()
        )
    }
    anyhow::bail!(
        "no file realm has the user [{name}]; for callers of other realms give their roles: --role NAME (of a fresh clone the users are made by mlgate serve)"
    )
}

/// Somebody with these roles.
pub(super) fn with_roles(roles: &[String]) -> Principal {
    let realm = RealmRef { name: "any".to_owned(), kind: "any" };
    principal("somebody", realm, roles.iter().map(RoleName::new).collect())
}

fn principal(name: &str, realm: RealmRef, mut roles: Vec<RoleName>) -> Principal {
    roles.sort_unstable();
    roles.dedup();
    Principal {
        username: name.to_owned(),
        realm,
        roles,
        rights: Rights::Roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
    }
}
