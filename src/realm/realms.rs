//! The realms of one load of the config.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use http::HeaderValue;

use super::attempts::AttemptLimits;
use super::authorization::Presented;
use super::file::FileRealm;
use super::file::password::PasswordHash;
use super::jwt::{IssuerKeys, JwtRealm};
use super::pki::PkiRealm;
use super::role_mapping::RoleMapping;
use super::settings::{Anonymous, CacheSettings, RealmSettings, Required, Settings};
use super::verifier::Verifier;
use crate::policy::{Principal, RealmRef, Rights, RoleName};

/// Counts loads; only compared.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// Chooses decoys; one for all workers and loads, so that a name keeps its decoy.
static DECOY_CHOICE: OnceLock<RandomState> = OnceLock::new();

/// All realms, in their order. Immutable, shared by all workers, built once per load.
pub struct Realms {
    generation: u64,
    required: Required,
    chain: Vec<Realm>,
    /// What unknown users are checked against; empty without a file realm.
    decoys: Vec<Arc<PasswordHash>>,
    pub(super) anonymous: Option<Principal>,
    pub(super) cache: CacheSettings,
    pub(super) failed_attempts: AttemptLimits,
    pub(super) role_mapping: RoleMapping,
    pub(super) verifier: Arc<Verifier>,
    challenges: Vec<HeaderValue>,
}

/// One realm.
enum Realm {
    File(FileRealm),
    Jwt(Box<JwtRealm>),
    Pki(PkiRealm),
    /// By its name.
    Elasticsearch(Arc<str>),
}

/// Realms that come before or behind the elasticsearch realm. Without one all come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Before,
    Behind,
}

/// Settings that no realms can be built from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RealmsProblem {
    #[error("two realms have the name [{0}]")]
    SameName(String),
    #[error("realm [{realm}]: {problem}")]
    Jwt { realm: String, problem: super::jwt::SettingsProblem },
    #[error("realm [{0}]: there is another elasticsearch realm, which asks the same cluster")]
    SecondElasticsearch(String),
}

impl Realms {
    /// Builds them. With neither a realm nor an anonymous user nobody gets in.
    ///
    /// # Errors
    /// Names that come twice, and jwt settings that do not fit together.
    pub fn build(settings: &Settings, verifier: Arc<Verifier>) -> Result<Self, RealmsProblem> {
        Self::build_after(None, settings, verifier)
    }

    /// Builds them for a reload: key sets that `earlier` realms have fetched are good until they are fetched again.
    ///
    /// # Errors
    /// As [`Realms::build`].
    pub fn build_after(
        earlier: Option<&Self>,
        settings: &Settings,
        verifier: Arc<Verifier>,
    ) -> Result<Self, RealmsProblem> {
        let mut names = HashSet::new();
        for realm in &settings.realms {
            if !names.insert(realm.name()) {
                return Err(RealmsProblem::SameName(realm.name().to_owned()));
            }
        }
        let mut asking = settings.realms.iter().filter(|realm| matches!(realm, RealmSettings::Elasticsearch(_)));
        if let Some(second) = asking.nth(1) {
            return Err(RealmsProblem::SecondElasticsearch(second.name().to_owned()));
        }
        let chain = settings.realms.iter().map(|realm| Realm::build(realm, earlier)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            decoys: decoys(&chain),
            chain,
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            required: settings.required,
            anonymous: settings.anonymous.as_ref().map(anonymous),
            cache: settings.cache,
            failed_attempts: settings.failed_attempts,
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
        self.chain.iter().any(|realm| match realm {
            Realm::Jwt(realm) => realm.weighs_shared_secret(),
            Realm::Elasticsearch(_) => true,
            Realm::File(_) | Realm::Pki(_) => false,
        })
    }

    /// Whether who a caller is depends on the cluster.
    pub fn asks_clusters(&self) -> bool {
        self.elasticsearch().is_some()
    }

    /// The name of the elasticsearch realm.
    pub(super) fn elasticsearch(&self) -> Option<&Arc<str>> {
        self.chain.iter().find_map(|realm| match realm {
            Realm::Elasticsearch(name) => Some(name),
            Realm::File(_) | Realm::Jwt(_) | Realm::Pki(_) => None,
        })
    }

    /// Whether wrong ones are counted: passwords, and what the cluster is asked about. A signature is not guessed.
    pub(super) fn can_be_guessed(&self, presented: &Presented<'_>) -> bool {
        match presented {
            Presented::Basic(_) => true,
            Presented::Bearer(_) | Presented::ApiKey => self.elasticsearch().is_some(),
            Presented::Other => false,
        }
    }

    fn side(&self, side: Side) -> &[Realm] {
        let middle = self.chain.iter().position(|realm| matches!(realm, Realm::Elasticsearch(_)));
        let (before, behind) = self.chain.split_at(middle.unwrap_or(self.chain.len()));
        match side {
            Side::Before => before,
            Side::Behind => behind,
        }
    }

    /// The hash of a user's password and who that user is, from the first file realm of a side that knows the name.
    ///
    /// For an unknown user it is the hash of some user and nobody: for one name always the same hash, so that the time
    /// of an answer tells nothing, whatever forms and costs the files mix. `None` without a file realm on that side.
    pub(super) fn candidate(&self, side: Side, username: &str) -> Option<(Arc<PasswordHash>, Option<Principal>)> {
        files(self.side(side)).next()?;
        if let Some((hash, principal)) = self.user(side, username) {
            return Some((hash, Some(principal)));
        }
        let count = u64::try_from(self.decoys.len().max(1)).unwrap_or(1);
        let choice = DECOY_CHOICE.get_or_init(RandomState::new).hash_one(username) % count;
        let decoy = self.decoys.get(usize::try_from(choice).unwrap_or_default())?;
        Some((Arc::clone(decoy), None))
    }

    /// A user of the file realms of a side: the first of them that knows the name decides.
    pub(super) fn user(&self, side: Side, username: &str) -> Option<(Arc<PasswordHash>, Principal)> {
        files(self.side(side)).find_map(|file| file.find(username))
    }

    /// The key sets that are fetched by HTTPS, for whoever runs [`IssuerKeys::follow`].
    pub fn issuer_keys(&self) -> impl Iterator<Item = &Arc<IssuerKeys>> {
        self.all_jwt().filter_map(JwtRealm::issuer)
    }

    fn all_jwt(&self) -> impl Iterator<Item = &JwtRealm> {
        jwt(&self.chain)
    }

    /// The jwt realms of a side, in their order.
    pub(super) fn jwt(&self, side: Side) -> impl Iterator<Item = &JwtRealm> {
        jwt(self.side(side))
    }

    /// The pki realms, in their order.
    pub(super) fn pki(&self) -> impl Iterator<Item = &PkiRealm> {
        self.chain.iter().filter_map(|realm| match realm {
            Realm::Pki(realm) => Some(realm),
            Realm::File(_) | Realm::Jwt(_) | Realm::Elasticsearch(_) => None,
        })
    }

    /// Whether a client certificate is looked at although there is an `Authorization` header: if the first pki realm
    /// stands before the first realm that takes such a header, as in Elasticsearch. A header that no realm takes is
    /// never passed over.
    pub(super) fn prefers_certificate(&self, presented: &Presented<'_>) -> bool {
        let certificate = self.chain.iter().position(|realm| matches!(realm, Realm::Pki(_)));
        let header = self.chain.iter().position(|realm| realm.takes(presented));
        matches!((certificate, header), (Some(certificate), Some(header)) if certificate < header)
    }
}

impl Realm {
    const fn takes(&self, presented: &Presented<'_>) -> bool {
        match self {
            Self::File(_) => matches!(presented, Presented::Basic(_)),
            Self::Jwt(_) => matches!(presented, Presented::Bearer(_)),
            Self::Elasticsearch(_) => !matches!(presented, Presented::Other),
            Self::Pki(_) => false,
        }
    }

    fn build(settings: &RealmSettings, earlier: Option<&Realms>) -> Result<Self, RealmsProblem> {
        match settings {
            RealmSettings::File(settings) => Ok(Self::File(FileRealm::build(settings))),
            RealmSettings::Jwt(settings) => match settings.problems().into_iter().next() {
                Some(problem) => Err(RealmsProblem::Jwt { realm: settings.name.clone(), problem }),
                None => {
                    let earlier = earlier.and_then(|all| all.all_jwt().find(|realm| realm.name() == settings.name));
                    Ok(Self::Jwt(Box::new(JwtRealm::build(settings, earlier))))
                }
            },
            RealmSettings::Pki(settings) => Ok(Self::Pki(PkiRealm::build(settings))),
            RealmSettings::Elasticsearch(settings) => Ok(Self::Elasticsearch(Arc::from(&*settings.name))),
        }
    }
}

fn jwt(chain: &[Realm]) -> impl Iterator<Item = &JwtRealm> {
    chain.iter().filter_map(|realm| match realm {
        Realm::Jwt(realm) => Some(realm.as_ref()),
        Realm::File(_) | Realm::Pki(_) | Realm::Elasticsearch(_) => None,
    })
}

fn files(chain: &[Realm]) -> impl Iterator<Item = &FileRealm> {
    chain.iter().filter_map(|realm| match realm {
        Realm::File(realm) => Some(realm),
        Realm::Jwt(_) | Realm::Pki(_) | Realm::Elasticsearch(_) => None,
    })
}

/// The hashes of all users; where there is none, one in the form of new ones.
fn decoys(chain: &[Realm]) -> Vec<Arc<PasswordHash>> {
    let of_users: Vec<_> = files(chain).flat_map(FileRealm::hashes).cloned().collect();
    let alone = files(chain).next().filter(|_| of_users.is_empty()).map(|_| Arc::new(PasswordHash::decoy()));
    of_users.into_iter().chain(alone).collect()
}

fn anonymous(settings: &Anonymous) -> Principal {
    let mut roles: Vec<_> = settings.roles.iter().map(RoleName::new).collect();
    roles.sort();
    roles.dedup();
    Principal {
        username: settings.username.clone(),
        realm: RealmRef { name: "__anonymous".to_owned(), kind: "anonymous" },
        roles,
        rights: Rights::Roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: std::collections::BTreeMap::new(),
    }
}

fn challenges(realms: &[RealmSettings]) -> Vec<HeaderValue> {
    let any = |offers: fn(&RealmSettings) -> bool| realms.iter().any(offers);
    let asks = any(|realm| matches!(realm, RealmSettings::Elasticsearch(_)));
    let basic = asks || any(|realm| matches!(realm, RealmSettings::File(_)));
    let bearer = asks || any(|realm| matches!(realm, RealmSettings::Jwt(_)));
    let offers = [
        (basic, r#"Basic realm="security", charset="UTF-8""#),
        (bearer, r#"Bearer realm="security""#),
        (asks, "ApiKey"),
    ];
    offers.into_iter().filter(|(offered, _)| *offered).map(|(_, text)| HeaderValue::from_static(text)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::realm::file;

    fn realms(users: &str) -> Realms {
        let file = file::Settings {
            name: "file1".to_owned(),
            users: file::Users::parse(users.as_bytes()).unwrap(),
            users_roles: file::UsersRoles::default(),
        };
        let settings = Settings {
            required: Required::All,
            realms: vec![RealmSettings::File(file)],
            anonymous: None,
            cache: CacheSettings { ttl: Duration::ZERO, max_entries: 0 },
            failed_attempts: AttemptLimits { window: Duration::from_secs(60), per_address: 0, per_user: 0 },
            role_mapping: RoleMapping::default(),
        };
        Realms::build(&settings, Arc::new(Verifier::start(1, 1).unwrap())).unwrap()
    }

    #[test]
    fn an_unknown_user_costs_what_some_user_of_the_file_costs() {
        let bcrypt = "$2a$12$abcdefghijklmnopqrstuuKwIlPvyLlw8e74Johhjece.ndnfSP1S";
        let realms = realms(&format!("elastic:{bcrypt}\nreader:{bcrypt}\n"));
        for name in ["nobody", "root", ""] {
            let (hash, principal) = realms.candidate(Side::Before, name).unwrap();
            assert_eq!((hash.as_ref(), principal), (&PasswordHash::parse(bcrypt).unwrap(), None));
            assert!(Arc::ptr_eq(&hash, &realms.candidate(Side::Before, name).unwrap().0), "always the same");
        }
        assert!(realms.candidate(Side::Before, "elastic").unwrap().1.is_some());
    }

    #[test]
    fn an_empty_file_costs_what_a_new_hash_costs() {
        let (hash, principal) = realms("").candidate(Side::Before, "elastic").unwrap();
        assert_eq!((hash.as_ref(), principal), (&PasswordHash::decoy(), None));
    }
}
