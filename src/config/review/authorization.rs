//! `authorization`: the roles that exist, and those that somebody has but nobody has defined.

use std::collections::BTreeMap;

use super::{Fault, KeyPath, Note, Review, authentication};
use crate::config::Settings;
use crate::policy::{RoleName, Roles};
use crate::realm::RealmSettings;
use crate::realm::roles_file::RolesFile;

impl Review<'_> {
    /// `None`: something is wrong, and is recorded.
    pub(super) fn roles(&mut self, written: Option<&str>) -> Option<Roles> {
        let Some(written) = written else { return Some(Roles::builtin()) };
        let key = KeyPath::root().key("authorization").key("roles");
        let (path, text) = self.named_text(&key, written)?;
        let file = match RolesFile::parse(&text) {
            Ok(file) => file,
            Err(problems) => {
                for problem in problems {
                    let mark = authentication::mark(problem.place);
                    self.fault_inside(&key, &path, mark, Fault::Invalid(Box::new(problem.cause)));
                }
                return None;
            }
        };
        match Roles::with_custom(file.into_roles()) {
            Ok(roles) => Some(roles),
            Err(problem) => {
                self.fault_inside(&key, &path, None, Fault::Invalid(Box::new(problem)));
                None
            }
        }
    }
}

/// Roles that are assigned but do not exist grant nothing; most often a name is misspelt.
pub(super) fn undefined_roles(settings: &Settings) -> Vec<Note> {
    let mut assigned: BTreeMap<RoleName, KeyPath> = BTreeMap::new();
    let mut assign = |role: &RoleName, key: KeyPath| {
        assigned.entry(role.clone()).or_insert(key);
    };
    let authentication = KeyPath::root().key("authentication");
    for (index, realm) in settings.authentication.realms.iter().enumerate() {
        if let RealmSettings::File(file) = realm {
            let key = authentication.key("realms").index(index).key("users_roles");
            file.users_roles.role_names().into_iter().for_each(|role| assign(role, key.clone()));
        }
    }
    for role in settings.authentication.role_mapping.role_names() {
        assign(role, KeyPath::root().key("authorization").key("role_mapping"));
    }
    for role in settings.authentication.anonymous.iter().flat_map(|anonymous| &anonymous.roles) {
        assign(&RoleName::new(role), authentication.key("anonymous").key("roles"));
    }
    let undefined = assigned.into_iter().filter(|(role, _)| settings.roles.find(role).is_none());
    undefined
        .map(|(role, key)| Note { key, text: format!("role [{role}] is assigned but not defined; it grants nothing") })
        .collect()
}
