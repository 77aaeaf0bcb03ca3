//! Between stages 6 and 7: how many requests a principal may make.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::policy::{Account, Principal, Rights};
use crate::realm::Paces;
use crate::rejection::Rejection;

/// Principals that are told apart; beyond, those that use least are forgotten.
const PRINCIPALS_MAX: usize = 8192;
const SECOND: Duration = Duration::from_secs(1);

/// One worker's count of requests. Each worker gives its share of what a principal may have, so that none has to know of
/// the others.
pub(super) struct Throttle {
    worker_count: u32,
    paces: RefCell<Paces>,
}

impl Throttle {
    pub(super) fn new(worker_count: usize) -> Self {
        let worker_count = u32::try_from(worker_count.max(1)).unwrap_or(u32::MAX);
        Self { worker_count, paces: RefCell::new(Paces::new(PRINCIPALS_MAX)) }
    }

    /// `per_second` is what all workers give together; 0: no limit. A second's worth, but at least one request, may come
    /// at once.
    ///
    /// # Errors
    /// 429 with the time until there is room for the next one.
    pub(super) fn admit(&self, principal: &Principal, per_second: u32, now: Instant) -> Result<(), Rejection> {
        let Some(cost) = (SECOND * self.worker_count).checked_div(per_second) else { return Ok(()) };
        let burst = cost.max(SECOND);
        let mut paces = self.paces.borrow_mut();
        let wanted = paces.owed(key(principal), now) + cost;
        if wanted > burst {
            let (username, wait) = (principal.username.clone(), wanted.saturating_sub(burst));
            return Err(Rejection::Throttled { username, wait });
        }
        paces.charge(key(principal), cost, burst, now);
        Ok(())
    }
}

/// Users of one name in two realms are two principals; each API key is one of its own.
fn key(principal: &Principal) -> (&str, &str, Option<&str>) {
    let api_key = match &principal.rights {
        Rights::Cluster(rights) => match rights.account() {
            Account::ApiKey { id } => Some(id.as_str()),
            Account::User | Account::RunAs { .. } | Account::ServiceAccount => None,
        },
        Rights::Roles => None,
    };
    (&principal.realm.name, &principal.username, api_key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{ClusterRights, RealmRef};

    fn principal(realm: &str, username: &str, rights: Rights) -> Principal {
        Principal {
            username: username.to_owned(),
            realm: RealmRef { name: realm.to_owned(), kind: "file" },
            roles: Vec::new(),
            rights,
            groups: Vec::new(),
            full_name: None,
            email: None,
            metadata: std::collections::BTreeMap::new(),
        }
    }

    fn admitted(throttle: &Throttle, principal: &Principal, per_second: u32, now: Instant) -> usize {
        (0..1000).take_while(|_| throttle.admit(principal, per_second, now).is_ok()).count()
    }

    #[test]
    fn a_worker_gives_its_share_and_tells_how_long_to_wait() {
        let (throttle, begin) = (Throttle::new(4), Instant::now());
        let jane = principal("file1", "jane", Rights::Roles);
        assert_eq!(admitted(&throttle, &jane, 40, begin), 10);
        let Err(Rejection::Throttled { wait, .. }) = throttle.admit(&jane, 40, begin) else { panic!() };
        assert_eq!(wait, Duration::from_millis(100));
        assert_eq!(admitted(&throttle, &jane, 40, begin + Duration::from_millis(300)), 3);
        assert_eq!(admitted(&throttle, &jane, 40, begin + Duration::from_secs(60)), 10, "a second's worth at once");
        assert_eq!(admitted(&throttle, &jane, 0, begin), 1000, "no limit");
    }

    #[test]
    fn a_small_limit_over_many_workers_is_one_request_in_a_while() {
        let (throttle, begin) = (Throttle::new(8), Instant::now());
        let jane = principal("file1", "jane", Rights::Roles);
        assert_eq!(admitted(&throttle, &jane, 2, begin), 1);
        assert_eq!(admitted(&throttle, &jane, 2, begin + Duration::from_millis(3999)), 0);
        assert_eq!(admitted(&throttle, &jane, 2, begin + Duration::from_secs(4)), 1);
    }

    #[test]
    fn principals_do_not_use_each_others_share() {
        let (throttle, begin) = (Throttle::new(1), Instant::now());
        let of_key = |id: &str| Rights::Cluster(ClusterRights::new(Account::ApiKey { id: id.to_owned() }, |_| None));
        for other in [
            principal("file1", "jane", Rights::Roles),
            principal("file2", "jane", Rights::Roles),
            principal("file1", "joe", Rights::Roles),
            principal("file1", "jane", of_key("1")),
            principal("file1", "jane", of_key("2")),
        ] {
            assert_eq!(admitted(&throttle, &other, 5, begin), 5);
        }
    }
}
