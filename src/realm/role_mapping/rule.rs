//! The rule language of Elasticsearch's role-mapping API.

use super::dn::Dn;
use super::fact::{Fact, Facts};
use crate::realm::pattern::Pattern;

/// What rules look at.
pub struct Subject<'a> {
    pub username: &'a str,
    pub dn: Option<&'a str>,
    pub groups: &'a [String],
    pub metadata: &'a Facts,
    pub realm: &'a str,
}

/// A condition on a caller.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Any(Vec<Self>),
    All(Vec<Self>),
    /// Inside `all` only.
    Except(Box<Self>),
    /// True if the field has one of the values.
    Field(Field, Vec<Wanted>),
}

#[derive(Clone, Debug)]
pub(super) enum Field {
    Username,
    Dn,
    Groups,
    RealmName,
    /// The name without `metadata.`.
    Metadata(String),
}

impl Field {
    /// Takes `username`, `dn`, `groups`, `realm.name` or `metadata.<name>`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "username" => Some(Self::Username),
            "dn" => Some(Self::Dn),
            "groups" => Some(Self::Groups),
            "realm.name" => Some(Self::RealmName),
            _ => name
                .strip_prefix("metadata.")
                .filter(|rest| !rest.is_empty())
                .map(|rest| Self::Metadata(rest.to_owned())),
        }
    }
}

/// A value that a field may have.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// The field is not there.
    Null,
    Number(i64),
    Bool(bool),
    /// A text as it is written.
    Exact {
        text: String,
        dn: Option<Dn>,
    },
    /// `subtree` is the name behind `*,` where the pattern is only that.
    Pattern {
        pattern: Pattern,
        subtree: Option<Dn>,
    },
}

impl Wanted {
    /// Takes a text: a wildcard if it holds `*` (a lone `?` or `\` is no pattern in Elasticsearch), a regular
    /// expression between slashes, or as it is.
    pub(super) fn parse(text: &str) -> Result<Self, crate::realm::PatternProblem> {
        let regular = text.len() > 1 && text.starts_with('/') && text.ends_with('/');
        if !regular && !text.contains('*') {
            return Ok(Self::exact(text));
        }
        let subtree = text.strip_prefix("*,").filter(|rest| !rest.contains('*')).and_then(Dn::parse);
        Ok(Self::Pattern { pattern: Pattern::parse(text)?, subtree })
    }

    pub(super) fn exact(text: &str) -> Self {
        Self::Exact { text: text.to_owned(), dn: Dn::parse(text) }
    }

    fn is(&self, fact: &Fact) -> bool {
        match self {
            Self::Null => false,
            Self::Number(number) => fact.is_number(*number),
            Self::Bool(value) => *fact == Fact::Bool(*value),
            Self::Exact { .. } | Self::Pattern { .. } => fact.as_text().is_some_and(|text| self.is_text(text)),
        }
    }

    fn is_text(&self, value: &str) -> bool {
        match self {
            Self::Null | Self::Number(_) | Self::Bool(_) => false,
            Self::Exact { text, .. } => text == value,
            Self::Pattern { pattern, .. } => pattern.matches(value),
        }
    }

    /// Compares as a distinguished name where it is one, without case anyway.
    ///
    /// Source: Elasticsearch, `UserRoleMapper.DistinguishedNamePredicate`.
    fn is_name(&self, value: &str) -> bool {
        let value_dn = Dn::parse(value);
        match self {
            Self::Null | Self::Number(_) | Self::Bool(_) => false,
            Self::Exact { text, dn } => {
                text.to_lowercase() == value.to_lowercase() || (dn.is_some() && *dn == value_dn)
            }
            Self::Pattern { pattern, subtree } => {
                let spelled = [Some(value.to_owned()), Some(value.to_lowercase()), Some(value.to_uppercase())];
                let spelled = spelled.into_iter().flatten().chain(value_dn.as_ref().map(Dn::normalized));
                let below = value_dn.as_ref().zip(subtree.as_ref()).is_some_and(|(dn, top)| dn.is_below(top));
                below || spelled.into_iter().any(|value| pattern.matches(&value))
            }
        }
    }
}

impl Rule {
    pub(super) fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Any(rules) => rules.iter().any(|rule| rule.matches(subject)),
            Self::All(rules) => rules.iter().all(|rule| rule.matches(subject)),
            Self::Except(rule) => !rule.matches(subject),
            Self::Field(field, wanted) => wanted.iter().any(|wanted| has(subject, field, wanted)),
        }
    }
}

fn has(subject: &Subject<'_>, field: &Field, wanted: &Wanted) -> bool {
    let is_null = matches!(wanted, Wanted::Null);
    match field {
        Field::Username => wanted.is_text(subject.username),
        Field::RealmName => wanted.is_text(subject.realm),
        Field::Dn => subject.dn.map_or(is_null, |dn| wanted.is_name(dn)),
        Field::Groups => subject.groups.iter().any(|group| wanted.is_name(group)),
        Field::Metadata(name) => match subject.metadata.get(name) {
            None => is_null,
            Some(facts) => facts.iter().any(|fact| wanted.is(fact)),
        },
    }
}
