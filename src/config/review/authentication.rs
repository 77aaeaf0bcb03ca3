//! `authentication`: realms, their users, the anonymous user.

use super::{KeyPath, Note, Review};
use crate::config::Settings;
use crate::config::document::{
    AnonymousDocument, ClusterDocument, Document, ElasticsearchRealmDocument, FailedAttemptsDocument,
    FileRealmDocument, RealmDocument, RequiredDocument,
};
use crate::config::problem::Fault::Invalid;
use crate::config::yaml::Mark;
use crate::gateway::Identity;
use crate::realm::file::{self, Users, UsersRoles};
use crate::realm::role_mapping::RoleMapping;
use crate::realm::{self, Anonymous, AttemptLimits, CacheSettings, Place, RealmSettings, Required, elasticsearch};

impl Review<'_> {
    /// `None`: something is wrong, and is recorded.
    pub(super) fn authentication(&mut self) -> Option<realm::Settings> {
        let document = &self.file.document().authentication;
        let key = KeyPath::root().key("authentication");
        let realms_key = key.key("realms");
        let named = document.realms.iter().enumerate();
        self.distinct(named.map(|(index, realm)| (realms_key.index(index).key("name"), realm.name().to_owned())));
        let realms: Vec<Option<RealmSettings>> = document
            .realms
            .iter()
            .enumerate()
            .map(|(index, realm)| self.realm(&realms_key.index(index), realm))
            .collect();
        let anonymous = document.anonymous.as_ref().map(|anonymous| self.anonymous(&key.key("anonymous"), anonymous));
        if document.realms.is_empty() && anonymous.is_none() {
            self.note(&realms_key, "no realm and no anonymous user: nobody gets in");
        }
        let role_mapping = self.role_mapping();
        Some(realm::Settings {
            required: match document.required {
                RequiredDocument::All => Required::All,
                RequiredDocument::Ml => Required::Ml,
            },
            realms: realms.into_iter().collect::<Option<_>>()?,
            anonymous,
            cache: CacheSettings { ttl: document.cache.ttl.0, max_entries: document.cache.max_entries },
            failed_attempts: self.failed_attempts(&key.key("failed_attempts"), document.failed_attempts),
            role_mapping: role_mapping?,
        })
    }

    fn realm(&mut self, key: &KeyPath, document: &RealmDocument) -> Option<RealmSettings> {
        if let Err(problem) = file::check_name(document.name()) {
            self.fault(&key.key("name"), Invalid(Box::new(problem)));
        }
        match document {
            RealmDocument::File(document) => self.file_realm(key, document).map(RealmSettings::File),
            RealmDocument::Jwt(document) => {
                self.jwt_realm(key, document).map(|settings| RealmSettings::Jwt(Box::new(settings)))
            }
            RealmDocument::Pki(document) => self.pki_realm(key, document).map(RealmSettings::Pki),
            RealmDocument::Elasticsearch(document) => {
                Some(RealmSettings::Elasticsearch(self.elasticsearch_realm(key, document)))
            }
        }
    }

    fn failed_attempts(&mut self, key: &KeyPath, document: FailedAttemptsDocument) -> AttemptLimits {
        self.positive(&key.key("window"), document.window);
        AttemptLimits { window: document.window.0, per_address: document.per_address, per_user: document.per_user }
    }

    fn elasticsearch_realm(&mut self, key: &KeyPath, document: &ElasticsearchRealmDocument) -> elasticsearch::Settings {
        let Document { clusters, authentication, .. } = self.file.document();
        // The node of this process knows no users of its own: it believes the gateway.
        if clusters.iter().any(ClusterDocument::is_embedded) {
            let expected =
                "[file], [jwt] or [pki], or [nodes] for every cluster: the embedded node has no users of its own";
            self.unexpected(&key.key("type"), "elasticsearch", expected);
        }
        let mut asking = authentication.realms.iter().filter(|realm| matches!(realm, RealmDocument::Elasticsearch(_)));
        if asking.next().is_some_and(|first| first.name() != document.name) {
            let expected = "at most one elasticsearch realm: a second would ask the same cluster";
            self.unexpected(&key.key("type"), "elasticsearch", expected);
        }
        elasticsearch::Settings { name: document.name.clone() }
    }

    fn file_realm(&mut self, key: &KeyPath, document: &FileRealmDocument) -> Option<file::Settings> {
        let users = self.users(&key.key("users"), &document.users);
        let users_roles = self.users_roles(&key.key("users_roles"), &document.users_roles);
        let (users, users_roles) = (users?, users_roles?);
        for name in users_roles.users().filter(|name| !users.contains(name)) {
            self.note(&key.key("users_roles"), format!("user [{name}] has roles but is not in [{}]", document.users));
        }
        Some(file::Settings { name: document.name.clone(), users, users_roles })
    }

    fn users(&mut self, key: &KeyPath, written: &str) -> Option<Users> {
        if self.pending.makes(&self.file.resolve(written)) {
            self.named_bytes(key, written);
            return Some(Users::default());
        }
        let (path, bytes) = self.named_bytes(key, written)?;
        let problems = match Users::parse(&bytes) {
            Ok(users) => return Some(users),
            Err(problems) => problems,
        };
        for problem in problems {
            self.fault_inside(
                key,
                &path,
                Some(Mark { line: problem.line, column: 1 }),
                Invalid(Box::new(problem.cause)),
            );
        }
        None
    }

    fn users_roles(&mut self, key: &KeyPath, written: &str) -> Option<UsersRoles> {
        if self.pending.makes(&self.file.resolve(written)) {
            self.named_bytes(key, written);
            return Some(UsersRoles::default());
        }
        let (path, bytes) = self.named_bytes(key, written)?;
        let problems = match UsersRoles::parse(&bytes) {
            Ok(users_roles) => return Some(users_roles),
            Err(problems) => problems,
        };
        for problem in problems {
            self.fault_inside(
                key,
                &path,
                Some(Mark { line: problem.line, column: 1 }),
                Invalid(Box::new(problem.cause)),
            );
        }
        None
    }

    fn anonymous(&mut self, key: &KeyPath, document: &AnonymousDocument) -> Anonymous {
        if let Err(problem) = file::check_name(&document.username) {
            self.fault(&key.key("username"), Invalid(Box::new(problem)));
        }
        if document.roles.is_empty() {
            self.note(&key.key("roles"), "the anonymous user has no role");
        }
        Anonymous { username: document.username.clone(), roles: document.roles.clone() }
    }

    fn role_mapping(&mut self) -> Option<RoleMapping> {
        let Some(written) = self.file.document().authorization.role_mapping.as_deref() else {
            return Some(RoleMapping::default());
        };
        let key = KeyPath::root().key("authorization").key("role_mapping");
        let (path, text) = self.named_text(&key, written)?;
        let problems = match RoleMapping::parse(&text) {
            Ok(role_mapping) => return Some(role_mapping),
            Err(problems) => problems,
        };
        for problem in problems {
            self.fault_inside(&key, &path, mark(problem.place), Invalid(Box::new(problem.cause)));
        }
        None
    }

    /// A text of the config that a parser of the realms refuses.
    pub(super) fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
        &mut self,
        key: &KeyPath,
        parsed: Result<T, E>,
    ) -> Option<T> {
        parsed.map_err(|problem| self.fault(key, Invalid(Box::new(problem)))).ok()
    }
}

/// A pki realm that no listener brings a certificate, and clusters that do not hear of the caller.
pub(super) fn certificates_of_no_use(settings: &Settings) -> Vec<Note> {
    let mut realms = settings.authentication.realms.iter();
    let Some(index) = realms.position(|realm| matches!(realm, RealmSettings::Pki(_))) else { return Vec::new() };
    let mut notes = Vec::new();
    if settings.listeners.iter().all(|listener| listener.client_verifier.is_none()) {
        let key = KeyPath::root().key("authentication").key("realms").index(index).key("type");
        let text = "no listener has [client_authentication: optional] or [required]: nobody shows a certificate";
        notes.push(Note { key, text: text.to_owned() });
    }
    let blind = settings.clusters.iter().enumerate().filter(|(_, one)| one.identity == Identity::Passthrough);
    notes.extend(blind.map(|(index, _)| {
        Note {
            key: KeyPath::root().key("clusters").index(index).key("identity"),
            text: "a certificate cannot be passed through: its holders come to the cluster without credentials; \
               [run_as] tells their names"
                .to_owned(),
        }
    }));
    notes
}

pub(super) fn mark(place: Place) -> Option<Mark> {
    let (line, column) = (usize::try_from(place.line).ok()?, usize::try_from(place.column).ok()?);
    (line > 0).then_some(Mark { line, column: column.max(1) })
}
