//! Index expressions: `a,b*,-b2,_all`.

/// Which indices a request names, before they are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexExpression {
    pub(super) parts: Vec<String>,
    pub options: IndicesOptions,
}

/// What is done with names that match nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndicesOptions {
    /// A missing concrete index is left out instead of refused.
    pub ignore_unavailable: bool,
    /// A wildcard that matches nothing is no error.
    pub allow_no_indices: bool,
    /// Wildcards match visible indices (`open`).
    pub expand_open: bool,
    /// Wildcards match hidden indices too.
    pub expand_hidden: bool,
}

impl Default for IndicesOptions {
    fn default() -> Self {
        Self { ignore_unavailable: false, allow_no_indices: true, expand_open: true, expand_hidden: false }
    }
}

impl IndexExpression {
    /// Splits at commas; an empty text means all indices.
    pub fn parse(text: &str) -> Self {
        Self::of(text.split(',').map(str::to_owned).filter(|part| !part.is_empty()).collect())
    }

    /// A list, as a datafeed has it. An empty one means all indices.
    pub fn of(parts: Vec<String>) -> Self {
        Self { parts, options: IndicesOptions::default() }
    }

    #[must_use]
    pub fn with(mut self, options: IndicesOptions) -> Self {
        self.options = options;
        self
    }
}
