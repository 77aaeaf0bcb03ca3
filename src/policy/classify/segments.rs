//! A path cut at its slashes.

/// Segments kept; no route is deeper.
pub(in crate::policy) const SEGMENTS_KEPT: usize = 10;

/// The first segments of a path, and how many there are. No allocation, whatever the path.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) struct Segments<'a> {
    kept: [&'a [u8]; SEGMENTS_KEPT],
    count: usize,
    /// Of those that are not kept, how many are not empty.
    filled_beyond: usize,
}

impl<'a> Segments<'a> {
    pub(in crate::policy) const EMPTY: Self = Self { kept: [b""; SEGMENTS_KEPT], count: 0, filled_beyond: 0 };

    /// Cuts as Java's `String.split` does: inner empty segments stay, those at the end vanish. The slash in front
    /// makes no segment.
    pub(in crate::policy) fn split(path: &'a [u8]) -> Self {
        let mut segments = Self::EMPTY;
        for segment in path.strip_prefix(b"/").unwrap_or(path).split(|byte| *byte == b'/') {
            segments.push(segment);
        }
        segments.without_empty_end()
    }

    pub(in crate::policy) fn push(&mut self, segment: &'a [u8]) {
        match self.kept.get_mut(self.count) {
            Some(place) => *place = segment,
            None => self.filled_beyond += usize::from(!segment.is_empty()),
        }
        self.count += 1;
    }

    /// Takes the last segment away, if there is one. Of what is not kept, one that is not empty is taken to be last.
    pub(in crate::policy) fn pop(&mut self) {
        if self.count > SEGMENTS_KEPT {
            self.filled_beyond = self.filled_beyond.saturating_sub(1);
        }
        self.count = self.count.saturating_sub(1);
    }

    pub(in crate::policy) fn without_empty_end(mut self) -> Self {
        if self.filled_beyond == 0 {
            self.count = self.count.min(SEGMENTS_KEPT);
            while self.count > 0 && self.get(self.count - 1) == Some(b"") {
                self.count -= 1;
            }
        }
        self
    }

    pub(in crate::policy) const fn count(&self) -> usize {
        self.count
    }

    /// The segment at `index` from 0; none behind the end, or beyond what is kept.
    pub(in crate::policy) fn get(&self, index: usize) -> Option<&'a [u8]> {
        if index < self.count { self.kept.get(index).copied() } else { None }
    }

    /// Those from `index` on that are kept.
    pub(in crate::policy) fn from(&self, index: usize) -> &[&'a [u8]] {
        self.kept.get(index..self.count.min(SEGMENTS_KEPT)).unwrap_or_default()
    }
}

/// Whether letter case counts when a segment is compared with a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Letters {
    /// As Elasticsearch compares.
    Exact,
    /// As a parser that ignores case would.
    Folded,
}

impl Letters {
    pub(in crate::policy) fn equal(self, segment: &[u8], literal: &[u8]) -> bool {
        match self {
            Self::Exact => segment == literal,
            Self::Folded => segment.eq_ignore_ascii_case(literal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(path: &str) -> Vec<&str> {
        let segments = Segments::split(path.as_bytes());
        let kept = segments.from(0).iter().map(|segment| std::str::from_utf8(segment).unwrap());
        kept.collect()
    }

    #[test]
    fn a_path_is_cut_as_java_cuts_it() {
        assert_eq!(split("/"), [""; 0]);
        assert_eq!(split("////"), [""; 0]);
        assert_eq!(split("/a/b"), ["a", "b"]);
        assert_eq!(split("/a/b///"), ["a", "b"]);
        assert_eq!(split("/a//b"), ["a", "", "b"]);
        assert_eq!(split("//a"), ["", "a"]);
        assert_eq!(split(&format!("/a{}", "/".repeat(40))), ["a"]);
    }

    #[test]
    fn long_paths_are_counted_to_the_end() {
        let path = format!("/a{}", "/b".repeat(40));
        let segments = Segments::split(path.as_bytes());
        assert_eq!((segments.count(), segments.from(0).len()), (41, SEGMENTS_KEPT));
        assert_eq!(segments.get(SEGMENTS_KEPT), None);
    }
}
