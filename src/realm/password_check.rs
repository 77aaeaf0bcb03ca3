//! Passwords on their way to the verifier and back: one check a credential, however many requests present it.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::authorization::Basic;
use super::cache::Digest;
use super::file::password::PASSWORD_BYTES_MAX;
use super::realms::{Realms, Side};
use super::single_flight::{Flight, Place, PlaceOf, Places, PlacesEach, SingleFlight};
use super::verifier::{Job, Lane};
use crate::policy::Principal;

/// How long a request waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// What became of a password.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Right(Rc<Principal>),
    Wrong,
    /// It was not checked: too many others are waiting.
    Busy,
    /// No realm takes passwords.
    NobodyAsked,
}

/// A password to be checked.
pub(super) struct Question<'a> {
    pub(super) realms: &'a Arc<Realms>,
    /// The file realms of which side are asked.
    pub(super) side: Side,
    pub(super) basic: &'a Basic,
    /// Requests with the same one share a check.
    pub(super) digest: Option<Digest>,
    pub(super) lane: Lane,
    /// Where the request comes from, if it is known and not shared by many.
    pub(super) network: Option<IpAddr>,
    pub(super) instant: Instant,
    pub(super) worker_count: usize,
}

/// The checks of one worker that are under way.
#[derive(Default)]
pub(super) struct PasswordChecks {
    pending: SingleFlight<(u64, Side, Digest), Outcome>,
    /// Checks of credentials that were never good: each worker has its share of the queue, so that those who guess on
    /// one connection do not fill it for all.
    strangers: Places,
    /// Of which one network has a quarter, before its first guess is found wrong.
    networks: PlacesEach<IpAddr>,
    suspects: Places,
}

/// What a check holds until it is answered.
type Held = (Option<Place>, Option<PlaceOf<IpAddr>>);

impl PasswordChecks {
    pub(super) async fn ask(&self, question: Question<'_>) -> Outcome {
        let key = question.digest.map(|digest| (question.realms.generation(), question.side, digest));
        let check = match self.pending.join(key) {
            Some(check) => check,
            None => match self.begin(question, key) {
                Ok(check) => check,
                Err(outcome) => return outcome,
            },
        };
        check.await
    }

    fn begin(&self, question: Question<'_>, key: Option<(u64, Side, Digest)>) -> Result<Flight<Outcome>, Outcome> {
        let Question { realms, side, basic, lane, network, instant, worker_count, .. } = question;
        let (hash, principal) = realms.candidate(side, &basic.username).ok_or(Outcome::NobodyAsked)?;
        if basic.password.len() > PASSWORD_BYTES_MAX {
            return Err(Outcome::Wrong);
        }
        let share = (realms.verifier.queue_length() / worker_count).max(1);
        let place = self.take_place(lane, network, share).ok_or(Outcome::Busy)?;
        let deadline = instant.checked_add(WAIT_MAX).unwrap_or(instant);
        let job = Job { password: basic.password.clone(), hash, deadline };
        let answer = realms.verifier.submit(job, lane).map_err(|_full| Outcome::Busy)?;
        let check = async move {
            let _until_answered = place;
            match answer.await {
                Ok(right) => principal.filter(|_| right).map_or(Outcome::Wrong, |one| Outcome::Right(Rc::new(one))),
                Err(_skipped) => Outcome::Busy,
            }
        };
        Ok(self.pending.start(key, check))
    }

    fn take_place(&self, lane: Lane, network: Option<IpAddr>, share: usize) -> Option<Held> {
        let of_network = || match network {
            Some(network) => self.networks.take(network, (share / 4).max(1)).map(Some),
            None => Some(None),
        };
        match lane {
            Lane::Known => Some((None, None)),
            Lane::Stranger => Some((Some(self.strangers.take(share)?), of_network()?)),
            Lane::Suspect => Some((Some(self.suspects.take(share)?), None)),
        }
    }
}
