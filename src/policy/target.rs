//! The request target in origin form, exactly as received.

use std::fmt;

/// Path and query of a request target, both percent-encoded as they came.
///
/// The path is what stands before the first `?`, the query what stands behind it.
/// Nothing is decoded, merged or resolved: these are the bytes that go upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    raw: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    oddity: Oddity,
}

/// What in a path another parser may read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    None,
    /// Capital letters and nothing else.
    Letters,
    /// An escape, `\`, `;`, an empty segment or a dot segment.
    Structure,
}

/// Why a target is refused with 400 before it is classified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetProblem {
    /// A control byte, a space, NUL, or a byte outside ASCII.
    ForbiddenByte,
    /// `%` without two hexadecimal digits behind it.
    MalformedEscape,
    /// A `#`, which some parsers cut off.
    Fragment,
    /// No `/` in front.
    NotOriginForm,
    /// No ML route as it stands, but one after what another parser may do to it.
    AmbiguousMl,
}

impl<'a> Target<'a> {
    /// Takes an origin-form target such as `/_ml/info?pretty`.
    ///
    /// # Errors
    /// Bytes and forms that no strict parser accepts; see [`TargetProblem`].
    pub fn parse(raw: &'a str) -> Result<Self, TargetProblem> {
        if !raw.starts_with('/') {
            return Err(TargetProblem::NotOriginForm);
        }
        check_bytes(raw)?;
        let (path, query) = raw.split_once('?').map_or((raw, None), |(path, query)| (path, Some(query)));
        Ok(Self { raw, path, query, oddity: oddity(path) })
    }

    /// All of it, as it goes upstream.
    pub const fn as_str(&self) -> &'a str {
        self.raw
    }

    pub const fn path(&self) -> &'a str {
        self.path
    }

    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }

    pub(super) const fn oddity(&self) -> Oddity {
        self.oddity
    }
}

fn check_bytes(raw: &str) -> Result<(), TargetProblem> {
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut is_digit = || bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit());
                if !(is_digit() && is_digit()) {
                    return Err(TargetProblem::MalformedEscape);
                }
            }
            b'#' => return Err(TargetProblem::Fragment),
            0x21..=0x7e => {}
            0..=0x20 | 0x7f.. => return Err(TargetProblem::ForbiddenByte),
        }
    }
    Ok(())
}

fn oddity(path: &str) -> Oddity {
    let mut found = Oddity::None;
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let byte_oddity = match byte {
            b'%' | b'\\' | b';' => Oddity::Structure,
            b'/' if is_empty_or_dots(bytes.clone()) => Oddity::Structure,
            b'A'..=b'Z' => Oddity::Letters,
            _ => Oddity::None,
        };
        found = found.max(byte_oddity);
    }
    found
}

/// Whether a segment begins here that some parsers take away: ``, `.` or `..`. Two dots may go on; that costs time only.
fn is_empty_or_dots(mut bytes: std::str::Bytes<'_>) -> bool {
    match (bytes.next(), bytes.next()) {
        (Some(b'/'), _) | (Some(b'.'), None | Some(b'/' | b'.')) => true,
        (None | Some(_), _) => false,
    }
}

impl fmt::Display for TargetProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ForbiddenByte => "request target contains a byte that must be percent-encoded",
            Self::MalformedEscape => "request target contains a malformed percent-escape",
            Self::Fragment => "request target contains a fragment",
            Self::NotOriginForm => "request target must start with a slash",
            Self::AmbiguousMl => "request target is ambiguous: other parsers may read another API in it",
        })
    }
}

impl std::error::Error for TargetProblem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_what_stands_around_the_first_question_mark() {
        let target = Target::parse("/_ml/info?a=%2F?b").unwrap();
        assert_eq!((target.path(), target.query()), ("/_ml/info", Some("a=%2F?b")));
        assert_eq!(Target::parse("/").unwrap().query(), None);
    }

    #[test]
    fn bytes_that_no_target_has_are_refused() {
        let cases = [
            ("", TargetProblem::NotOriginForm),
            ("_ml/info", TargetProblem::NotOriginForm),
            ("http://host/_ml/info", TargetProblem::NotOriginForm),
            ("/a b", TargetProblem::ForbiddenByte),
            ("/a\0", TargetProblem::ForbiddenByte),
            ("/?q=\u{7f}", TargetProblem::ForbiddenByte),
            ("/?q=ä", TargetProblem::ForbiddenByte),
            ("/a%", TargetProblem::MalformedEscape),
            ("/a%2", TargetProblem::MalformedEscape),
            ("/?q=%zz", TargetProblem::MalformedEscape),
            ("/%%20", TargetProblem::MalformedEscape),
            ("/_ml/info#x", TargetProblem::Fragment),
        ];
        for (raw, problem) in cases {
            assert_eq!(Target::parse(raw), Err(problem), "{raw:?}");
        }
    }

    #[test]
    fn plain_targets_have_one_reading() {
        let cases = [
            ("/logs-1,logs-2/_search?q=%41//A", Oddity::None),
            ("/idx/_doc/A1", Oddity::Letters),
            ("/idx/_doc/a%2fB", Oddity::Structure),
            ("/.kibana/_doc/a", Oddity::None),
            ("/idx//_doc", Oddity::Structure),
            ("/idx/.", Oddity::Structure),
            ("/idx/../_ml", Oddity::Structure),
            ("/idx;a/_doc", Oddity::Structure),
        ];
        for (raw, expected) in cases {
            assert_eq!(Target::parse(raw).unwrap().oddity(), expected, "{raw}");
        }
    }
}
