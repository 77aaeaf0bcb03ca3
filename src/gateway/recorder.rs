//! Where a worker's records go: counters in plain cells of its own, read by others through a copy.

use std::cell::Cell;

use super::trail::{Outcome, Record};

/// Counts of one worker since its start.
#[derive(Default)]
pub struct Recorder {
    forwarded: Cell<u64>,
    answered: Cell<u64>,
    refused: Cell<u64>,
    broken: Cell<u64>,
    left: Cell<u64>,
    unparsed: Cell<u64>,
    turned_away: Cell<u64>,
}

/// A copy of the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub forwarded: u64,
    pub answered: u64,
    pub refused: u64,
    pub broken: u64,
    pub left: u64,
    /// Heads that were no HTTP, too long or too large.
    pub unparsed: u64,
    /// Connections over a limit.
    pub turned_away: u64,
}

impl Recorder {
    pub(super) fn record(&self, record: &Record) {
        let counter = match record.outcome {
            Outcome::Forwarded => &self.forwarded,
            Outcome::Answered => &self.answered,
            Outcome::Refused(_) => &self.refused,
            Outcome::Broken => &self.broken,
            Outcome::CallerLeft => &self.left,
        };
        count(counter);
    }

    /// A head that hyper could not parse was answered with `status`.
    pub(super) fn unparsed(&self, _status: u16) {
        count(&self.unparsed);
    }

    /// A connection was closed at once, since there were too many.
    pub(super) fn turned_away(&self) {
        count(&self.turned_away);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            forwarded: self.forwarded.get(),
            answered: self.answered.get(),
            refused: self.refused.get(),
            broken: self.broken.get(),
            left: self.left.get(),
            unparsed: self.unparsed.get(),
            turned_away: self.turned_away.get(),
        }
    }
}

fn count(counter: &Cell<u64>) {
    counter.set(counter.get().wrapping_add(1));
}
