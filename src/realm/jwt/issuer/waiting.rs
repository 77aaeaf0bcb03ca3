//! Requests whose token is signed by a key that has not been fetched yet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::IssuerKeys;
use crate::realm::jwt::keys::KeySet;

/// Longest wait of a request for a fetch.
pub const WAIT_MAX: Duration = Duration::from_secs(10);

/// Requests of one realm that may wait at a time.
const WAITING_MAX: usize = 1000;
/// Of which one network has so many: whoever makes up key ids leaves places to others.
const WAITING_OF_NETWORK_MAX: usize = WAITING_MAX / 4;

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

/// Who waits, of all workers; a bounded number. Its lock is held for a count only, and is not on the way of tokens whose
/// key is known.
#[derive(Default)]
pub(super) struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    networks: HashMap<IpAddr, usize>,
}

/// One of them; given back when dropped.
struct Place<'a> {
    places: &'a Places,
    network: Option<IpAddr>,
}

impl Places {
    /// `network`: where the request comes from, if that is known and not shared by many.
    fn take(&self, network: Option<IpAddr>) -> Option<Place<'_>> {
        let mut taken = self.lock();
        if taken.all >= WAITING_MAX {
            return None;
        }
        if let Some(network) = network {
            let count = taken.networks.entry(network).or_default();
            if *count >= WAITING_OF_NETWORK_MAX {
                return None;
            }
            *count += 1;
        }
        taken.all += 1;
        Some(Place { places: self, network })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all = taken.all.saturating_sub(1);
        let Some(network) = self.network else { return };
        if let Some(count) = taken.networks.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.networks.remove(&network);
            }
        }
    }
}

impl IssuerKeys {
    /// Asks for a fetch and waits until `enough` of the keys, or until a fetch that began after the question has ended.
    ///
    /// False: no fetch is near, or too many wait already; then nothing has been waited for.
    pub(in crate::realm::jwt) async fn renewed(
        &self,
        network: Option<IpAddr>,
        enough: impl Fn(&KeySet) -> bool,
    ) -> bool {
        let Some(_place) = self.places.take(network) else { return false };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_has_a_share_and_all_have_an_end() {
        let places = Places::default();
        let network = |last: u8| Some(IpAddr::from([10, 0, 0, last]));
        let mut taken: Vec<_> = (0..WAITING_MAX).map(|_| places.take(network(1))).collect();
        taken.retain(Option::is_some);
        assert_eq!(taken.len(), WAITING_OF_NETWORK_MAX);
        taken.extend((0..WAITING_MAX).map(|_| places.take(network(2))));
        taken.extend((0..WAITING_MAX).map(|_| places.take(None)));
        taken.retain(Option::is_some);
        assert_eq!(taken.len(), WAITING_MAX);
        assert!(places.take(network(3)).is_none());
        drop(taken);
        let left = places.lock();
        assert!(left.all == 0 && left.networks.is_empty(), "a network without a place takes no memory");
    }
}
