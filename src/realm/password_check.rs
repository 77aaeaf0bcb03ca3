//! Passwords on their way to the verifier and back: one check a credential, however many requests present it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared, WeakShared};

use super::authorization::Basic;
use super::cache::Digest;
use super::file::password::PASSWORD_BYTES_MAX;
use super::realms::Realms;
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
    pub(super) basic: Basic,
    /// Requests with the same one share a check.
    pub(super) digest: Option<Digest>,
    pub(super) lane: Lane,
    pub(super) instant: Instant,
    pub(super) worker_count: usize,
}

type Check = Shared<LocalBoxFuture<'static, Outcome>>;
type Pending = HashMap<(u64, Digest), WeakShared<LocalBoxFuture<'static, Outcome>>>;

/// The checks of one worker that are under way.
#[derive(Default)]
pub(super) struct PasswordChecks {
    pending: Rc<RefCell<Pending>>,
    /// Checks of credentials that were never good: each worker has its share of the queue, so that those who guess on
    /// one connection do not fill it for all.
    strangers: Rc<Cell<usize>>,
}

impl PasswordChecks {
    pub(super) async fn ask(&self, question: Question<'_>) -> Outcome {
        let key = question.digest.map(|digest| (question.realms.generation(), digest));
        let pending = key.and_then(|key| self.pending.borrow().get(&key).and_then(WeakShared::upgrade));
        let check = match pending {
            Some(check) => check,
            None => match self.begin(question, key) {
                Ok(check) => check,
                Err(outcome) => return outcome,
            },
        };
        check.await
    }

    fn begin(&self, question: Question<'_>, key: Option<(u64, Digest)>) -> Result<Check, Outcome> {
        let Question { realms, basic, lane, instant, worker_count, .. } = question;
        let (hash, principal) = realms.candidate(&basic.username).ok_or(Outcome::NobodyAsked)?;
        if basic.password.len() > PASSWORD_BYTES_MAX {
            return Err(Outcome::Wrong);
        }
        let share = (realms.verifier.queue_length() / worker_count).max(1);
        let place = self.take_place(lane, share).ok_or(Outcome::Busy)?;
        let deadline = instant.checked_add(WAIT_MAX).unwrap_or(instant);
        let job = Job { password: basic.password, hash, deadline };
        let answer = realms.verifier.submit(job, lane).map_err(|_full| Outcome::Busy)?;
        let entry = key.map(|key| PendingEntry { pending: Rc::clone(&self.pending), key });
        let check = async move {
            let _until_answered = (place, entry);
            match answer.await {
                Ok(right) => principal.filter(|_| right).map_or(Outcome::Wrong, |one| Outcome::Right(Rc::new(one))),
                Err(_skipped) => Outcome::Busy,
            }
        };
        let check = check.boxed_local().shared();
        if let (Some(key), Some(weak)) = (key, check.downgrade()) {
            self.pending.borrow_mut().insert(key, weak);
        }
        Ok(check)
    }

    fn take_place(&self, lane: Lane, share: usize) -> Option<Option<Place>> {
        if lane == Lane::Known {
            return Some(None);
        }
        if self.strangers.get() >= share {
            return None;
        }
        self.strangers.set(self.strangers.get() + 1);
        Some(Some(Place(Rc::clone(&self.strangers))))
    }
}

/// A place among the strangers of a worker; given back when dropped.
struct Place(Rc<Cell<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Takes a check off the list, when it is answered or nobody waits for it any more.
struct PendingEntry {
    pending: Rc<RefCell<Pending>>,
    key: (u64, Digest),
}

impl Drop for PendingEntry {
    fn drop(&mut self) {
        self.pending.borrow_mut().remove(&self.key);
    }
}
