//! The route table: which route a method and a raw path mean, by section g of Elasticsearch's rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;

use super::Route;
use super::trie::{PASSES, Trie, segments};
use crate::node::http::{QueryProblem, decode};

/// All routes, legacy ones too.
#[derive(Debug)]
pub struct Table {
    trie: Trie<BTreeMap<String, Arc<Entry>>>,
}

/// A route under one of its templates.
#[derive(Clone, Debug)]
pub struct Entry {
    pub route: Arc<Route>,
    /// As it was matched: the legacy form has another prefix.
    pub template: String,
    pub legacy: bool,
}

/// What a request line means.
#[derive(Clone, Debug)]
pub enum Match {
    Found(Arc<Entry>),
    /// `OPTIONS` is answered without a handler; the methods there are.
    Options(BTreeSet<String>),
    /// The path has handlers for other methods.
    WrongMethod(BTreeSet<String>),
    NoHandler,
}

impl Table {
    pub fn new(routes: Vec<Route>) -> Self {
        let mut trie: Trie<BTreeMap<String, Arc<Entry>>> = Trie::new();
        for route in routes.into_iter().map(Arc::new) {
            let legacy = route.template.strip_prefix("/_ml/").filter(|_| route.legacy);
            let legacy = legacy.map(|rest| (format!("/_xpack/ml/{rest}"), true));
            for (template, legacy) in std::iter::once((route.template.to_owned(), false)).chain(legacy) {
                let entry = Entry { route: Arc::clone(&route), template: template.clone(), legacy };
                trie.at(&template).insert(route.method.as_str().to_owned(), Arc::new(entry));
            }
        }
        Self { trie }
    }

    /// Finds the route: the first pass with a handler for the method wins.
    pub fn find(&self, method: &Method, path: &str) -> Match {
        for pass in PASSES {
            let handlers = self.trie.find(path, pass);
            if let Some(entry) = handlers.and_then(|handlers| handlers.get(method.as_str())) {
                return Match::Found(Arc::clone(entry));
            }
            let known: BTreeSet<String> = PASSES
                .iter()
                .filter_map(|pass| self.trie.find(path, *pass))
                .flat_map(|handlers| handlers.keys().cloned())
                .collect();
            if !known.contains(method.as_str()) {
                if *method == Method::OPTIONS {
                    return Match::Options(known);
                }
                if !known.is_empty() {
                    return Match::WrongMethod(known);
                }
            }
        }
        Match::NoHandler
    }
}

impl Entry {
    /// The decoded path parameters; segments are decoded after the split.
    ///
    /// # Errors
    /// A malformed escape.
    pub fn parameters(&self, path: &str) -> Result<BTreeMap<&'static str, String>, QueryProblem> {
        let mut parameters = BTreeMap::new();
        let template = self.route.template.split('/').filter(|segment| !segment.is_empty());
        // Both forms end alike: the legacy prefix is one segment longer.
        let skipped = usize::from(self.legacy);
        for (name, raw) in template.zip(segments(path).into_iter().skip(skipped)) {
            let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            if let Some(name) = name {
                parameters.insert(name, decode(raw, false)?);
            }
        }
        Ok(parameters)
    }
}

#[cfg(test)]
mod tests;
