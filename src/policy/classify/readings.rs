//! What other parsers may make of a path: every combination of the things that some of them do.
//!
//! Percent-decoding once or twice, `\` for `/`, dropping `;params`, merging slashes, removing dot segments, ending the
//! path at a decoded `?`, `#` or NUL. Letter case is left to the comparison.

use std::borrow::Cow;

use super::percent::decode;
use super::segments::Segments;

/// Longest path whose readings are looked at. Elasticsearch's own limit of a request line is 4096 by default.
const PATH_BYTES_MAX: usize = 8192;

/// Whether `differs` holds for any reading of `path`. A path too long to look at is taken to differ.
///
/// Looks at 96 readings at most, each in one pass over the path; no reading is written out.
pub(super) fn any(path: &[u8], differs: impl Fn(&Segments<'_>) -> bool) -> bool {
    if path.len() > PATH_BYTES_MAX {
        return true;
    }
    let once = decode(path);
    let twice = decode(&once);
    let decoded = [Cow::Borrowed(path), Cow::Borrowed(&*once), Cow::Borrowed(&*twice)];
    decoded.iter().any(|text| Parser::possible(text).any(|parser| differs(&parser.read(text))))
}

/// The same without an end before the last; of a path that is too long, nothing.
pub(in crate::policy) fn each(path: &[u8], mut take: impl FnMut(&Segments<'_>)) {
    let take = std::cell::RefCell::new(&mut take);
    any(path, |segments| {
        (take.borrow_mut())(segments);
        false
    });
}

/// One way to read a path.
#[derive(Clone, Copy)]
struct Parser {
    backslash_is_slash: bool,
    drops_parameters: bool,
    merges_slashes: bool,
    removes_dots: bool,
    ends_early: bool,
}

impl Parser {
    /// The ways that make a difference to `text`.
    fn possible(text: &[u8]) -> impl Iterator<Item = Self> {
        let has = |bytes: &[u8]| text.iter().any(|byte| bytes.contains(byte));
        let choices = |possible: bool| if possible { [false, true].as_slice() } else { [false].as_slice() };
        let backslashes = choices(has(b"\\"));
        let parameters = choices(has(b";"));
        let ends = choices(has(b"?#\0"));
        let merges = choices(text.windows(2).any(|pair| pair.iter().all(|byte| matches!(byte, b'/' | b'\\' | b';'))));
        let dots = choices(has(b"."));
        backslashes.iter().flat_map(move |&backslash_is_slash| {
            parameters.iter().flat_map(move |&drops_parameters| {
                merges.iter().flat_map(move |&merges_slashes| {
                    dots.iter().flat_map(move |&removes_dots| {
                        ends.iter().map(move |&ends_early| Self {
                            backslash_is_slash,
                            drops_parameters,
                            merges_slashes,
                            removes_dots,
                            ends_early,
                        })
                    })
                })
            })
        })
    }

    fn read<'a>(&self, text: &'a [u8]) -> Segments<'a> {
        let text = match text.iter().position(|byte| self.ends_early && matches!(byte, b'?' | b'#' | 0)) {
            Some(end) => text.get(..end).unwrap_or_default(),
            None => text,
        };
        let mut segments = Segments::EMPTY;
        let mut rest = text;
        while let Some((_slash, after)) = rest.split_first() {
            let end = after.iter().position(|byte| self.is_slash(*byte)).unwrap_or(after.len());
            let (segment, tail) = after.split_at_checked(end).unwrap_or((after, b""));
            rest = tail;
            self.take(segment, &mut segments);
        }
        segments.without_empty_end()
    }

    fn take<'a>(&self, segment: &'a [u8], segments: &mut Segments<'a>) {
        let segment = match segment.iter().position(|byte| self.drops_parameters && *byte == b';') {
            Some(end) => segment.get(..end).unwrap_or_default(),
            None => segment,
        };
        match segment {
            b"" if self.merges_slashes => {}
            b"." if self.removes_dots => {}
            b".." if self.removes_dots => segments.pop(),
            kept => segments.push(kept),
        }
    }

    const fn is_slash(&self, byte: u8) -> bool {
        byte == b'/' || (self.backslash_is_slash && byte == b'\\')
    }
}
