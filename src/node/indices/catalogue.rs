//! All indices at one moment, and how expressions find them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::metadata::IndexMetadata;
use super::{IndexExpression, wildcard};

/// The indices by name; immutable once it is published.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    indices: BTreeMap<Arc<str>, Arc<IndexMetadata>>,
}

/// A name of an expression that is no index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(pub String);

impl Catalogue {
    pub fn index(&self, name: &str) -> Option<&Arc<IndexMetadata>> {
        self.indices.get(name)
    }

    pub fn indices(&self) -> impl Iterator<Item = &Arc<IndexMetadata>> {
        self.indices.values()
    }

    pub fn put(&mut self, index: IndexMetadata) {
        self.indices.insert(Arc::clone(&index.name), Arc::new(index));
    }

    pub fn remove(&mut self, name: &str) -> Option<Arc<IndexMetadata>> {
        self.indices.remove(name)
    }

    pub fn has_alias(&self, name: &str) -> bool {
        self.indices.values().any(|index| index.aliases.contains_key(name))
    }

    /// The index that a write to `name` goes to: the index itself, or the one index of an alias.
    pub fn write_target(&self, name: &str) -> Option<&Arc<IndexMetadata>> {
        self.index(name).or_else(|| {
            let mut behind = self.indices.values().filter(|index| index.aliases.contains_key(name));
            behind.next().filter(|_| behind.next().is_none())
        })
    }

    /// The indices of an expression, by name, each once. `may` tells which ones wildcards may match; concrete names are
    /// not filtered, so that the caller is told what it may not do.
    ///
    /// # Errors
    /// A name that is no index, or a wildcard that matches nothing where the options forbid it.
    pub fn resolve(
        &self,
        expression: &IndexExpression,
        may: impl Fn(&IndexMetadata) -> bool,
    ) -> Result<Vec<Arc<IndexMetadata>>, Unknown> {
        let mut found: BTreeMap<Arc<str>, Arc<IndexMetadata>> = BTreeMap::new();
        let everything = ["_all".to_owned()];
        let parts = if expression.parts.is_empty() { everything.as_slice() } else { expression.parts.as_slice() };
        let mut after_wildcard = false;
        for part in parts {
            let pattern = if part == "_all" { "*" } else { part.as_str() };
            match pattern.strip_prefix('-') {
                Some(excluded) if after_wildcard => found.retain(|name, _| !wildcard::matches(excluded, name)),
                _ if pattern.contains('*') => {
                    after_wildcard = true;
                    self.expand(pattern, expression, &may, &mut found)?;
                }
                _ => self.concrete(pattern, expression, &mut found)?,
            }
        }
        if found.is_empty() && !expression.options.allow_no_indices {
            return Err(Unknown(if expression.parts.is_empty() {
                "_all".to_owned()
            } else {
                expression.parts.join(",")
            }));
        }
        Ok(found.into_values().collect())
    }

    fn expand(
        &self,
        pattern: &str,
        expression: &IndexExpression,
        may: &impl Fn(&IndexMetadata) -> bool,
        found: &mut BTreeMap<Arc<str>, Arc<IndexMetadata>>,
    ) -> Result<(), Unknown> {
        let options = expression.options;
        let before = found.len();
        for (name, index) in &self.indices {
            // As in Elasticsearch, a pattern that starts with a dot finds hidden indices that start with one.
            let shown =
                !index.is_hidden() || options.expand_hidden || (pattern.starts_with('.') && name.starts_with('.'));
            let named =
                wildcard::matches(pattern, name) || index.aliases.keys().any(|alias| wildcard::matches(pattern, alias));
            if options.expand_open && shown && named && may(index) {
                found.insert(Arc::clone(name), Arc::clone(index));
            }
        }
        if found.len() == before && !options.allow_no_indices && pattern != "*" {
            return Err(Unknown(pattern.to_owned()));
        }
        Ok(())
    }

    fn concrete(
        &self,
        name: &str,
        expression: &IndexExpression,
        found: &mut BTreeMap<Arc<str>, Arc<IndexMetadata>>,
    ) -> Result<(), Unknown> {
        let behind: Vec<_> = match self.index(name) {
            Some(index) => vec![index],
            None => self.indices.values().filter(|index| index.aliases.contains_key(name)).collect(),
        };
        if behind.is_empty() && !expression.options.ignore_unavailable {
            return Err(Unknown(name.to_owned()));
        }
        found.extend(behind.into_iter().map(|index| (Arc::clone(&index.name), Arc::clone(index))));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::node::indices::IndicesOptions;

    fn catalogue() -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (number, name) in ["logs-a", "logs-b", "other", ".ml-anomalies-shared"].into_iter().enumerate() {
            let body = if name == "other" { json!({"aliases": {"nick": {}}}) } else { json!({}) };
            let number = u32::try_from(number).expect("a small number");
            catalogue.put(IndexMetadata::create(name, number, String::new(), 0, &body).expect("an index"));
        }
        catalogue
    }

    fn names(expression: &IndexExpression) -> Result<Vec<String>, Unknown> {
        Ok(catalogue().resolve(expression, |_| true)?.iter().map(|index| index.name.to_string()).collect())
    }

    #[test]
    fn wildcards_lists_exclusions_and_aliases() {
        for (text, expected) in [
            ("", vec!["logs-a", "logs-b", "other"]),
            ("_all", vec!["logs-a", "logs-b", "other"]),
            ("logs-*,-logs-b", vec!["logs-a"]),
            ("other,logs-a", vec!["logs-a", "other"]),
            ("nick", vec!["other"]),
            (".ml-*", vec![".ml-anomalies-shared"]),
            ("none-*", vec![]),
        ] {
            assert_eq!(
                names(&IndexExpression::parse(text)),
                Ok(expected.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn options_decide_what_missing_names_do() {
        let missing = IndexExpression::parse("logs-a,gone");
        assert_eq!(names(&missing), Err(Unknown("gone".to_owned())));
        let lenient = IndicesOptions { ignore_unavailable: true, ..IndicesOptions::default() };
        assert_eq!(names(&missing.with(lenient)), Ok(vec!["logs-a".to_owned()]));
        let strict = IndicesOptions { allow_no_indices: false, ..IndicesOptions::default() };
        assert_eq!(names(&IndexExpression::parse("none-*").with(strict)), Err(Unknown("none-*".to_owned())));
        let hidden = IndicesOptions { expand_hidden: true, ..IndicesOptions::default() };
        assert_eq!(names(&IndexExpression::parse("*").with(hidden)).map(|names| names.len()), Ok(4));
    }

    proptest! {
        #[test]
        fn never_panics_and_finds_only_what_is_there(text in "[-a-z*_,.]{0,24}") {
            let _ = names(&IndexExpression::parse(&text));
        }
    }
}
