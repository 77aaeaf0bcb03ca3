//! Who the request is explained for.

use std::collections::BTreeMap;

use anyhow::Context as _;

use crate::config::Settings;
use crate::policy::{Principal, RealmRef, Rights, RoleName};
use crate::realm::RealmSettings;
use crate::realm::role_mapping::{Facts, Subject};

/// A user of the first file realm that has one of that name, or the anonymous user.
pub(super) fn by_name(name: &str, settings: &Settings) -> anyhow::Result<Principal> {
    if let Some(found) = settings.authentication.realms.iter().find_map(|realm| of_file(name, realm)) {
        return Ok(found);
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
        "no file realm has the user [{name}]; for callers of other realms give the realm and their groups, --realm NAME --group NAME, or their roles, --role NAME (of a fresh clone the users are made by mlgate serve)"
    )
}

/// Somebody whom that realm has verified, with the roles that the role mappings give.
pub(super) fn of_realm(
    name: &str,
    realm_name: &str,
    groups: &[String],
    dn: Option<&str>,
    settings: &Settings,
) -> anyhow::Result<Principal> {
    let realms = &settings.authentication.realms;
    let Some(realm) = realms.iter().find(|realm| realm.name() == realm_name) else {
        let known: Vec<_> = realms.iter().map(RealmSettings::name).collect();
        anyhow::bail!("no realm [{realm_name}] in the config; there is [{}]", known.join(", "));
    };
    if let RealmSettings::File(_) = realm {
        return of_file(name, realm)
            .filter(|_| groups.is_empty() && dn.is_none())
            .with_context(|| format!("file realm [{realm_name}] has no groups, or no user [{name}]"));
    }
    if let RealmSettings::Elasticsearch(_) = realm {
        anyhow::bail!("the cluster itself knows the roles of realm [{realm_name}]; give them by --role NAME");
    }
    let subject = Subject { username: name, dn, groups, metadata: &Facts::new(), realm: realm_name };
    let roles = settings.authentication.role_mapping.roles(&subject).into_iter().collect();
    let mapped = principal(name, RealmRef { name: realm_name.to_owned(), kind: "mapped" }, roles);
    Ok(Principal { groups: groups.to_vec(), ..mapped })
}

fn of_file(name: &str, realm: &RealmSettings) -> Option<Principal> {
    let RealmSettings::File(file) = realm else { return None };
    let realm = RealmRef { name: file.name.clone(), kind: "file" };
    let user = || principal(name, realm, file.users_roles.roles(name).cloned().collect());
    file.users.contains(name).then(user)
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
