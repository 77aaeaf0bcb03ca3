//! The realms of one load of the config.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

use super::file::FileRealm;
use super::jwt::JwtRealm;
use super::role_mapping::RoleMapping;
use super::settings::{Anonymous, CacheSettings, RealmSettings, Required, Settings};
use super::verifier::Verifier;
use crate::policy::{Principal, RealmRef, RoleName};

/// Counts loads; only compared.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// All realms, in their order. Immutable, shared by all workers, built once per load.
pub struct Realms {
    generation: u64,
    required: Required,
    chain: Vec<Realm>,
    pub(super) anonymous: Option<Principal>,
    pub(super) cache: CacheSettings,
    pub(super) role_mapping: RoleMapping,
    pub(super) verifier: Arc<Verifier>,
    challenges: Vec<HeaderValue>,
}

/// One realm.
enum Realm {
    File(FileRealm),
    Jwt(Box<JwtRealm>),
}

/// Settings that no realms can be built from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RealmsProblem {
    #[error("two realms have the name [{0}]")]
    SameName(String),
    #[error("realm [{realm}]: {problem}")]
    Jwt { realm: String, problem: super::jwt::SettingsProblem },
}

impl Realms {
    /// Builds them. With neither a realm nor an anonymous user nobody gets in.
    ///
    /// # Errors
    /// Names that come twice, and jwt settings that do not fit together.
    pub fn build(settings: &Settings, verifier: Arc<Verifier>) -> Result<Self, RealmsProblem> {
        let mut names = HashSet::new();
        for realm in &settings.realms {
            if !names.insert(realm.name()) {
                return Err(RealmsProblem::SameName(realm.name().to_owned()));
            }
        }
        Ok(Self {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            required: settings.required,
            chain: settings.realms.iter().map(Realm::build).collect::<Result<_, _>>()?,
            anonymous: settings.anonymous.as_ref().map(anonymous),
            cache: settings.cache,
            role_mapping: settings.role_mapping.clone(),
            verifier,
            challenges: challenges(&settings.realms),
        })
    }

    /// Differs between any two loads, and grows.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Which requests need credentials.
    pub const fn required(&self) -> Required {
        self.required
    }

    /// The values of `WWW-Authenticate`, one a scheme on offer.
    pub fn challenges(&self) -> &[HeaderValue] {
        &self.challenges
    }

    /// Whether a client's shared secret decides anything.
    pub(super) fn weighs_shared_secret(&self) -> bool {
        self.jwt().any(JwtRealm::weighs_shared_secret)
    }

    /// The file realms, in their order.
    pub(super) fn files(&self) -> impl Iterator<Item = &FileRealm> {
        self.chain.iter().filter_map(|realm| match realm {
            Realm::File(realm) => Some(realm),
            Realm::Jwt(_) => None,
        })
    }

    /// The jwt realms, in their order.
    pub(super) fn jwt(&self) -> impl Iterator<Item = &JwtRealm> {
        self.chain.iter().filter_map(|realm| match realm {
            Realm::Jwt(realm) => Some(realm.as_ref()),
            Realm::File(_) => None,
        })
    }
}

impl Realm {
    fn build(settings: &RealmSettings) -> Result<Self, RealmsProblem> {
        match settings {
            RealmSettings::File(settings) => Ok(Self::File(FileRealm::build(settings))),
            RealmSettings::Jwt(settings) => match settings.problems().into_iter().next() {
                Some(problem) => Err(RealmsProblem::Jwt { realm: settings.name.clone(), problem }),
                None => Ok(Self::Jwt(Box::new(JwtRealm::build(settings)))),
            },
        }
    }
}

fn anonymous(settings: &Anonymous) -> Principal {
    let mut roles: Vec<_> = settings.roles.iter().map(RoleName::new).collect();
    roles.sort();
    roles.dedup();
    Principal {
        username: settings.username.clone(),
        realm: RealmRef { name: "__anonymous".to_owned(), kind: "anonymous" },
        roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: std::collections::BTreeMap::new(),
    }
}

fn challenges(realms: &[RealmSettings]) -> Vec<HeaderValue> {
    let basic = realms.iter().any(|realm| matches!(realm, RealmSettings::File(_)));
    let bearer = realms.iter().any(|realm| matches!(realm, RealmSettings::Jwt(_)));
    let basic = basic.then(|| HeaderValue::from_static(r#"Basic realm="security", charset="UTF-8""#));
    let bearer = bearer.then(|| HeaderValue::from_static(r#"Bearer realm="security""#));
    basic.into_iter().chain(bearer).collect()
}
