//! Passwords on their way to the verifier and back: one check a credential, however many requests present it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared, WeakShared};

use super::authorization::Basic;
use super::cache::Digest;
use super::file::FileRealm;
use super::file::password::{PASSWORD_BYTES_MAX, PasswordHash};
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
    /// Decides which hash an unknown user is checked against.
    decoys: std::hash::RandomState,
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
        let (hash, principal) = self.candidate(realms, &basic.username).ok_or(Outcome::NobodyAsked)?;
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

    /// The hash to check against, and who it is then; nobody for an unknown user. `None` without a file realm.
    ///
    /// An unknown user is checked against the hash of some user of the file, always the same one, so that the time of
    /// the answer tells nothing, whatever forms and costs the file mixes.
    fn candidate(&self, realms: &Realms, username: &str) -> Option<(Arc<PasswordHash>, Option<Principal>)> {
        if let Some((hash, principal)) = realms.files().find_map(|file| file.find(username)) {
            return Some((hash, Some(principal)));
        }
        let count = realms.files().flat_map(FileRealm::hashes).count().max(1) as u64;
        let choice = usize::try_from(self.decoys.hash_one(username) % count).unwrap_or_default();
        let of_a_user = realms.files().flat_map(FileRealm::hashes).nth(choice).cloned();
        of_a_user.or_else(|| realms.files().next().map(FileRealm::decoy)).map(|hash| (hash, None))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realm::role_mapping::RoleMapping;
    use crate::realm::{CacheSettings, RealmSettings, Required, Settings, Verifier, file};

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
            role_mapping: RoleMapping::default(),
        };
        Realms::build(&settings, Arc::new(Verifier::start(1, 1).unwrap())).unwrap()
    }

    #[test]
    fn an_unknown_user_costs_what_some_user_of_the_file_costs() {
        let bcrypt = "$2a$12$abcdefghijklmnopqrstuuKwIlPvyLlw8e74Johhjece.ndnfSP1S";
        let realms = realms(&format!("elastic:{bcrypt}\nreader:{bcrypt}\n"));
        let checks = PasswordChecks::default();
        for name in ["nobody", "root", ""] {
            let (hash, principal) = checks.candidate(&realms, name).unwrap();
            assert_eq!((hash.as_ref(), principal), (&PasswordHash::parse(bcrypt).unwrap(), None));
            assert!(Arc::ptr_eq(&hash, &checks.candidate(&realms, name).unwrap().0), "always the same");
        }
        assert!(checks.candidate(&realms, "elastic").unwrap().1.is_some());
    }

    #[test]
    fn an_empty_file_costs_what_a_new_hash_costs() {
        let (hash, principal) = PasswordChecks::default().candidate(&realms(""), "elastic").unwrap();
        assert_eq!((hash.as_ref(), principal), (&PasswordHash::decoy(), None));
    }
}
