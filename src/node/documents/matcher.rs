//! A query made ready for one index, and tried on its documents.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::{Bound, QueryNode, SearchError};
use crate::node::indices::dates::{self, Rounding};
use crate::node::indices::field::{DateFormats, Field, Kind, number, plain};
use crate::node::indices::{IndexMetadata, values, wildcard};

/// A query whose values are read by the types of an index.
#[derive(Debug)]
pub(super) enum Matcher {
    All,
    None,
    Ids(BTreeSet<String>),
    /// A test of the values of one field.
    Values {
        path: String,
        test: Test,
    },
    /// Any value at the path or below it.
    Exists {
        path: String,
    },
    Bool {
        must: Vec<Matcher>,
        filter: Vec<Matcher>,
        should: Vec<Matcher>,
        must_not: Vec<Matcher>,
        minimum: usize,
    },
}

/// What one value must be.
#[derive(Debug)]
pub(super) enum Test {
    /// One of these texts; `fold`: without regard to case.
    Texts {
        texts: BTreeSet<String>,
        fold: bool,
        longest: usize,
    },
    /// Holds any or all of these words.
    Words {
        words: BTreeSet<String>,
        all: bool,
        fold: bool,
    },
    Prefix {
        prefix: String,
        fold: bool,
        words: bool,
    },
    Pattern {
        pattern: String,
        fold: bool,
        words: bool,
    },
    Numbers(Vec<Value>),
    NumberRange {
        lower: Option<Bound>,
        upper: Option<Bound>,
    },
    TextRange {
        lower: Option<Bound>,
        upper: Option<Bound>,
    },
    Boolean(BTreeSet<bool>),
    /// Milliseconds, both ends included; any of the ranges.
    Times {
        ranges: Vec<(i64, i64)>,
        formats: DateFormats,
    },
    Addresses(Vec<ipnet::IpNet>),
}

impl Matcher {
    /// # Errors
    /// Values that the field's type cannot hold.
    pub(super) fn compile(query: &QueryNode, index: &IndexMetadata, now_ms: i64) -> Result<Self, SearchError> {
        Compiler { index, now_ms }.compile(query)
    }

    pub(super) fn matches(&self, id: &str, source: &Value) -> bool {
        self.score(id, source).is_some()
    }

    /// How many scoring clauses match; `None` where the document is not found. This is no BM25: each clause counts one.
    pub(super) fn score(&self, id: &str, source: &Value) -> Option<f64> {
        let found = match self {
            Self::All => true,
            Self::None => false,
            Self::Ids(ids) => ids.contains(id),
            Self::Values { path, test } => test.any(&values::at(source, path)),
            Self::Exists { path } => exists(source, path),
            Self::Bool { must, filter, should, must_not, minimum } => {
                let excluded = must_not.iter().any(|clause| clause.matches(id, source));
                if excluded || !filter.iter().all(|clause| clause.matches(id, source)) {
                    return None;
                }
                let mut score = 0.0;
                for clause in must {
                    score += clause.score(id, source)?;
                }
                let optional: Vec<f64> = should.iter().filter_map(|clause| clause.score(id, source)).collect();
                return (optional.len() >= *minimum).then(|| score + optional.iter().sum::<f64>());
            }
        };
        found.then_some(1.0)
    }

    /// Whether all documents that are found have the same score.
    pub(super) fn scores_alike(&self) -> bool {
        match self {
            Self::Bool { must, should, .. } => should.is_empty() && must.iter().all(Self::scores_alike),
            _ => true,
        }
    }

    /// The only ids that can match, where the query says so.
    pub(super) fn ids(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::Ids(ids) => Some(ids),
            Self::Bool { must, filter, .. } => must.iter().chain(filter).find_map(Self::ids),
            _ => None,
        }
    }

    /// A range of times of a field outside of which nothing can match.
    pub(super) fn times(&self) -> Option<(&str, i64, i64)> {
        match self {
            Self::Values { path, test: Test::Times { ranges, .. } } => {
                let from = ranges.iter().map(|(from, _)| *from).min()?;
                Some((path, from, ranges.iter().map(|(_, to)| *to).max()?))
            }
            Self::Bool { must, filter, .. } => must.iter().chain(filter).find_map(Self::times),
            _ => None,
        }
    }
}

struct Compiler<'a> {
    index: &'a IndexMetadata,
    now_ms: i64,
}

impl Compiler<'_> {
    fn compile(&self, query: &QueryNode) -> Result<Matcher, SearchError> {
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

impl Test {
    fn any(&self, found: &[&Value]) -> bool {
        match self {
            Self::Texts { texts, fold, longest } => found.iter().any(|value| {
                let text = plain(value);
                text.chars().count() <= *longest && texts.contains(&folded(&text, *fold))
            }),
            Self::Words { words: wanted, all, fold } => {
                let held: BTreeSet<String> =
                    found.iter().flat_map(|value| words(&plain(value)).collect::<Vec<_>>()).collect();
                let holds = |word: &String| held.contains(&folded(word, *fold));
                if *all { wanted.iter().all(holds) } else { wanted.iter().any(holds) }
            }
            Self::Prefix { prefix, fold, words } => {
                texts(found, *words).any(|text| folded(&text, *fold).starts_with(prefix.as_str()))
            }
            Self::Pattern { pattern, fold, words } => {
                texts(found, *words).any(|text| wildcard::glob(pattern, &folded(&text, *fold), true))
            }
            Self::Numbers(wanted) => {
                found.iter().any(|value| wanted.iter().any(|wanted| compare(value, wanted) == Some(Ordering::Equal)))
            }
            Self::NumberRange { lower, upper } => {
                found.iter().any(|value| inside(lower.as_ref(), upper.as_ref(), |bound| compare(value, bound)))
            }
            Self::TextRange { lower, upper } => found.iter().any(|value| {
                let text = plain(value);
                inside(lower.as_ref(), upper.as_ref(), |bound| Some(text.cmp(&plain(bound))))
            }),
            Self::Boolean(wanted) => {
                found.iter().any(|value| boolean(value).is_ok_and(|value| wanted.contains(&value)))
            }
            Self::Times { ranges, formats } => found.iter().any(|value| {
                let time = formats.milliseconds(value);
                time.is_some_and(|time| ranges.iter().any(|(from, to)| (*from..=*to).contains(&time)))
            }),
            Self::Addresses(nets) => found.iter().any(|value| {
                let address = plain(value).parse::<IpAddr>();
                address.is_ok_and(|address| nets.iter().any(|net| net.contains(&address)))
            }),
        }
    }
}

fn inside(lower: Option<&Bound>, upper: Option<&Bound>, order: impl Fn(&Value) -> Option<Ordering>) -> bool {
    let above = lower.is_none_or(|bound| match order(&bound.value) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => bound.inclusive,
        _ => false,
    });
    above
        && upper.is_none_or(|bound| match order(&bound.value) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => bound.inclusive,
            _ => false,
        })
}

/// Whole numbers are compared exactly, others as floating-point numbers.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let exact = |value: &Value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match (exact(left), exact(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

fn exists(source: &Value, path: &str) -> bool {
    fn leaf(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Array(items) => items.iter().any(leaf),
            Value::Object(members) => members.values().any(leaf),
            _ => true,
        }
    }
    values::at(source, path).into_iter().any(leaf)
}

fn texts(found: &[&Value], split: bool) -> impl Iterator<Item = String> {
    let texts = found.iter().map(|value| plain(value));
    texts.flat_map(move |text| if split { words(&text).collect() } else { vec![text] })
}

/// The words of a text, in lower case; a plain stand-in for Elasticsearch's standard analyzer.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn folded(text: &str, fold: bool) -> String {
    if fold { text.to_lowercase() } else { text.to_owned() }
}

fn boolean(value: &Value) -> Result<bool, SearchError> {
    match plain(value).as_str() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(SearchError::argument(format!("Can't parse boolean value [{other}], expected [true] or [false]"))),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finds(query: Value, document: Value) -> bool {
        let body = json!({"mappings": {"properties": {
            "at": {"type": "date"}, "n": {"type": "long"}, "f": {"type": "double"}, "ok": {"type": "boolean"},
            "host": {"type": "keyword"}, "ip": {"type": "ip"},
            "text": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 20}}}
        }}});
        let index = IndexMetadata::create("a", 0, String::new(), 0, &body).expect("an index");
        let query = QueryNode::parse(&query).expect("a query");
        Matcher::compile(&query, &index, 1_767_225_600_000).expect("a matcher").matches("1", &document)
    }

    #[test]
    fn terms_by_type() {
        assert!(finds(json!({"term": {"host": "a"}}), json!({"host": ["b", "a"]})));
        assert!(!finds(json!({"term": {"host": "A"}}), json!({"host": "a"})));
        assert!(finds(json!({"term": {"host": {"value": "A", "case_insensitive": true}}}), json!({"host": "a"})));
        assert!(finds(json!({"term": {"n": "5"}}), json!({"n": 5})));
        assert!(finds(json!({"terms": {"n": [4, 5]}}), json!({"n": 5})));
        assert!(finds(json!({"term": {"ok": "true"}}), json!({"ok": true})));
        assert!(finds(json!({"term": {"at": "2026-01-01"}}), json!({"at": "2026-01-01T12:00:00Z"})));
        assert!(finds(json!({"term": {"ip": "10.0.0.0/8"}}), json!({"ip": "10.1.2.3"})));
        assert!(!finds(json!({"term": {"unmapped": 1}}), json!({"unmapped": 1})));
        assert!(finds(json!({"term": {"_id": "1"}}), json!({})));
    }

    #[test]
    fn texts_are_words_and_their_keyword_is_whole() {
        let document = json!({"text": "The quick Fox"});
        assert!(finds(json!({"match": {"text": "FOX jumps"}}), document.clone()));
        assert!(!finds(json!({"match": {"text": {"query": "fox jumps", "operator": "and"}}}), document.clone()));
        assert!(finds(json!({"term": {"text.keyword": "The quick Fox"}}), document.clone()));
        assert!(!finds(json!({"term": {"text.keyword": "x".repeat(21)}}), json!({"text": "x".repeat(21)})));
        assert!(finds(json!({"prefix": {"text.keyword": "The q"}}), document.clone()));
        assert!(finds(json!({"wildcard": {"text.keyword": "*qu?ck*"}}), document));
    }

    #[test]
    fn ranges_of_numbers_and_dates() {
        assert!(finds(json!({"range": {"n": {"gte": 5, "lt": 6}}}), json!({"n": 5})));
        assert!(!finds(json!({"range": {"n": {"gt": 5}}}), json!({"n": 5})));
        assert!(finds(json!({"range": {"n": {"gt": 5.5}}}), json!({"n": 6})));
        assert!(finds(json!({"range": {"at": {"lte": "2026-01-01"}}}), json!({"at": "2026-01-01T23:00:00Z"})));
        assert!(!finds(json!({"range": {"at": {"gt": "2026-01-01"}}}), json!({"at": "2026-01-01T23:00:00Z"})));
        assert!(finds(json!({"range": {"at": {"gte": "now-1d", "lt": "now"}}}), json!({"at": 1_767_225_599_999_i64})));
        assert!(finds(json!({"range": {"at": {"gte": 1000, "format": "epoch_second"}}}), json!({"at": 1_000_000})));
    }

    #[test]
    fn bool_exists_and_ids() {
        let query = json!({"bool": {
            "must": {"exists": {"field": "n"}},
            "must_not": {"term": {"n": 6}},
            "should": [{"term": {"host": "a"}}, {"term": {"host": "b"}}],
            "minimum_should_match": 1,
            "filter": {"ids": {"values": ["1"]}}
        }});
        assert!(finds(query.clone(), json!({"n": 5, "host": "b"})));
        assert!(!finds(query.clone(), json!({"n": 6, "host": "b"})));
        assert!(!finds(query.clone(), json!({"n": null, "host": "b"})));
        assert!(!finds(query, json!({"n": 5, "host": "c"})));
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        let body = json!({"mappings": {"properties": {"n": {"type": "long"}}}});
        let index = IndexMetadata::create("a", 0, String::new(), 0, &body).expect("an index");
        let refused = |query: Value| {
            let query = QueryNode::parse(&query).expect("a query");
            Matcher::compile(&query, &index, 0).expect_err("refused").to_string()
        };
        assert_eq!(refused(json!({"term": {"n": "x"}})), "failed to create query: For input string: \"x\"");
        assert_eq!(
            refused(json!({"prefix": {"n": "x"}})),
            "Can only use prefix queries on keyword, text and wildcard fields - not on [n] which is of type [long]"
        );
    }
}
