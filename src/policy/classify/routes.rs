//! The table of ML endpoints as the search tree in which Elasticsearch finds its handlers.
//!
//! Source: `server/.../common/path/PathTrie.java` and `RestController.tryAllHandlers`.

use std::sync::LazyLock;

use super::segments::{Letters, Segments};
use crate::policy::catalog;
use crate::policy::operation::Operation;

/// What the table has for a path and a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Operation(&'static Operation),
    /// The path is there with these methods only, sorted.
    OtherMethods(Vec<&'static str>),
    Nothing,
}

/// Searches in four passes; the first that has the method wins.
pub(super) fn find(method: &str, segments: &Segments<'_>, letters: Letters) -> Found {
    let hits = [Pass::Literal, Pass::FirstWildcard, Pass::LastWildcard, Pass::Wildcards].map(|pass| {
        let search = Search { segments, letters, pass };
        search.retrieve(&ROOT, 0)
    });
    if let Some(operation) = hits.iter().flatten().find_map(|node| node.operation(method)) {
        return Found::Operation(operation);
    }
    let mut methods: Vec<_> =
        hits.iter().flatten().flat_map(|node| &node.operations).map(|operation| operation.method).collect();
    methods.sort_unstable();
    methods.dedup();
    if methods.is_empty() { Found::Nothing } else { Found::OtherMethods(methods) }
}

/// Whether `segment` is written out in the table right below the literal segment `first`.
pub(super) fn is_literal_below(first: &str, segment: &[u8], letters: Letters) -> bool {
    ROOT.literal(first.as_bytes(), Letters::Exact).is_some_and(|node| node.literal(segment, letters).is_some())
}

/// Where a pass may use the wildcard of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Nowhere.
    Literal,
    /// At the first segment.
    FirstWildcard,
    /// At the last segment.
    LastWildcard,
    /// Everywhere.
    Wildcards,
}

#[derive(Default)]
struct Node {
    literals: Vec<(&'static str, Node)>,
    /// The child for `{...}`.
    wildcard: Option<Box<Node>>,
    /// One a method.
    operations: Vec<&'static Operation>,
}

static ROOT: LazyLock<Node> = LazyLock::new(|| {
    let mut root = Node::default();
    for operation in catalog::operations() {
        let mut node = &mut root;
        for segment in operation.template.split('/').skip(1) {
            node = node.child_for(segment);
        }
        node.operations.push(operation);
    }
    root
});

impl Node {
    fn child_for(&mut self, segment: &'static str) -> &mut Self {
        if segment.starts_with('{') {
            return self.wildcard.get_or_insert_default();
        }
        // Found by position first: a reference from `find` would keep `self` borrowed for the push.
        let place = self.literals.iter().position(|(literal, _)| *literal == segment);
        if place.is_none() {
            self.literals.push((segment, Self::default()));
        }
        let place = place.unwrap_or(self.literals.len() - 1);
        #[expect(clippy::indexing_slicing, reason = "the position was found or pushed two lines above")]
        &mut self.literals[place].1
    }

    fn literal(&self, segment: &[u8], letters: Letters) -> Option<&Self> {
        self.literals.iter().find(|(literal, _)| letters.equal(segment, literal.as_bytes())).map(|(_, node)| node)
    }

    fn operation(&self, method: &str) -> Option<&'static Operation> {
        self.operations.iter().copied().find(|operation| operation.method == method)
    }
}

struct Search<'a> {
    segments: &'a Segments<'a>,
    letters: Letters,
    pass: Pass,
}

impl Search<'_> {
    /// The node that the segments from `index` on lead to, if it serves any method.
    fn retrieve<'n>(&self, node: &'n Node, index: usize) -> Option<&'n Node> {
        let segment = self.segments.get(index)?;
        let is_last = index + 1 == self.segments.count();
        let wildcard = node.wildcard.as_deref();
        // A raw `*` is how the tree itself names the wildcard child, so it is found in every pass.
        let is_star = segment == b"*";
        let named = if is_star { wildcard } else { node.literal(segment, self.letters) };
        let (next, used_wildcard) = match named {
            None if self.may_use_wildcard(index, is_last) => (wildcard?, true),
            None => return None,
            Some(named) => match wildcard {
                Some(wildcard) if named.operations.is_empty() && self.prefers_wildcard(index, is_last) => {
                    (wildcard, true)
                }
                Some(_) | None => (named, is_star),
            },
        };
        if is_last {
            return (!next.operations.is_empty()).then_some(next);
        }
        let below = self.retrieve(next, index + 1);
        if below.is_some() || used_wildcard || self.pass == Pass::Literal {
            return below;
        }
        self.retrieve(wildcard?, index + 1)
    }

    fn may_use_wildcard(&self, index: usize, is_last: bool) -> bool {
        match self.pass {
            Pass::Literal => false,
            Pass::FirstWildcard => index == 0,
            Pass::LastWildcard => is_last,
            Pass::Wildcards => true,
        }
    }

    /// Over a literal child that serves nothing itself.
    fn prefers_wildcard(&self, index: usize, is_last: bool) -> bool {
        match self.pass {
            Pass::Literal => false,
            Pass::FirstWildcard => index == 0,
            Pass::LastWildcard | Pass::Wildcards => is_last,
        }
    }
}
