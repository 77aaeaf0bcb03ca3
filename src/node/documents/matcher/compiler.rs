//! Reads the values of a query by the types of an index.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::Matcher;
use super::value_test::{Test, boolean, folded, words};
use crate::node::documents::{Bound, QueryNode, SearchError};
use crate::node::indices::dates::{self, Rounding};
use crate::node::indices::field::{DateFormats, Field, Kind, number, plain};
use crate::node::indices::{IndexMetadata, wildcard};

pub(super) struct Compiler<'a> {
    pub(super) index: &'a IndexMetadata,
    pub(super) now_ms: i64,
}

impl Compiler<'_> {
    pub(super) fn compile(&self, query: &QueryNode) -> Result<Matcher, SearchError> {
        match query {
            QueryNode::MatchAll => Ok(Matcher::All),
            QueryNode::MatchNone => Ok(Matcher::None),
            QueryNode::Ids(ids) => Ok(Matcher::Ids(ids.clone())),
            QueryNode::Exists { field } => Ok(self.exists(field)),
            QueryNode::Term { field, value, case_insensitive } => {
                self.terms(field, std::slice::from_ref(value), *case_insensitive)
            }
            QueryNode::Terms { field, values } => self.terms(field, values, false),
            QueryNode::Match { field, text, all } => self.match_words(field, text, *all),
            QueryNode::Range { field, lower, upper, format } => {
                self.range(field, lower.as_ref(), upper.as_ref(), format.as_ref())
            }
            QueryNode::Prefix { field, value, case_insensitive } => self.text(field, "prefix", |words| Test::Prefix {
                prefix: folded(value, *case_insensitive),
                fold: *case_insensitive,
                words,
            }),
            QueryNode::Wildcard { field, pattern, case_insensitive } => self.text(field, "wildcard", |words| {
                Test::Pattern { pattern: folded(pattern, *case_insensitive), fold: *case_insensitive, words }
            }),
            QueryNode::Bool { must, filter, should, must_not, minimum_should_match } => {
                let all = |clauses: &[QueryNode]| -> Result<Vec<Matcher>, SearchError> {
                    clauses.iter().map(|clause| self.compile(clause)).collect()
                };
                Ok(Matcher::Bool {
                    must: all(must)?,
                    filter: all(filter)?,
                    should: all(should)?,
                    must_not: all(must_not)?,
                    minimum: *minimum_should_match,
                })
            }
        }
    }

    /// The type of a field, and where its values stand in the source: sub-fields read their parent's.
    fn field<'a>(&'a self, path: &'a str) -> Option<(&'a Field, &'a str)> {
        let field = self.index.mapping.field(path)?;
        let parent = path.rsplit_once('.').map(|(parent, _)| parent);
        let leaf = |path: &&str| self.index.mapping.field(path).is_some_and(|field| field.kind != Kind::Object);
        Some((field, parent.filter(leaf).unwrap_or(path)))
    }

    fn exists(&self, field: &str) -> Matcher {
        match self.field(field) {
            Some((_, path)) => Matcher::Exists { path: path.to_owned() },
            None if matches!(field, "_id" | "_index" | "_source") => Matcher::All,
            None => Matcher::None,
        }
    }

    fn terms(&self, name: &str, wanted: &[Value], fold: bool) -> Result<Matcher, SearchError> {
        let texts = || wanted.iter().map(|value| folded(&plain(value), fold)).collect::<BTreeSet<_>>();
        let Some((field, path)) = self.field(name) else {
            return Ok(match name {
                "_id" => Matcher::Ids(texts()),
                "_index" if texts().iter().any(|text| wildcard::matches(text, &self.index.name)) => Matcher::All,
                _ => Matcher::None,
            });
        };
        let test = match field.kind {
            Kind::Object | Kind::Opaque => return Ok(Matcher::None),
            Kind::Keyword => Test::Texts { texts: texts(), fold, longest: field.ignore_above.unwrap_or(usize::MAX) },
            Kind::Text => Test::Words { words: texts(), all: false, fold },
            Kind::Boolean => Test::Boolean(wanted.iter().map(boolean).collect::<Result<_, _>>()?),
            Kind::Date => {
                let range = |value| {
                    Some((self.time(field, None, value, Rounding::Down)?, self.time(field, None, value, Rounding::Up)?))
                };
                let ranges = wanted.iter().map(|value| range(value).ok_or_else(|| no_date(field, value)));
                Test::Times { ranges: ranges.collect::<Result<_, _>>()?, formats: field.formats.clone() }
            }
            Kind::Ip => Test::Addresses(wanted.iter().map(addresses).collect::<Result<_, _>>()?),
            Kind::Long | Kind::Integer | Kind::Short | Kind::Byte | Kind::Double | Kind::Float | Kind::HalfFloat => {
                for value in wanted {
                    number(value).ok_or_else(|| no_number(value))?;
                }
                Test::Numbers(wanted.to_vec())
            }
        };
        Ok(Matcher::Values { path: path.to_owned(), test })
    }

    fn match_words(&self, name: &str, text: &Value, all: bool) -> Result<Matcher, SearchError> {
        match self.field(name) {
            Some((field, path)) if field.kind == Kind::Text => {
                let words: BTreeSet<String> = words(&plain(text)).collect();
                if words.is_empty() {
                    return Ok(Matcher::None);
                }
                Ok(Matcher::Values { path: path.to_owned(), test: Test::Words { words, all, fold: false } })
            }
            _ => self.terms(name, std::slice::from_ref(text), false),
        }
    }

    fn text(&self, name: &str, query: &str, test: impl Fn(bool) -> Test) -> Result<Matcher, SearchError> {
        let Some((field, path)) = self.field(name) else { return Ok(Matcher::None) };
        match field.kind {
            Kind::Text | Kind::Keyword => {
                Ok(Matcher::Values { path: path.to_owned(), test: test(field.kind == Kind::Text) })
            }
            other => Err(SearchError::argument(format!(
                "Can only use {query} queries on keyword, text and wildcard fields - not on [{name}] which is of type [{}]",
                other.name()
            ))),
        }
    }

    fn range(
        &self,
        name: &str,
        lower: Option<&Bound>,
        upper: Option<&Bound>,
        format: Option<&DateFormats>,
    ) -> Result<Matcher, SearchError> {
        let Some((field, path)) = self.field(name) else { return Ok(Matcher::None) };
        let test = match field.kind {
            Kind::Object | Kind::Opaque => return Ok(Matcher::None),
            Kind::Date => self.time_range(field, lower, upper, format)?,
            Kind::Text | Kind::Keyword => Test::TextRange { lower: lower.cloned(), upper: upper.cloned() },
            Kind::Boolean | Kind::Ip => {
                let kind = field.kind.name();
                return Err(SearchError::argument(format!(
                    "[range] query on [{name}] of type [{kind}] is not supported by this node"
                )));
            }
            Kind::Long | Kind::Integer | Kind::Short | Kind::Byte | Kind::Double | Kind::Float | Kind::HalfFloat => {
                for bound in [lower, upper].into_iter().flatten() {
                    number(&bound.value).ok_or_else(|| no_number(&bound.value))?;
                }
                Test::NumberRange { lower: lower.cloned(), upper: upper.cloned() }
            }
        };
        Ok(Matcher::Values { path: path.to_owned(), test })
    }

    fn time_range(
        &self,
        field: &Field,
        lower: Option<&Bound>,
        upper: Option<&Bound>,
        format: Option<&DateFormats>,
    ) -> Result<Test, SearchError> {
        // As in Elasticsearch `gt` and `lte` round up, `gte` and `lt` down.
        let read = |bound: &Bound, rounding| {
            self.time(field, format, &bound.value, rounding).ok_or_else(|| no_date(field, &bound.value))
        };
        let from = match lower {
            None => i64::MIN,
            Some(bound) if bound.inclusive => read(bound, Rounding::Down)?,
            Some(bound) => read(bound, Rounding::Up)?.saturating_add(1),
        };
        let to = match upper {
            None => i64::MAX,
            Some(bound) if bound.inclusive => read(bound, Rounding::Up)?,
            Some(bound) => read(bound, Rounding::Down)?.saturating_sub(1),
        };
        Ok(Test::Times { ranges: vec![(from, to)], formats: field.formats.clone() })
    }

    fn time(&self, field: &Field, format: Option<&DateFormats>, value: &Value, rounding: Rounding) -> Option<i64> {
        let math = value.as_str().filter(|text| text.starts_with("now") || text.contains("||"));
        match math {
            Some(text) => dates::parse_math(text, self.now_ms, rounding),
            None => format.unwrap_or(&field.formats).read(value, rounding),
        }
    }
}

fn addresses(value: &Value) -> Result<ipnet::IpNet, SearchError> {
    let text = plain(value);
    let net = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(ipnet::IpNet::from));
    net.ok_or_else(|| SearchError::argument(format!("'{text}' is not an IP string literal.")))
}

fn no_number(value: &Value) -> SearchError {
    SearchError::argument(format!("failed to create query: For input string: \"{}\"", plain(value)))
}

fn no_date(field: &Field, value: &Value) -> SearchError {
    SearchError::argument(format!(
        "failed to parse date field [{}] with format [{}]",
        plain(value),
        field.formats.text()
    ))
}
