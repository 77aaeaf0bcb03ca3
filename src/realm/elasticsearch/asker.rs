//! One worker's questions to clusters: one at a time for a credential, and so many at a time altogether.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;

use super::Cluster;
use super::question::Question;
use crate::policy::Principal;
use crate::realm::cache::Digest;
use crate::realm::refusals::Refusals;
use crate::realm::single_flight::{Flight, Place, PlaceOf, Places, PlacesEach, SingleFlight};
use crate::realm::verifier::Lane;

/// Questions under way about credentials that were never good. More are answered 429: whoever guesses does not flood
/// the cluster through the gateway.
const STRANGERS_MAX: usize = 64;
/// Of which one network has so many: one account that asks for ever new users to run as leaves places to others.
const STRANGERS_OF_NETWORK_MAX: usize = STRANGERS_MAX / 4;
/// The same from where attempts failed lately.
const SUSPECTS_MAX: usize = 8;
/// Questions under way about credentials that were good before.
const KNOWN_MAX: usize = 256;

/// How long a refusal is repeated; whoever is let in meanwhile waits for so long.
const REFUSED: Duration = Duration::from_secs(2);

/// What a cluster said of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::realm) enum Verdict {
    Known(Rc<Principal>),
    /// 401; what may be told to the caller.
    Refused {
        detail: Option<String>,
    },
    /// 403: the credential is good, and may not be used so.
    Forbidden {
        reason: String,
    },
    /// No answer that can be relied on.
    Unknown,
    /// It was not asked: too many others are.
    Busy,
}

/// A credential that a cluster is to be asked about.
pub(in crate::realm) struct Asked<'a> {
    pub(in crate::realm) cluster: &'a Cluster,
    /// Name of the realm.
    pub(in crate::realm) realm: &'a Arc<str>,
    pub(in crate::realm) authorization: &'a [u8],
    pub(in crate::realm) client_secret: Option<&'a [u8]>,
    pub(in crate::realm) run_as: Option<&'a [u8]>,
    /// The user name of Basic credentials.
    pub(in crate::realm) username: Option<&'a str>,
    /// Generation of the realms, and a keyed hash of all of the above.
    pub(in crate::realm) key: Option<(u64, Digest)>,
    pub(in crate::realm) lane: Lane,
    pub(in crate::realm) network: Option<IpAddr>,
    pub(in crate::realm) instant: Instant,
}

/// An answer, and when it was asked for: for so long it may have been true.
type Answer = (Verdict, Instant);

/// The questions of one worker.
#[derive(Default)]
pub(in crate::realm) struct Asker {
    pending: SingleFlight<(u64, Digest), Answer>,
    refusals: RefCell<Refusals<(u64, Digest), Verdict>>,
    strangers: Places,
    networks: PlacesEach<IpAddr>,
    suspects: Places,
    known: Places,
    /// How long the last refusal took.
    refusal: Rc<Cell<Duration>>,
}

impl Asker {
    /// What the cluster says, and since when it is known.
    pub(in crate::realm) async fn ask(&self, asked: Asked<'_>) -> Answer {
        if let Some(verdict) = asked.key.and_then(|key| self.refusals.borrow().find(&key, asked.instant, REFUSED)) {
            return (verdict, asked.instant);
        }
        let (key, instant) = (asked.key, asked.instant);
        let flight = match self.pending.join(key) {
            Some(flight) => flight,
            None => match self.begin(&asked) {
                Ok(flight) => flight,
                Err(verdict) => return (verdict, instant),
            },
        };
        let answer = flight.await;
        if let (Some(key), Verdict::Refused { .. } | Verdict::Forbidden { .. }) = (key, &answer.0) {
            self.refusals.borrow_mut().insert(key, answer.0.clone(), answer.1);
        }
        answer
    }

    /// As if the cluster were asked and refused, in the time that this took last. False: there is no place for it.
    pub(in crate::realm) async fn pretend(&self) -> bool {
        let Some(_until_over) = self.suspects.take(SUSPECTS_MAX) else { return false };
        tokio::time::sleep(self.refusal.get()).await;
        true
    }

    fn begin(&self, asked: &Asked<'_>) -> Result<Flight<Answer>, Verdict> {
        let place = self.place(asked.lane, asked.network).ok_or(Verdict::Busy)?;
        // Headers of a request that came by HTTP are header values; others could not be asked for.
        let question = question(asked).ok_or(Verdict::Refused { detail: None })?;
        let (instant, refusal) = (asked.instant, Rc::clone(&self.refusal));
        let answer = async move {
            let _until_answered = place;
            let begin = tokio::time::Instant::now();
            let verdict = question.ask().await;
            if matches!(verdict, Verdict::Refused { .. }) {
                refusal.set(begin.elapsed());
            }
            (verdict, instant)
        };
        Ok(self.pending.start(asked.key, answer))
    }

    fn place(&self, lane: Lane, network: Option<IpAddr>) -> Option<(Place, Option<PlaceOf<IpAddr>>)> {
        let of_network = || match network {
            Some(network) => self.networks.take(network, STRANGERS_OF_NETWORK_MAX).map(Some),
            None => Some(None),
        };
        match lane {
            Lane::Known => Some((self.known.take(KNOWN_MAX)?, None)),
            Lane::Stranger => Some((self.strangers.take(STRANGERS_MAX)?, of_network()?)),
            Lane::Suspect => Some((self.suspects.take(SUSPECTS_MAX)?, None)),
        }
    }
}

fn question(asked: &Asked<'_>) -> Option<Question> {
    let value = |bytes: &[u8]| {
        let mut value = HeaderValue::from_bytes(bytes).ok()?;
        value.set_sensitive(true);
        Some(value)
    };
    let optional = |bytes: Option<&[u8]>| bytes.map_or(Some(None), |bytes| value(bytes).map(Some));
    Some(Question {
        cluster: asked.cluster.clone(),
        realm: Arc::clone(asked.realm),
        authorization: value(asked.authorization)?,
        client_secret: optional(asked.client_secret)?,
        run_as: optional(asked.run_as)?,
        username: asked.username.map(str::to_owned),
    })
}
