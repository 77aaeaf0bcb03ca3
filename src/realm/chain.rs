//! Asks the realms in their order, and remembers what they said.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::attempts::{Attempts, Origin, Standing, network};
use super::authorization::{Basic, Presented};
use super::basis::Basis;
use super::cache::{Cache, Digest, DigestKey, Entry, Known};
use super::credentials::{Credentials, Malformed, Unauthenticated, Verified};
use super::elasticsearch::{Asked, Asker, Verdict};
use super::jwt::{Bearer, Refusal, Token};
use super::password_check::{Outcome, PasswordChecks, Question};
use super::pki::Remembered;
use super::realms::{Realms, Side};
use super::verifier::Lane;
use crate::policy::Principal;

/// One worker's way to the realms. Owns what that worker remembers; shares nothing with the others.
pub struct Chain {
    worker_count: usize,
    digest_key: Option<DigestKey>,
    memory: RefCell<Memory>,
    checks: PasswordChecks,
    asker: Asker,
    attempts: Attempts,
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
            asker: Asker::default(),
            attempts: Attempts::default(),
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
        if realms.elasticsearch().is_some() && credentials.run_as.len() > 1 {
            return Err(Unauthenticated::Malformed(Malformed::SeveralRunAs));
        }
        let digest = self.digest(realms, header, &credentials);
        let known = self.recall(realms, digest.as_ref(), &credentials);
        if let Known::Fresh(principal) = known {
            return Ok(Verified::Caller(principal));
        }
        let presented = Presented::parse(header).map_err(Unauthenticated::Malformed)?;
        let standing = match known {
            Known::Stale | Known::Earlier(_) => Standing::Weighed(Lane::Known),
            _ if !realms.can_be_guessed(&presented) => Standing::Weighed(Lane::Stranger),
            _ => self.attempts.standing(realms.failed_attempts, origin(&presented, digest, &credentials)),
        };
        let attempt = Attempt { realms, header, presented, digest, standing, credentials: &credentials };
        let verified = Box::pin(self.verify(&attempt)).await;
        self.learn(realms, digest, self.weigh(&attempt, verified))
    }

    /// Counts what was wrong; what is over a limit is wrong, whatever it is.
    fn weigh(&self, attempt: &Attempt<'_>, verified: Result<Entry, Unauthenticated>) -> Result<Entry, Unauthenticated> {
        let is_refused = verified.as_ref().is_err_and(is_wrong);
        if !is_refused || !attempt.realms.can_be_guessed(&attempt.presented) {
            return verified;
        }
        let origin = origin(&attempt.presented, attempt.digest, attempt.credentials);
        if attempt.standing == Standing::Limited {
            return Err(Unauthenticated::Limited { username: origin.username.map(str::to_owned) });
        }
        let limits = attempt.realms.failed_attempts;
        self.attempts.failed(limits, origin);
        match verified {
            Err(Unauthenticated::Credentials { detail: Some(detail) }) if limits.limits(origin.address) => {
                Err(Unauthenticated::Undisclosed { detail })
            }
            other => other,
        }
    }

    /// Over everything that an answer may depend on.
    fn digest(&self, realms: &Realms, header: &[u8], credentials: &Credentials<'_>) -> Option<Digest> {
        let key = self.digest_key.as_ref()?;
        let cluster = credentials.cluster.filter(|_| realms.elasticsearch().is_some());
        let secret = client_secret(header, credentials);
        Some(match cluster {
            Some(cluster) => {
                let run_as = credentials.run_as.first().copied();
                key.digest(header, &[secret, run_as, Some(cluster.name().as_bytes())])
            }
            None if realms.weighs_shared_secret() && secret.is_some() => key.digest(header, &[secret]),
            None => key.digest(header, &[]),
        })
    }

    /// What is remembered has to be confirmed when the realms are newer. Those of a request that began before a reload stay unremembered.
    fn follow(&self, realms: &Realms) {
        let mut memory = self.memory.borrow_mut();
        if memory.generation < realms.generation() {
            let capacity = if realms.cache.ttl.is_zero() { 0 } else { realms.cache.max_entries / self.worker_count };
            memory.generation = realms.generation();
            memory.anonymous = realms.anonymous.clone().map(Rc::new);
            memory.cache.withdraw_all();
            if memory.cache.capacity() != capacity {
                memory.cache = Cache::new(capacity);
            }
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
                match memory.cache.find(digest, credentials.instant, credentials.now) {
                    Known::Earlier(entry) if entry.basis.holds(&entry.principal, realms, credentials.cluster) => {
                        memory.cache.confirm(digest, renewal(realms, credentials.instant));
                        Known::Fresh(entry.principal)
                    }
                    known => known,
                }
            }
            _ => Known::Nothing,
        }
    }

    /// Remembers an answer of the realms, and gives it. A credential that is wrong now is a stranger's from now on.
    fn learn(
        &self,
        realms: &Realms,
        digest: Option<Digest>,
        verified: Result<Entry, Unauthenticated>,
    ) -> Result<Verified, Unauthenticated> {
        let mut memory = self.memory.borrow_mut();
        let remembered = digest.filter(|_| memory.generation == realms.generation());
        match (verified, remembered) {
            (Ok(entry), remembered) => {
                let principal = Rc::clone(&entry.principal);
                if let Some(digest) = remembered {
                    memory.cache.insert(digest, entry);
                }
                Ok(Verified::Caller(principal))
            }
            (Err(refused), Some(digest)) if is_wrong(&refused) => {
                memory.cache.forget(&digest);
                Err(refused)
            }
            (Err(refused), _) => Err(refused),
        }
    }

    /// The realms in their order, until one verifies the credential. One that refuses it or cannot say does not stop the
    /// others, as in Elasticsearch. Where one could not be asked for want of a place, the order would be another: 429.
    async fn verify(&self, attempt: &Attempt<'_>) -> Result<Entry, Unauthenticated> {
        let mut refused = Unauthenticated::Credentials { detail: None };
        for stage in [Stage::Local(Side::Before), Stage::Cluster, Stage::Local(Side::Behind)] {
            let answer = match stage {
                Stage::Local(side) => self.ask_local(attempt, side).await,
                Stage::Cluster => self.ask_cluster(attempt).await,
            };
            match answer {
                None => {}
                Some(Ok(entry)) => return Ok(entry),
                Some(Err(last @ (Unauthenticated::Busy | Unauthenticated::Forbidden { .. }))) => return Err(last),
                // What a silent cluster would have said is not known, whatever the others say.
                Some(Err(_)) if refused == Unauthenticated::Unavailable => {}
                Some(Err(other)) => refused = other,
            }
        }
        Err(refused)
    }

    /// The realms that ask nobody else; `None`: none of them takes such credentials.
    async fn ask_local(&self, attempt: &Attempt<'_>, side: Side) -> Option<Result<Entry, Unauthenticated>> {
        match &attempt.presented {
            Presented::Basic(basic) => self.check_password(attempt, side, basic).await,
            Presented::Bearer(token) => check_token(attempt, side, token).await,
            Presented::ApiKey | Presented::Other => None,
        }
    }

    async fn check_password(
        &self,
        attempt: &Attempt<'_>,
        side: Side,
        basic: &Basic,
    ) -> Option<Result<Entry, Unauthenticated>> {
        let Attempt { realms, digest, credentials, .. } = *attempt;
        let (lane, network) = (attempt.lane(), credentials.address.map(network));
        let (instant, worker_count) = (credentials.instant, self.worker_count);
        let question = Question { realms, side, basic, digest, lane, network, instant, worker_count };
        match self.checks.ask(question).await {
            Outcome::Right(principal) if attempt.standing != Standing::Limited => {
                let (renew_at, basis) = (renewal(realms, instant), Basis::of_password(realms, side, &basic.username));
                Some(Ok(Entry { principal, renew_at, ends_at: None, key: None, basis }))
            }
            Outcome::Right(_) | Outcome::Wrong => Some(Err(Unauthenticated::User { username: basic.username.clone() })),
            Outcome::Busy => Some(Err(Unauthenticated::Busy)),
            Outcome::NobodyAsked => None,
        }
    }

    /// `None` without an elasticsearch realm, and for schemes that Elasticsearch passes over for its anonymous user.
    async fn ask_cluster(&self, attempt: &Attempt<'_>) -> Option<Result<Entry, Unauthenticated>> {
        let Attempt { realms, header, digest, credentials, .. } = *attempt;
        let (realm, cluster) = (realms.elasticsearch()?, credentials.cluster?);
        let username = match &attempt.presented {
            Presented::Basic(basic) => Some(basic.username.as_str()),
            Presented::Bearer(_) | Presented::ApiKey => None,
            Presented::Other => return None,
        };
        if attempt.standing == Standing::Limited {
            let refused = Unauthenticated::Credentials { detail: None };
            return Some(Err(if self.asker.pretend().await { refused } else { Unauthenticated::Busy }));
        }
        let asked = Asked {
            cluster,
            realm,
            authorization: header,
            client_secret: client_secret(header, credentials),
            run_as: credentials.run_as.first().copied(),
            username,
            key: digest.map(|digest| (realms.generation(), digest)),
            lane: attempt.lane(),
            network: credentials.address.map(network),
            instant: credentials.instant,
        };
        let (verdict, since) = self.asker.ask(asked).await;
        Some(match (verdict, username) {
            (Verdict::Known(principal), _) => {
                let basis = Basis::of_word(realms, cluster, &attempt.presented);
                Ok(Entry { principal, renew_at: renewal(realms, since), ends_at: None, key: None, basis })
            }
            (Verdict::Refused { .. }, Some(username)) => Err(Unauthenticated::User { username: username.to_owned() }),
            (Verdict::Refused { detail }, None) => Err(Unauthenticated::Credentials { detail }),
            (Verdict::Forbidden { reason }, _) => Err(Unauthenticated::Forbidden { reason }),
            (Verdict::Unknown, _) => Err(Unauthenticated::Unavailable),
            (Verdict::Busy, _) => Err(Unauthenticated::Busy),
        })
    }
}

/// Whose turn it is.
#[derive(Clone, Copy)]
enum Stage {
    Local(Side),
    Cluster,
}

/// One credential on its way through the realms.
struct Attempt<'a> {
    realms: &'a Arc<Realms>,
    header: &'a [u8],
    presented: Presented<'a>,
    digest: Option<Digest>,
    standing: Standing,
    credentials: &'a Credentials<'a>,
}

impl Attempt<'_> {
    const fn lane(&self) -> Lane {
        match self.standing {
            Standing::Weighed(lane) => lane,
            Standing::Limited => Lane::Suspect,
        }
    }
}

fn origin<'a>(presented: &'a Presented<'_>, digest: Option<Digest>, credentials: &Credentials<'_>) -> Origin<'a> {
    let username = match presented {
        Presented::Basic(basic) => Some(basic.username.as_str()),
        Presented::Bearer(_) | Presented::ApiKey | Presented::Other => None,
    };
    Origin { address: credentials.address, username, digest, instant: credentials.instant }
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

/// Asks the jwt realms of a side in their order. The first that verifies the token decides: several may share an issuer,
/// for tokens of different types.
async fn check_token(attempt: &Attempt<'_>, side: Side, token: &str) -> Option<Result<Entry, Unauthenticated>> {
    let Attempt { realms, credentials, .. } = *attempt;
    let mut asked = realms.jwt(side).peekable();
    asked.peek()?;
    let token = match Token::parse(token) {
        Ok(token) => token,
        Err(refusal) => return Some(Err(Unauthenticated::Token(refusal))),
    };
    let (mut refused, network) = (None, credentials.address.map(network));
    for realm in asked {
        let verify = || realm.verify(&token, credentials, &realms.role_mapping);
        let mut answer = verify();
        if matches!(answer, Err(Refusal::UnknownKey)) && Box::pin(realm.fetched_for(&token, network)).await {
            answer = verify();
        }
        match answer {
            Ok(bearer) => return Some(Ok(entry_of(bearer, renewal(realms, credentials.instant)))),
            Err(refusal) => refused = Some(Err(Unauthenticated::Token(refusal))),
        }
    }
    refused
}

fn entry_of(bearer: Bearer, renew_at: Instant) -> Entry {
    let Bearer { principal, ends_at, client_ends_at, key } = bearer;
    let renew_at = client_ends_at.map_or(renew_at, |end| renew_at.min(end));
    let basis = Basis::AllSettings;
    Entry { principal: Rc::new(principal), renew_at, ends_at: Some(ends_at), key: Some(key), basis }
}

fn renewal(realms: &Realms, instant: Instant) -> Instant {
    instant.checked_add(realms.cache.ttl).unwrap_or(instant)
}

/// Whether it says that the credential itself is wrong.
const fn is_wrong(refused: &Unauthenticated) -> bool {
    use Unauthenticated::{Credentials, Token, Undisclosed, User};
    matches!(refused, User { .. } | Credentials { .. } | Undisclosed { .. } | Token(_))
}

/// What `ES-Client-Authentication` says: it stands beside a token only, and with other schemes it would only make one
/// credential look like many.
fn client_secret<'a>(header: &[u8], credentials: &Credentials<'a>) -> Option<&'a [u8]> {
    const BEARER: &[u8] = b"bearer ";
    let is_bearer = header.get(..BEARER.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(BEARER));
    credentials.shared_secret.filter(|_| is_bearer)
}
