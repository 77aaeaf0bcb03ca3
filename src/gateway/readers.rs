//! Callers that do not take what is there for them: in HTTP/2 a stream whose window is closed blocks no socket.

use std::cell::RefCell;

use tokio::time::Instant;

/// The answers of one HTTP/2 connection that are under way. Their number is bounded by that of streams.
#[derive(Default)]
pub(super) struct Readers(RefCell<Vec<Place>>);

#[derive(Clone, Copy)]
enum Place {
    Free,
    /// The gateway or the node has to go on.
    Ours,
    /// The caller has to take something, since then.
    Theirs(Instant),
}

impl Readers {
    /// A place for one answer; give it back with [`Readers::leave`].
    pub(super) fn enter(&self) -> usize {
        let mut places = self.0.borrow_mut();
        let free = places.iter().position(|place| matches!(place, Place::Free));
        let index = free.unwrap_or(places.len());
        if free.is_none() {
            places.push(Place::Free);
        }
        drop(places);
        self.set(index, Place::Ours);
        index
    }

    /// Something has been handed over at that place, and nothing more was asked for.
    pub(super) fn handed_over(&self, index: usize) {
        self.set(index, Place::Theirs(Instant::now()));
    }

    /// More was asked for at that place, and is not there yet.
    pub(super) fn asked(&self, index: usize) {
        self.set(index, Place::Ours);
    }

    pub(super) fn leave(&self, index: usize) {
        self.set(index, Place::Free);
    }

    /// Since when the slowest caller takes nothing.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let waiting = |place: &Place| match place {
            Place::Theirs(since) => Some(*since),
            Place::Free | Place::Ours => None,
        };
        self.0.borrow().iter().filter_map(waiting).min()
    }

    fn set(&self, index: usize, to: Place) {
        if let Some(place) = self.0.borrow_mut().get_mut(index) {
            *place = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_slowest_counts_and_places_are_used_again() {
        let readers = Readers::default();
        let (first, second) = (readers.enter(), readers.enter());
        assert_eq!(readers.oldest(), None);
        let begin = Instant::now();
        readers.handed_over(first);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        readers.handed_over(second);
        assert_eq!(readers.oldest(), Some(begin));
        readers.asked(first);
        assert_eq!(readers.oldest(), Some(Instant::now()));
        readers.leave(second);
        assert_eq!(readers.oldest(), None);
        assert_eq!(readers.enter(), second);
    }
}
