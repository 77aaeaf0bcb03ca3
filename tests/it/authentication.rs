//! Who a caller is: headers, passwords and tokens, put to the chain of realms as the gateway does.

mod attempts;
mod cluster;
mod issuer;
mod key_server;
mod passwords;
mod reloads;
mod signing;
mod token;
mod token_table;
mod tokens;

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mlgate::policy::Principal;
use mlgate::realm::role_mapping::RoleMapping;
use mlgate::realm::{
    Anonymous, AttemptLimits, CacheSettings, Chain, Cluster, Credentials, RealmSettings, Realms, Required, Settings,
    Unauthenticated, Verified, Verifier, file,
};

/// The wall clock of all these tests, in seconds.
pub(super) const NOW: u64 = 1_700_000_000;

/// Of `slow-password`, at a cost that makes a queue.
const SLOW: &str = "$2a$12$abcdefghijklmnopqrstuuKwIlPvyLlw8e74Johhjece.ndnfSP1S";

/// `elastic` and `reader` with the passwords `elastic-password` and `reader-password`, at bcrypt's lowest cost, and
/// `slow`.
pub(super) fn file_realm() -> RealmSettings {
    let hash = |password: &str| bcrypt::hash(password, 4).unwrap();
    let users = format!("elastic:{}\nreader:{}\nslow:{SLOW}\n", hash("elastic-password"), hash("reader-password"));
    RealmSettings::File(file::Settings {
        name: "file1".to_owned(),
        users: file::Users::parse(users.as_bytes()).unwrap(),
        users_roles: file::UsersRoles::parse(b"superuser:elastic\nviewer:reader,elastic\n").unwrap(),
    })
}

pub(super) fn settings(realms: Vec<RealmSettings>) -> Settings {
    Settings {
        required: Required::All,
        realms,
        anonymous: None,
        cache: CacheSettings { ttl: Duration::from_secs(60), max_entries: 100 },
        failed_attempts: AttemptLimits { window: Duration::from_secs(60), per_address: 10, per_user: 5 },
        role_mapping: RoleMapping::default(),
    }
}

pub(super) fn anonymous() -> Anonymous {
    Anonymous { username: "anonymous".to_owned(), roles: vec!["viewer".to_owned()] }
}

pub(super) fn build(settings: &Settings) -> Arc<Realms> {
    let verifier = Verifier::start(2, 16).unwrap();
    Arc::new(Realms::build(settings, Arc::new(verifier)).unwrap())
}

/// What a request presents, and the cluster that it is for.
#[derive(Default)]
pub(super) struct Presents<'a> {
    pub(super) headers: &'a [&'a str],
    pub(super) secret: Option<&'a str>,
    pub(super) run_as: &'a [&'a str],
    pub(super) cluster: Option<&'a Cluster>,
    pub(super) address: Option<IpAddr>,
}

/// A worker and its clocks, which stand still until they are set.
pub(super) struct Worker {
    chain: Chain,
    started: Instant,
    pub(super) seconds: u64,
}

impl Worker {
    pub(super) fn new() -> Self {
        Self { chain: Chain::new(1), started: Instant::now(), seconds: 0 }
    }

    pub(super) async fn ask(&self, realms: &Arc<Realms>, headers: &[&str]) -> Result<Verified, Unauthenticated> {
        self.ask_with_secret(realms, headers, None).await
    }

    pub(super) async fn ask_with_secret(
        &self,
        realms: &Arc<Realms>,
        headers: &[&str],
        secret: Option<&str>,
    ) -> Result<Verified, Unauthenticated> {
        self.present(realms, &Presents { headers, secret, ..Presents::default() }).await
    }

    pub(super) async fn present(
        &self,
        realms: &Arc<Realms>,
        presents: &Presents<'_>,
    ) -> Result<Verified, Unauthenticated> {
        let since = Duration::from_secs(self.seconds);
        let credentials = Credentials {
            authorization: presents.headers.iter().map(|header| header.as_bytes()).collect(),
            shared_secret: presents.secret.map(str::as_bytes),
            run_as: presents.run_as.iter().map(|name| name.as_bytes()).collect(),
            cluster: presents.cluster,
            certificate: None,
            address: presents.address,
            now: now() + since,
            instant: self.started + since,
        };
        self.chain.authenticate(realms, credentials).await
    }
}

pub(super) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

pub(super) fn caller(answer: Result<Verified, Unauthenticated>) -> Rc<Principal> {
    match answer {
        Ok(Verified::Caller(principal)) => principal,
        other => panic!("{other:?}"),
    }
}

pub(super) fn basic(username: &str, password: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}")))
}
