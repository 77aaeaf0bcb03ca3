//! Finds the routes of a path as Elasticsearch's `PathTrie` does.
//!
//! The raw path is split at `/`; trailing empty segments vanish, a first empty one is skipped. Literals are compared raw, one wildcard
//! child a node takes any segment. Four passes, from literals only to wildcards anywhere.
//!
//! One thing is not Elasticsearch's: a first segment such as `_reindex` is never an index. Elasticsearch has nearly every API that it
//! could be, and refuses the index; this node has few, and says that there is none.

use std::collections::BTreeMap;

/// Where wildcards may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Literal,
    WildcardRoot,
    WildcardLeaf,
    Wildcard,
}

pub(super) const PASSES: [Pass; 4] = [Pass::Literal, Pass::WildcardRoot, Pass::WildcardLeaf, Pass::Wildcard];

/// Stands for any segment; also what a raw `*` segment matches in every pass.
const WILDCARD: &str = "*";

/// A tree of templates, with a value where one ends.
#[derive(Debug)]
pub(super) struct Trie<T> {
    root: TrieNode<T>,
}

#[derive(Debug)]
struct TrieNode<T> {
    value: Option<T>,
    children: BTreeMap<String, TrieNode<T>>,
}

impl<T> Default for TrieNode<T> {
    fn default() -> Self {
        Self { value: None, children: BTreeMap::new() }
    }
}

impl<T: Default> Trie<T> {
    pub(super) fn new() -> Self {
        Self { root: TrieNode::default() }
    }

    /// The value at a template, made when it is missing.
    pub(super) fn at(&mut self, template: &str) -> &mut T {
        let mut node = &mut self.root;
        for segment in template.split('/').filter(|segment| !segment.is_empty()) {
            let name = if segment.starts_with('{') { WILDCARD } else { segment };
            node = node.children.entry(name.to_owned()).or_default();
        }
        node.value.get_or_insert_default()
    }

    /// The value for a raw path in one pass.
    pub(super) fn find(&self, path: &str, pass: Pass) -> Option<&T> {
        let segments = segments(path);
        if segments.is_empty() {
            return self.root.value.as_ref();
        }
        // Only a path with a leading slash has its first segment where the second pass looks.
        let rooted = path.starts_with('/');
        self.root.find(&segments, 0, rooted, pass)
    }
}

/// The segments of a raw path, as templates count them.
pub(super) fn segments(path: &str) -> Vec<&str> {
    let mut segments: Vec<&str> = path.split('/').collect();
    while segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    if segments.first().is_some_and(|first| first.is_empty()) {
        segments.remove(0);
    }
    segments
}

/// Whether a first segment cannot be the name of an index.
fn names_an_api(segment: &str) -> bool {
    segment.starts_with('_') && segment != "_all"
}

impl<T> TrieNode<T> {
    fn find(&self, segments: &[&str], at: usize, rooted: bool, pass: Pass) -> Option<&T> {
        let token = segments.get(at)?;
        let last = at + 1 == segments.len();
        let root = at == 0 && rooted;
        let wildcard = self.children.get(WILDCARD).filter(|_| at > 0 || !names_an_api(token));
        let (node, used_wildcard) = match self.children.get(*token) {
            None if pass == Pass::Wildcard => (wildcard?, true),
            None if pass == Pass::WildcardRoot && root => (wildcard?, true),
            None if pass == Pass::WildcardLeaf && last => (wildcard?, true),
            None => return None,
            Some(node) => match wildcard {
                Some(wildcard)
                    if last && node.value.is_none() && matches!(pass, Pass::WildcardLeaf | Pass::Wildcard) =>
                {
                    (wildcard, true)
                }
                Some(wildcard) if root && node.value.is_none() && pass == Pass::WildcardRoot => (wildcard, true),
                _ => (node, *token == WILDCARD),
            },
        };
        if last {
            return node.value.as_ref();
        }
        let found = node.find(segments, at + 1, rooted, pass);
        if found.is_none() && !used_wildcard && pass != Pass::Literal {
            return wildcard?.find(segments, at + 1, rooted, pass);
        }
        found
    }
}
