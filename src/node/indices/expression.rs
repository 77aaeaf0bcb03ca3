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
    /// Wildcards match closed indices too. There are none to be found.
    pub expand_closed: bool,
}

impl Default for IndicesOptions {
    fn default() -> Self {
        Self {
            ignore_unavailable: false,
            allow_no_indices: true,
            expand_open: true,
            expand_hidden: false,
            expand_closed: false,
        }
    }
}

impl IndicesOptions {
    /// With what the words of `expand_wildcards` say.
    ///
    /// # Errors
    /// The first word that says nothing.
    pub fn expanding<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        (self.expand_open, self.expand_closed, self.expand_hidden) = (false, false, false);
        for word in words.into_iter().map(str::trim) {
            match word {
                "open" => self.expand_open = true,
                "closed" => self.expand_closed = true,
                "hidden" => self.expand_hidden = true,
                "all" => (self.expand_open, self.expand_closed, self.expand_hidden) = (true, true, true),
                "none" => (self.expand_open, self.expand_closed, self.expand_hidden) = (false, false, false),
                other => return Err(other),
            }
        }
        Ok(self)
    }

    /// The words of `expand_wildcards` that say the same.
    pub fn expanded(self) -> impl Iterator<Item = &'static str> {
        let words = [(self.expand_open, "open"), (self.expand_closed, "closed"), (self.expand_hidden, "hidden")];
        words.into_iter().filter_map(|(said, word)| said.then_some(word))
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

impl IndexExpression {
    /// The parts that are names, not wildcards.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str).filter(|part| is_name(part))
    }

    /// Leaves out names that `keep` does not want. What is left of nothing but such names matches nothing.
    pub fn retain_names(&mut self, keep: impl Fn(&str) -> bool) {
        let before = self.parts.len();
        self.parts.retain(|part| !is_name(part) || keep(part));
        if self.parts.is_empty() && before > 0 {
            // An exclusion of everything from nothing: an empty list would mean all indices.
            self.parts.push("-*".to_owned());
        }
    }

    pub fn text(&self) -> String {
        if self.parts.is_empty() { "_all".to_owned() } else { self.parts.join(",") }
    }
}

fn is_name(part: &str) -> bool {
    part != "_all" && !part.contains('*') && !part.starts_with('-')
}
