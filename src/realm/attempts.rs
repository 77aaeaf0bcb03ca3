//! Who guesses: failed attempts by address and by user name, as one worker sees them.
//!
//! A guess from an address over its limit is answered as a wrong one, whatever it is, after the work that a wrong one
//! costs: the guesser does not learn whether it was right, nor that it was not weighed. Too many wrong passwords for one
//! name do not lock that name: they take the second guess from each address, never the first.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use super::cache::Digest;
use super::pace::Paces;
use super::refusals::Refusals;
use super::verifier::Lane;

/// Addresses, and user names, that are remembered.
const REMEMBERED_MAX: usize = 8192;

/// How many attempts may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Above zero.
    pub window: Duration,
    /// In a window, of one address and worker; zero: no limit.
    pub per_address: u32,
    /// In a window, of one user name and worker; zero: no limit.
    pub per_user: u32,
}

impl AttemptLimits {
    /// Whether an attempt from there may be one that is not weighed.
    pub(super) const fn limits(&self, address: Option<IpAddr>) -> bool {
        (self.per_address > 0 || self.per_user > 0) && address.is_some()
    }
}

/// The failed attempts of one worker.
pub(super) struct Attempts(RefCell<Known>);

struct Known {
    addresses: Paces,
    names: Paces,
    /// A client that repeats a wrong credential does not guess.
    counted: Refusals<Digest, ()>,
}

/// Where an attempt comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// `None`: many callers stand behind it, or it is not known.
    pub(super) address: Option<IpAddr>,
    /// Of Basic credentials.
    pub(super) username: Option<&'a str>,
    pub(super) digest: Option<Digest>,
    pub(super) instant: Instant,
}

/// What is made of an attempt by where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is weighed, in this lane.
    Weighed(Lane),
    /// It is wrong, whatever it is.
    Limited,
}

impl Attempts {
    pub(super) fn standing(&self, limits: AttemptLimits, origin: Origin<'_>) -> Standing {
        let known = self.0.borrow();
        let Origin { address, username, instant, .. } = origin;
        let Some(address) = address.map(network) else { return Standing::Weighed(Lane::Stranger) };
        let failed_lately =
            known.addresses.last(address).is_some_and(|last| instant.saturating_duration_since(last) < limits.window);
        let address_over = is_over(&known.addresses, address, limits.per_address, limits.window, instant);
        let name_over =
            username.is_some_and(|name| is_over(&known.names, name, limits.per_user, limits.window, instant));
        match (address_over || (name_over && failed_lately), failed_lately) {
            (true, _) => Standing::Limited,
            (false, true) => Standing::Weighed(Lane::Suspect),
            (false, false) => Standing::Weighed(Lane::Stranger),
        }
    }

    /// An attempt was weighed and found wrong.
    pub(super) fn failed(&self, limits: AttemptLimits, origin: Origin<'_>) {
        let mut known = self.0.borrow_mut();
        let Origin { address, username, digest, instant } = origin;
        if let Some(digest) = digest {
            if known.counted.find(&digest, instant, limits.window).is_some() {
                return;
            }
            known.counted.insert(digest, (), instant);
        }
        if let Some(address) = address.map(network) {
            let was_over = is_over(&known.addresses, address, limits.per_address, limits.window, instant);
            charge(&mut known.addresses, address, limits.per_address, limits.window, instant);
            if !was_over && is_over(&known.addresses, address, limits.per_address, limits.window, instant) {
                tracing::warn!(source.ip = %address, "too many failed attempts: what this address presents anew is answered 401 for a while");
            }
        }
        if let Some(name) = username {
            charge(&mut known.names, name, limits.per_user, limits.window, instant);
        }
    }
}

impl Default for Attempts {
    fn default() -> Self {
        let (addresses, names) = (Paces::new(REMEMBERED_MAX), Paces::new(REMEMBERED_MAX));
        Self(RefCell::new(Known { addresses, names, counted: Refusals::default() }))
    }
}

fn is_over(paces: &Paces, key: impl std::hash::Hash, limit: u32, window: Duration, now: Instant) -> bool {
    limit > 0 && paces.owed(key, now) + window / limit > window
}

/// Attempts that were under way together may go over the limit; what is owed for them has an end.
fn charge(paces: &mut Paces, key: impl std::hash::Hash, limit: u32, window: Duration, now: Instant) {
    paces.charge(key, window / limit.max(1), window.saturating_mul(2), now);
}

/// Whoever has one address of IPv6 has at least 2^64 of them.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AttemptLimits = AttemptLimits { window: Duration::from_secs(60), per_address: 6, per_user: 3 };
    const WEIGHED: Standing = Standing::Weighed(Lane::Stranger);
    const SUSPECT: Standing = Standing::Weighed(Lane::Suspect);

    fn from(address: &str, username: &'static str, guess: u8, instant: Instant) -> Origin<'static> {
        let address = Some(address.parse().unwrap());
        Origin { address, username: Some(username), digest: Some([guess; 32]), instant }
    }

    #[test]
    fn an_address_is_limited_after_its_failures_and_free_again_in_time() {
        let (attempts, begin) = (Attempts::default(), Instant::now());
        for guess in 0..6 {
            let name = ["a", "b", "c"][usize::from(guess) % 3];
            assert_ne!(attempts.standing(LIMITS, from("10.0.0.1", name, guess, begin)), Standing::Limited, "{guess}");
            attempts.failed(LIMITS, from("10.0.0.1", name, guess, begin));
        }
        assert_eq!(attempts.standing(LIMITS, from("10.0.0.1", "z", 99, begin)), Standing::Limited);
        assert_eq!(attempts.standing(LIMITS, from("10.0.0.2", "z", 99, begin)), WEIGHED);
        let later = begin + Duration::from_secs(11);
        assert_eq!(attempts.standing(LIMITS, from("10.0.0.1", "z", 99, later)), SUSPECT);
        assert_eq!(attempts.standing(LIMITS, from("10.0.0.1", "z", 99, begin + LIMITS.window)), WEIGHED);
    }

    #[test]
    fn a_guessed_name_is_not_locked_for_an_address_that_has_not_failed() {
        let (attempts, begin) = (Attempts::default(), Instant::now());
        for guess in 0..200 {
            let address = format!("10.0.1.{guess}");
            assert_eq!(attempts.standing(LIMITS, from(&address, "elastic", guess, begin)), WEIGHED);
            attempts.failed(LIMITS, from(&address, "elastic", guess, begin));
        }
        assert_eq!(
            attempts.standing(LIMITS, from("10.0.1.7", "elastic", 250, begin)),
            Standing::Limited,
            "a second guess"
        );
        assert_eq!(attempts.standing(LIMITS, from("10.0.1.7", "other", 250, begin)), SUSPECT);
        assert_eq!(attempts.standing(LIMITS, from("10.0.9.9", "elastic", 250, begin)), WEIGHED);
    }

    #[test]
    fn a_client_that_repeats_itself_is_counted_once() {
        let (attempts, begin) = (Attempts::default(), Instant::now());
        for _ in 0..100 {
            attempts.failed(LIMITS, from("10.0.0.1", "agent", 1, begin));
        }
        assert_eq!(attempts.standing(LIMITS, from("10.0.0.1", "agent", 2, begin)), SUSPECT);
    }

    #[test]
    fn one_network_of_ipv6_is_one_address_and_a_proxy_none() {
        let (attempts, begin) = (Attempts::default(), Instant::now());
        for guess in 0..6 {
            attempts.failed(LIMITS, from(&format!("2001:db8::{guess}"), "a", guess, begin));
        }
        assert_eq!(attempts.standing(LIMITS, from("2001:db8::ffff", "b", 99, begin)), Standing::Limited);
        assert_eq!(attempts.standing(LIMITS, from("2001:db8:0:1::1", "b", 99, begin)), WEIGHED);
        let proxy = Origin { address: None, ..from("::1", "a", 99, begin) };
        assert_eq!(attempts.standing(LIMITS, proxy), WEIGHED);
    }

    #[test]
    fn zero_is_no_limit() {
        let none = AttemptLimits { per_address: 0, per_user: 0, ..LIMITS };
        let (attempts, begin) = (Attempts::default(), Instant::now());
        for guess in 0..100 {
            attempts.failed(none, from("10.0.0.1", "a", guess, begin));
        }
        assert_eq!(attempts.standing(none, from("10.0.0.1", "a", 200, begin)), SUSPECT);
    }
}
