//! Requests whose token is signed by a key that has not been fetched yet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::IssuerKeys;
use crate::realm::jwt::keys::KeySet;

/// Longest wait of a request for a fetch.
pub const WAIT_MAX: Duration = Duration::from_secs(10);

/// Requests of one realm that may wait at a time.
const WAITING_MAX: usize = 1000;

/// Fetches that have begun and ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetches {
    begun: u64,
    ended: u64,
}

impl Fetches {
    pub(super) const fn begin(&mut self) {
        self.begun += 1;
    }

    pub(super) const fn end(&mut self) {
        self.ended = self.begun;
    }
}

/// Who waits; a bounded number.
#[derive(Default)]
pub(super) struct Places(AtomicUsize);

struct Place<'a>(&'a Places);

impl Places {
    fn take(&self) -> Option<Place<'_>> {
        let place = Place(self);
        (self.0.fetch_add(1, Ordering::Relaxed) < WAITING_MAX).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl IssuerKeys {
    /// Asks for a fetch and waits until `enough` of the keys, or until a fetch that began after the question has ended.
    ///
    /// False: no fetch is near, or too many wait already; then nothing has been waited for.
    pub(in crate::realm::jwt) async fn renewed(&self, enough: impl Fn(&KeySet) -> bool) -> bool {
        let Some(_place) = self.places.take() else { return false };
        let mut fetches = self.fetches.subscribe();
        let Fetches { begun, ended } = *fetches.borrow_and_update();
        let near = self.view.load().timing.earliest <= Instant::now() + WAIT_MAX;
        if begun == ended && !near {
            return false;
        }
        self.asked.notify_one();
        let renewed = fetches.wait_for(|now| now.ended > begun || (now.ended > ended && self.look(&enough)));
        timeout(WAIT_MAX, renewed).await.is_ok()
    }
}
