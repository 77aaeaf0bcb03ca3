//! Patterns over claims.

use regex_lite::Regex;

use crate::realm::pattern::{Pattern, PatternProblem};

/// A regular expression whose first group is what counts of a claim. Elasticsearch: `claim_patterns.*`.
#[derive(Clone, Debug)]
pub struct ClaimPattern(Regex);

impl ClaimPattern {
    /// Takes a regular expression with a group, such as `^([^@]+)@example\.com$`.
    ///
    /// # Errors
    /// What is no regular expression, or has no group.
    pub fn parse(text: &str) -> Result<Self, PatternProblem> {
        let regex = Regex::new(text).map_err(|_| PatternProblem::NotRegular(text.to_owned()))?;
        match regex.captures_len() {
            0 | 1 => Err(PatternProblem::NoGroup(text.to_owned())),
            _ => Ok(Self(regex)),
        }
    }

    /// What the first group holds where the expression first matches, anywhere in the value: it has to be anchored by
    /// who writes it, as in Elasticsearch.
    pub fn extract<'a>(&self, value: &'a str) -> Option<&'a str> {
        Some(self.0.captures(value)?.get(1)?.as_str())
    }
}

/// A pattern over the whole of `sub`: wildcards, or `/regex/`. Elasticsearch: `allowed_subject_patterns`.
#[derive(Clone, Debug)]
pub struct SubjectPattern(Pattern);

impl SubjectPattern {
    /// Takes `wildcard*` or `/regular expression/`.
    ///
    /// # Errors
    /// What is no pattern.
    pub fn parse(text: &str) -> Result<Self, PatternProblem> {
        Pattern::parse(text).map(Self)
    }

    /// Whether the whole subject matches.
    pub fn matches(&self, subject: &str) -> bool {
        self.0.matches(subject)
    }
}
