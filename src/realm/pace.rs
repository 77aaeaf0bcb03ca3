//! How often somebody does something, for a bounded number of somebodies.

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::{Duration, Instant};

/// Entries that are looked at for one key: they share a set, and so does the place of a new one.
const WAYS: usize = 8;

/// Who has used how much of what is allowed: each use costs some time, and the time owed runs off by itself.
///
/// A table of fixed size, made at the first use. When a set is full, the entry that owes least goes: whoever floods it with
/// new keys makes it forget those that matter least, and its own.
///
/// Source: the generic cell rate algorithm (ITU-T I.371), a leaky bucket that is one point in time.
pub struct Paces {
    hasher: RandomState,
    sets: usize,
    entries: Vec<Option<Entry>>,
}

#[derive(Clone, Copy)]
struct Entry {
    key: u64,
    /// Nothing is owed any more from then on.
    free_at: Instant,
    last: Instant,
}

impl Paces {
    /// For about `capacity` keys.
    pub fn new(capacity: usize) -> Self {
        Self { hasher: RandomState::new(), sets: capacity.div_ceil(WAYS).max(1), entries: Vec::new() }
    }

    /// The time that is owed.
    pub fn owed(&self, key: impl Hash, now: Instant) -> Duration {
        self.find(&key).map_or(Duration::ZERO, |entry| entry.free_at.saturating_duration_since(now))
    }

    /// When it was charged last, if that is remembered.
    pub fn last(&self, key: impl Hash) -> Option<Instant> {
        self.find(&key).map(|entry| entry.last)
    }

    /// Adds to what is owed, at most up to `most`.
    pub fn charge(&mut self, key: impl Hash, cost: Duration, most: Duration, now: Instant) {
        if self.entries.is_empty() {
            self.entries = vec![None; self.sets * WAYS];
        }
        let hash = self.hasher.hash_one(&key);
        let free_at = self.find(&key).map_or(now, |entry| entry.free_at.max(now));
        let owed = free_at.saturating_duration_since(now).saturating_add(cost).min(most);
        let entry = Entry { key: hash, free_at: now.checked_add(owed).unwrap_or(now), last: now };
        if let Some(place) = self.place(hash) {
            *place = Some(entry);
        }
    }

    fn find(&self, key: &impl Hash) -> Option<Entry> {
        let hash = self.hasher.hash_one(key);
        let set = self.entries.chunks_exact(WAYS).nth(self.set(hash))?;
        set.iter().flatten().find(|entry| entry.key == hash).copied()
    }

    /// The place of a key: its own, a free one, or that of the entry that is forgotten for it.
    fn place(&mut self, hash: u64) -> Option<&mut Option<Entry>> {
        let set = self.set(hash);
        let set = self.entries.chunks_exact_mut(WAYS).nth(set)?;
        let at = set.iter().position(|entry| entry.is_some_and(|entry| entry.key == hash));
        let at = at.or_else(|| {
            let by_debt = |(_, entry): &(usize, &Option<Entry>)| entry.map(|entry| (entry.free_at, entry.last));
            set.iter().enumerate().min_by_key(by_debt).map(|(at, _)| at)
        });
        set.get_mut(at?)
    }

    fn set(&self, hash: u64) -> usize {
        let sets = u64::try_from(self.sets).unwrap_or(1);
        usize::try_from(hash % sets).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn what_is_owed_adds_up_and_runs_off() {
        let (mut paces, begin) = (Paces::new(100), Instant::now());
        assert_eq!((paces.owed("a", begin), paces.last("a")), (Duration::ZERO, None));
        for _ in 0..3 {
            paces.charge("a", SECOND, HOUR, begin);
        }
        assert_eq!(paces.owed("a", begin), 3 * SECOND);
        assert_eq!(paces.owed("b", begin), Duration::ZERO);
        assert_eq!(paces.owed("a", begin + 2 * SECOND), SECOND);
        paces.charge("a", SECOND, HOUR, begin + 10 * SECOND);
        assert_eq!(paces.owed("a", begin + 10 * SECOND), SECOND, "idle time is not saved up");
        assert_eq!(paces.last("a"), Some(begin + 10 * SECOND));
        paces.charge("a", HOUR, 5 * SECOND, begin + 10 * SECOND);
        assert_eq!(paces.owed("a", begin + 10 * SECOND), 5 * SECOND, "there is a most");
    }

    #[test]
    fn a_flood_of_keys_takes_no_more_memory_and_forgets_who_owes_least() {
        let (mut paces, begin) = (Paces::new(1600), Instant::now());
        for guesser in 0..20 {
            for _ in 0..5 {
                paces.charge(("guesser", guesser), SECOND, HOUR, begin);
            }
        }
        for stranger in 0..20_000 {
            paces.charge(("stranger", stranger), SECOND, HOUR, begin);
        }
        assert_eq!(paces.entries.len(), 1600);
        let kept = (0..20).filter(|guesser| paces.owed(("guesser", *guesser), begin) == 5 * SECOND).count();
        assert_eq!(kept, 20);
    }
}
