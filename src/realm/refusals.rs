//! What was refused a moment ago, so that a client that repeats itself does not have it all weighed again.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

const ENTRIES_MAX: usize = 1024;

/// Refusals under their keys, of a bounded number; the oldest goes first.
pub(super) struct Refusals<K, V> {
    by_key: HashMap<K, (V, Instant)>,
    in_order: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V: Clone> Refusals<K, V> {
    /// What was said to this key, if that is not longer ago than `within`.
    pub(super) fn find(&self, key: &K, now: Instant, within: Duration) -> Option<V> {
        let (value, since) = self.by_key.get(key)?;
        (now.saturating_duration_since(*since) < within).then(|| value.clone())
    }

    pub(super) fn insert(&mut self, key: K, value: V, now: Instant) {
        if self.by_key.insert(key, (value, now)).is_some() {
            return;
        }
        self.in_order.push_back(key);
        if self.in_order.len() > ENTRIES_MAX
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.by_key.remove(&oldest);
        }
    }
}

impl<K, V> Default for Refusals<K, V> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), in_order: VecDeque::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn refusals_are_few_and_short() {
        let (mut refusals, begin) = (Refusals::default(), Instant::now());
        for key in 0..ENTRIES_MAX + 10 {
            refusals.insert(key, key, begin);
        }
        assert_eq!((refusals.by_key.len(), refusals.in_order.len()), (ENTRIES_MAX, ENTRIES_MAX));
        assert_eq!((refusals.find(&9, begin, SECOND), refusals.find(&10, begin, SECOND)), (None, Some(10)));
        assert_eq!(refusals.find(&10, begin + SECOND, SECOND), None);
        refusals.insert(10, 11, begin + SECOND);
        assert_eq!(refusals.find(&10, begin + SECOND, SECOND), Some(11));
        assert_eq!(refusals.in_order.len(), ENTRIES_MAX);
    }
}
