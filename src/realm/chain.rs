//! Asks the realms in their order, and remembers what they said.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::authorization::{Basic, Presented};
use super::cache::{Cache, Digest, DigestKey, Entry, Known};
use super::credentials::{Credentials, Malformed, Unauthenticated, Verified};
use super::jwt::{Bearer, Refusal, Token};
use super::password_check::{Outcome, PasswordChecks, Question};
use super::pki::Remembered;
use super::realms::Realms;
use super::verifier::Lane;
use crate::policy::Principal;

/// One worker's way to the realms. Owns what that worker remembers; shares nothing with the others.
pub struct Chain {
    worker_count: usize,
    digest_key: Option<DigestKey>,
    memory: RefCell<Memory>,
    checks: PasswordChecks,
}

/// What belongs to one generation of realms.
struct Memory {
    generation: u64,
    cache: Cache,
    anonymous: Option<Rc<Principal>>,
}

impl Chain {
    /// A chain of one of `worker_count` workers.
    pub fn new(worker_count: usize) -> Self {
        let memory = Memory { generation: 0, cache: Cache::new(0), anonymous: None };
        Self {
            worker_count: worker_count.max(1),
            digest_key: DigestKey::random(),
            memory: RefCell::new(memory),
            checks: PasswordChecks::default(),
        }
    }

    /// Who presents these credentials.
    ///
    /// Without credentials it is the anonymous user, or nobody. A credential that is remembered costs one keyed hash.
    /// Passwords are checked by the threads of the verifier; of several requests with the same credential one asks and
    /// all get its answer.
    ///
    /// # Errors
    /// Why the credentials are not accepted; they are never passed over for the anonymous user.
    pub async fn authenticate(
        &self,
        realms: &Arc<Realms>,
        credentials: Credentials<'_>,
    ) -> Result<Verified, Unauthenticated> {
        self.follow(realms);
        let header = match credentials.authorization.as_slice() {
            [] => None,
            [header] => Some(*header),
            _ => return Err(Unauthenticated::Malformed(Malformed::SeveralHeaders)),
        };
        if let Some(principal) = check_certificate(realms, header, &credentials)? {
            return Ok(Verified::Caller(principal));
        }
        let Some(header) = header else { return Ok(self.without_credentials(realms)) };
        let second = credentials.shared_secret.filter(|_| realms.weighs_shared_secret());
        let digest = self.digest_key.as_ref().map(|key| key.digest(header, second));
        let lane = match self.recall(realms, digest.as_ref(), &credentials) {
            Known::Fresh(principal) => return Ok(Verified::Caller(principal)),
            Known::Stale => Lane::Known,
            Known::Nothing => Lane::Stranger,
        };
        let presented = Presented::parse(header).map_err(Unauthenticated::Malformed)?;
        let verified = match presented {
            Presented::Basic(basic) => {
                Box::pin(self.check_password(realms, basic, digest, lane, credentials.instant)).await
            }
            Presented::Bearer(token) => check_token(realms, token, &credentials).await,
            Presented::Other => Err(Unauthenticated::Credentials { detail: None }),
        };
        self.learn(realms, digest, verified)
    }

    /// Empties the memory when the realms are newer. Those of a request that began before a reload stay unremembered.
    fn follow(&self, realms: &Realms) {
        let mut memory = self.memory.borrow_mut();
        if memory.generation < realms.generation() {
            let capacity = if realms.cache.ttl.is_zero() { 0 } else { realms.cache.max_entries / self.worker_count };
            *memory = Memory {
                generation: realms.generation(),
                cache: Cache::new(capacity),
                anonymous: realms.anonymous.clone().map(Rc::new),
            };
        }
    }

    fn without_credentials(&self, realms: &Realms) -> Verified {
        let memory = self.memory.borrow();
        let anonymous = if memory.generation == realms.generation() {
            memory.anonymous.clone()
        } else {
            realms.anonymous.clone().map(Rc::new)
        };
        anonymous.map_or(Verified::Nobody, Verified::Caller)
    }

    fn recall(&self, realms: &Realms, digest: Option<&Digest>, credentials: &Credentials<'_>) -> Known {
        let mut memory = self.memory.borrow_mut();
        match digest {
            Some(digest) if memory.generation == realms.generation() => {
                memory.cache.find(digest, credentials.instant, credentials.now)
            }
            _ => Known::Nothing,
        }
    }

    /// Remembers an answer of the realms, and gives it.
    fn learn(
        &self,
        realms: &Realms,
        digest: Option<Digest>,
        verified: Result<Entry, Unauthenticated>,
    ) -> Result<Verified, Unauthenticated> {
        let mut memory = self.memory.borrow_mut();
        let remembered = digest.filter(|_| memory.generation == realms.generation());
        let entry = verified?;
        let principal = Rc::clone(&entry.principal);
        if let Some(digest) = remembered {
            memory.cache.insert(digest, entry);
        }
        Ok(Verified::Caller(principal))
    }

    async fn check_password(
        &self,
        realms: &Arc<Realms>,
        basic: Basic,
        digest: Option<Digest>,
        lane: Lane,
        instant: Instant,
    ) -> Result<Entry, Unauthenticated> {
        let username = basic.username.clone();
        let question = Question { realms, basic, digest, lane, instant, worker_count: self.worker_count };
        match self.checks.ask(question).await {
            Outcome::Right(principal) => {
                Ok(Entry { principal, renew_at: renewal(realms, instant), ends_at: None, key: None })
            }
            Outcome::Wrong => Err(Unauthenticated::User { username }),
            Outcome::Busy => Err(Unauthenticated::Busy),
            Outcome::NobodyAsked => Err(Unauthenticated::Credentials { detail: None }),
        }
    }
}

/// Asks the pki realms in their order; the first that verifies the certificate decides. `None`: there is no certificate,
/// none of them finds a user name in it, or the `Authorization` header goes before it.
fn check_certificate(
    realms: &Realms,
    header: Option<&[u8]>,
    credentials: &Credentials<'_>,
) -> Result<Option<Rc<Principal>>, Unauthenticated> {
    let Some(certificate) = credentials.certificate else { return Ok(None) };
    let header_first = |header| !Presented::parse(header).is_ok_and(|presented| realms.prefers_certificate(&presented));
    if header.is_some_and(header_first) {
        return Ok(None);
    }
    let ask = || {
        let mut answer = Ok(None);
        for realm in realms.pki() {
            match realm.verify(certificate, credentials.now, &realms.role_mapping) {
                Ok(Some(principal)) => {
                    answer = Ok(Some(Rc::new(principal)));
                    break;
                }
                Ok(None) => {}
                Err(refusal) => answer = Err(refusal),
            }
        }
        Remembered { generation: realms.generation(), renew_at: renewal(realms, credentials.instant), answer }
    };
    certificate.answer(realms.generation(), credentials.instant, ask).map_err(Unauthenticated::Certificate)
}

/// Asks the jwt realms in their order. The first that verifies the token decides: several may share an issuer, for
/// tokens of different types.
async fn check_token(realms: &Realms, token: &str, credentials: &Credentials<'_>) -> Result<Entry, Unauthenticated> {
    let token = Token::parse(token).map_err(Unauthenticated::Token)?;
    let mut refused = None;
    for realm in realms.jwt() {
        let verify = || realm.verify(&token, credentials.shared_secret, credentials.now, &realms.role_mapping);
        let mut answer = verify();
        if matches!(answer, Err(Refusal::UnknownKey)) && Box::pin(realm.fetched_for(&token)).await {
            answer = verify();
        }
        match answer {
            Ok(bearer) => return Ok(entry_of(bearer, renewal(realms, credentials.instant))),
            Err(refusal) => refused = Some(refusal),
        }
    }
    Err(refused.map_or(Unauthenticated::Credentials { detail: None }, Unauthenticated::Token))
}

fn entry_of(bearer: Bearer, renew_at: Instant) -> Entry {
    let Bearer { principal, ends_at, key } = bearer;
    Entry { principal: Rc::new(principal), renew_at, ends_at: Some(ends_at), key: Some(key) }
}

fn renewal(realms: &Realms, instant: Instant) -> Instant {
    instant.checked_add(realms.cache.ttl).unwrap_or(instant)
}
