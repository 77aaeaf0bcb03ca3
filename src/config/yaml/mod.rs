//! YAML as a tree that knows where everything stands.
//!
//! The subset that configs need: one document of mappings, lists and scalars, no aliases, no tags. A serde deserializer
//! ends at the first problem and forgets positions; on this tree every problem is found, with its line and column.

mod parse;

pub(super) use parse::parse;
pub use parse::{Construct, YamlFault};

use super::key_path::{KeyPath, Step};

/// A position in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A value and where it starts.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    /// In the order of the file, without duplicates.
    Mapping(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Written without quotes: may mean a number, a truth value, or nothing.
    pub(super) plain: bool,
    /// The text before variables were replaced, if there were any.
    pub(super) template: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) mark: Mark,
    pub(super) node: Node,
}

impl Scalar {
    /// Nothing, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// Where `path` stands: its value, or as much of the way to it as there is.
    pub(super) fn locate(&self, path: &KeyPath) -> Mark {
        let mut found = (self, self.mark);
        for step in path.steps() {
            match found.0.child(step) {
                Some(next) => found = next,
                None => break,
            }
        }
        found.1
    }

    fn child(&self, step: &Step) -> Option<(&Self, Mark)> {
        match (&self.value, step) {
            (Value::List(nodes), Step::Index(index)) => nodes.get(*index).map(|node| (node, node.mark)),
            (Value::Mapping(entries), Step::Key(key)) => {
                let entry = entries.iter().find(|entry| entry.key == *key)?;
                // A mapping or list below its key is best pointed at by the key.
                let mark = if matches!(entry.node.value, Value::Scalar(_)) { entry.node.mark } else { entry.mark };
                Some((&entry.node, mark))
            }
            (Value::List(_), Step::Key(_)) | (Value::Mapping(_), Step::Index(_)) | (Value::Scalar(_), _) => None,
        }
    }
}
