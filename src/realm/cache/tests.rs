use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::policy::{RealmRef, Rights};

const LONG: Duration = Duration::from_secs(60);

fn entry(name: &str, renew_at: Instant) -> Entry {
    let principal = Principal {
        username: name.to_owned(),
        realm: RealmRef { name: "file1".to_owned(), kind: "file" },
        roles: Vec::new(),
        rights: Rights::Roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
    };
    Entry { principal: Rc::new(principal), renew_at, ends_at: None, key: None, basis: Basis::AllSettings }
}

fn digest(number: u64) -> Digest {
    DigestKey(hmac::Key::new(hmac::HMAC_SHA256, b"a fixed key")).digest(&number.to_le_bytes(), &[])
}

fn name_of(known: Known) -> Option<String> {
    match known {
        Known::Fresh(principal) => Some(principal.username.clone()),
        Known::Earlier(_) | Known::Stale | Known::Nothing => None,
    }
}

#[test]
fn digests_depend_on_the_key_and_on_both_secrets() {
    let (key, other) = (DigestKey::random().unwrap(), DigestKey::random().unwrap());
    assert_eq!(key.digest(b"Basic eA==", &[]), key.digest(b"Basic eA==", &[]));
    assert_ne!(key.digest(b"Basic eA==", &[]), other.digest(b"Basic eA==", &[]));
    let all = [
        key.digest(b"a", &[]),
        key.digest(b"a", &[Some(b"")]),
        key.digest(b"a", &[Some(b"b")]),
        key.digest(b"ab", &[]),
        key.digest(b"", &[Some(b"ab")]),
        key.digest(b"a", &[None]),
        key.digest(b"a", &[None, Some(b"b")]),
        key.digest(b"a", &[Some(b"b"), None]),
    ];
    for (index, left) in all.iter().enumerate() {
        assert!(all[..index].iter().all(|right| left != right));
    }
}

#[test]
fn entries_go_stale_by_either_clock() {
    let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + LONG);
    let mut cache = Cache::new(4);
    cache.insert(digest(1), Entry { ends_at: Some(wall + Duration::from_secs(5)), ..entry("a", start + LONG) });
    assert!(matches!(cache.find(&digest(2), start, wall), Known::Nothing));
    assert!(matches!(cache.find(&digest(1), start, wall + Duration::from_secs(4)), Known::Fresh(_)));
    assert!(matches!(cache.find(&digest(1), start, wall + Duration::from_secs(5)), Known::Stale));
    assert!(matches!(cache.find(&digest(1), start + LONG, wall), Known::Stale));
    cache.insert(digest(1), entry("b", start + LONG + LONG));
    assert_eq!(name_of(cache.find(&digest(1), start + LONG, wall)).as_deref(), Some("b"));
}

#[test]
fn what_a_reload_leaves_is_good_for_no_longer_than_before() {
    let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH);
    let mut cache = Cache::new(4);
    cache.insert(digest(1), entry("a", start + LONG));
    cache.withdraw_all();
    assert!(matches!(cache.find(&digest(1), start, wall), Known::Earlier(_)));
    assert!(matches!(cache.find(&digest(1), start + LONG, wall), Known::Stale));
    cache.confirm(&digest(1), start + LONG + LONG);
    assert!(matches!(cache.find(&digest(1), start, wall), Known::Fresh(_)));
    assert!(matches!(cache.find(&digest(1), start + LONG, wall), Known::Stale));
    cache.withdraw_all();
    cache.confirm(&digest(1), start + LONG / 2);
    assert!(matches!(cache.find(&digest(1), start + LONG / 2, wall), Known::Stale), "the time to live is shorter now");
}

#[test]
fn what_is_used_outlives_what_is_not() {
    let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH);
    let mut cache = Cache::new(4);
    for number in 0..4 {
        cache.insert(digest(number), entry("x", start + LONG));
    }
    for number in 4..100 {
        assert!(name_of(cache.find(&digest(0), start, wall)).is_some(), "{number}");
        cache.insert(digest(number), entry("x", start + LONG));
    }
    let kept = (0..100).filter(|number| name_of(cache.find(&digest(*number), start, wall)).is_some()).count();
    assert_eq!(kept, 4);
}

#[test]
fn a_cache_without_room_remembers_nothing() {
    let start = Instant::now();
    let mut cache = Cache::new(0);
    cache.insert(digest(1), entry("x", start + LONG));
    assert!(matches!(cache.find(&digest(1), start, SystemTime::UNIX_EPOCH), Known::Nothing));
}

proptest! {
    /// Against a map that never forgets: what is found is what was put in last, and there is never too much of it.
    #[test]
    fn agrees_with_a_map_on_what_it_still_has(capacity in 0_usize..6, steps in proptest::collection::vec((0_u64..12, any::<bool>()), 0..200)) {
        let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH);
        let (mut cache, mut model) = (Cache::new(capacity), HashMap::new());
        for (step, (number, insert)) in steps.into_iter().enumerate() {
            if insert {
                cache.insert(digest(number), entry(&step.to_string(), start + LONG));
                model.insert(number, step.to_string());
                if capacity > 0 {
                    prop_assert!(name_of(cache.find(&digest(number), start, wall)).is_some());
                }
            } else if let Some(name) = name_of(cache.find(&digest(number), start, wall)) {
                prop_assert_eq!(Some(&name), model.get(&number));
            }
            prop_assert!(cache.slots.len() <= capacity && cache.index.len() == cache.slots.len());
        }
    }
}

proptest! {
    /// Against a list of what was put in and forgotten since.
    #[test]
    fn what_is_forgotten_is_gone_and_nothing_else(steps in prop::collection::vec((any::<bool>(), 0_u64..12), 0..80)) {
        let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH);
        let mut cache = Cache::new(16);
        let mut there = std::collections::BTreeSet::new();
        for (put, number) in steps {
            if put {
                cache.insert(digest(number), entry(&number.to_string(), start + LONG));
                there.insert(number);
            } else {
                cache.forget(&digest(number));
                there.remove(&number);
            }
        }
        for number in 0..12 {
            let found = name_of(cache.find(&digest(number), start, wall));
            prop_assert_eq!(found, there.contains(&number).then(|| number.to_string()));
        }
    }
}
