//! Searches that find nothing: what is said of them, and when a datafeed gives up.
//!
//! Source: elasticsearch, `ProblemTracker.java`, `DatafeedRunner.java`, `Messages.java`.

use crate::node::ml::notification::Level;

/// Empty searches in a row after which it is told.
const TOLD_AFTER: u64 = 10;

/// Messages, in order.
type News = Vec<(Level, &'static str)>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
    /// Whether there ever was a document.
    seen: bool,
    /// Whether there was one since the start.
    found: bool,
    /// Searches in real time without a document, in a row.
    empty: u64,
    empty_max: Option<u64>,
}

impl Silence {
    pub(super) const fn new(seen: bool, empty_max: Option<u64>) -> Self {
        Self { seen, found: false, empty: 0, empty_max }
    }

    /// A page of several was read.
    pub(super) fn read(&mut self, found: bool) -> News {
        self.seen |= found;
        self.found |= found;
        Vec::new()
    }

    /// The last page of the look-back was read; `ends`: there is no real time after it.
    pub(super) fn looked_back(&mut self, found: bool, ends: bool) -> News {
        self.read(found);
        let mut news = vec![if self.found {
            (Level::Info, "Datafeed lookback completed")
        } else {
            (Level::Warning, "Datafeed lookback retrieved no data")
        }];
        if !ends {
            news.push((Level::Info, "Datafeed continued in real-time"));
        }
        news
    }

    /// The last page of a search in real time was read.
    pub(super) fn searched(&mut self, found: bool) -> News {
        self.read(found);
        let before = self.empty;
        self.empty = if found { 0 } else { before.saturating_add(1) };
        match self.empty {
            0 if before >= TOLD_AFTER => vec![(Level::Info, "Datafeed has started retrieving data again")],
            TOLD_AFTER => vec![(Level::Warning, "Datafeed has been retrieving no data for a while")],
            _ => Vec::new(),
        }
    }

    /// Whether a datafeed that never saw a document has searched often enough.
    pub(super) fn ends(&self) -> bool {
        !self.seen && self.empty_max.is_some_and(|most| self.empty >= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_its_end_too() {
        let mut silence = Silence::new(false, None);
        let told: usize = (0..30).map(|_| silence.searched(false).len()).sum();
        assert_eq!(told, 1);
        assert_eq!(silence.searched(true), [(Level::Info, "Datafeed has started retrieving data again")]);
        assert!(silence.searched(true).is_empty());
    }

    #[test]
    fn only_a_datafeed_that_never_saw_a_document_gives_up() {
        for (seen, empty_max, ends) in [(false, Some(2), true), (true, Some(2), false), (false, None, false)] {
            let mut silence = Silence::new(seen, empty_max);
            silence.looked_back(false, false);
            assert!(!silence.ends());
            silence.searched(false);
            silence.searched(false);
            assert_eq!(silence.ends(), ends);
        }
        let mut silence = Silence::new(false, Some(1));
        silence.read(true);
        silence.searched(false);
        assert!(!silence.ends());
    }
}
