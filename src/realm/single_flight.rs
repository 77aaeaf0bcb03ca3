//! Work that many may ask for at the same time and that is done once; and how much of it at a time.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared, WeakShared};

/// The work of one worker that is under way, a piece a key. A piece whose askers have all left is given up.
pub(super) struct SingleFlight<K, T: Clone> {
    pending: Rc<RefCell<HashMap<K, WeakShared<LocalBoxFuture<'static, T>>>>>,
}

/// One asker's share in a piece of work.
pub(super) type Flight<T> = Shared<LocalBoxFuture<'static, T>>;

impl<K: Copy + Eq + Hash + 'static, T: Clone + 'static> SingleFlight<K, T> {
    /// The work that is under way for this key.
    pub(super) fn join(&self, key: Option<K>) -> Option<Flight<T>> {
        self.pending.borrow().get(&key?).and_then(WeakShared::upgrade)
    }

    /// Begins work; with a key others can join it.
    pub(super) fn start(&self, key: Option<K>, work: impl Future<Output = T> + 'static) -> Flight<T> {
        let listed = key.map(|key| Listed { pending: Rc::clone(&self.pending), key });
        let flight = async move {
            let _until_done = listed;
            work.await
        };
        let flight = flight.boxed_local().shared();
        if let (Some(key), Some(weak)) = (key, flight.downgrade()) {
            self.pending.borrow_mut().insert(key, weak);
        }
        flight
    }
}

impl<K, T: Clone> Default for SingleFlight<K, T> {
    fn default() -> Self {
        Self { pending: Rc::default() }
    }
}

/// Takes a piece off the list, when it is done or nobody waits for it any more.
struct Listed<K: Copy + Eq + Hash, T: Clone> {
    pending: Rc<RefCell<HashMap<K, WeakShared<LocalBoxFuture<'static, T>>>>>,
    key: K,
}

impl<K: Copy + Eq + Hash, T: Clone> Drop for Listed<K, T> {
    fn drop(&mut self) {
        self.pending.borrow_mut().remove(&self.key);
    }
}

/// Places of one worker, of a bounded number.
#[derive(Default)]
pub(super) struct Places(Rc<Cell<usize>>);

/// One of them; given back when dropped.
pub(super) struct Place(Rc<Cell<usize>>);

impl Places {
    /// `None` when `most` are taken.
    pub(super) fn take(&self, most: usize) -> Option<Place> {
        if self.0.get() >= most {
            return None;
        }
        self.0.set(self.0.get() + 1);
        Some(Place(Rc::clone(&self.0)))
    }
}

/// Places of which each key may have some.
pub(super) struct PlacesEach<K>(Rc<RefCell<HashMap<K, usize>>>);

/// One of them; given back when dropped.
pub(super) struct PlaceOf<K: Copy + Eq + Hash> {
    taken: Rc<RefCell<HashMap<K, usize>>>,
    key: K,
}

impl<K: Copy + Eq + Hash> PlacesEach<K> {
    /// `None` when this key has taken `most`.
    pub(super) fn take(&self, key: K, most: usize) -> Option<PlaceOf<K>> {
        let mut taken = self.0.borrow_mut();
        let count = taken.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(PlaceOf { taken: Rc::clone(&self.0), key })
    }
}

impl<K> Default for PlacesEach<K> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<K: Copy + Eq + Hash> Drop for PlaceOf<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.borrow_mut();
        if let Some(count) = taken.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_with_one_key_is_done_once_and_given_up_when_nobody_waits() {
        let flights = SingleFlight::<u8, u8>::default();
        let done = Rc::new(Cell::new(0));
        let work = |answer: u8| {
            let done = Rc::clone(&done);
            async move {
                done.set(done.get() + 1);
                answer
            }
        };
        let first = flights.start(Some(1), work(10));
        let second = flights.join(Some(1)).unwrap();
        assert!(flights.join(Some(2)).is_none() && flights.join(None).is_none());
        assert_eq!((second.now_or_never(), first.now_or_never(), done.get()), (Some(10), Some(10), 1));
        assert!(flights.join(Some(1)).is_none(), "it is done");
        drop(flights.start(Some(3), work(30)));
        assert!(flights.join(Some(3)).is_none() && done.get() == 1, "nobody waited");
    }

    #[test]
    fn places_are_given_back() {
        let places = Places::default();
        let taken = (places.take(2), places.take(2));
        assert!(taken.0.is_some() && taken.1.is_some() && places.take(2).is_none());
        drop(taken);
        assert!(places.take(1).is_some());
        let each = PlacesEach::default();
        let taken = each.take("a", 1);
        assert!(taken.is_some() && each.take("a", 1).is_none() && each.take("b", 1).is_some());
        drop(taken);
        assert!(each.0.borrow().is_empty(), "a key without a place takes no memory");
    }
}
