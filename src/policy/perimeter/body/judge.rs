//! Judges one document, member by member, as it is read.

use super::document::Document;
use super::restore::Restore;
use super::{Hidden, Inspection, Letters, Reading, list_reaches_ml, script, settings};

/// Paths longer than this are taken to reach ML: no API has such members, and looking at them again and again costs.
const PATH_BYTES_MAX: usize = 4096;

/// A value that is no object and no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar<'a> {
    Text(&'a str),
    Bool(bool),
    Null,
    Number,
}

/// Is told every member and every scalar of a document; says in the end what of ML it reaches.
///
/// Where a member comes twice both count: which of them Elasticsearch takes depends on its version.
#[derive(Debug)]
pub struct Judge {
    document: &'static Document,
    hidden: Hidden,
    restore: Restore,
    found: Option<String>,
}

impl Judge {
    /// `None` for a body that is no document.
    pub fn new(inspection: &Inspection) -> Option<Self> {
        match inspection.reading {
            Reading::Bulk => None,
            Reading::Document(document) => {
                Some(Self { document, hidden: inspection.hidden, restore: Restore::default(), found: None })
            }
        }
    }

    /// A member begins; `path` ends with its name. See [`Document`] for paths.
    pub fn member(&mut self, path: &str) {
        if self.found.is_some() {
            return;
        }
        if path.len() > PATH_BYTES_MAX {
            self.find("a member that is nested too deep");
        }
        let below = |parent: &str| path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.'));
        if let Some(name) =
            self.document.parents.iter().find_map(|parent| below(parent).filter(|name| self.reaches(name)))
        {
            self.find(name);
        }
        if self.document.settings && settings::is_of_ml(path) {
            self.find(path);
        }
        if self.document.restores {
            self.restore.member(path);
        }
    }

    /// A scalar at `path`, in lists or not.
    pub fn scalar(&mut self, path: &str, scalar: Scalar<'_>) {
        if self.found.is_some() {
            return;
        }
        if let Scalar::Text(text) = scalar
            && self.names_ml(path, text)
        {
            self.find(text);
        }
        if self.document.script && script::may_choose_destination(path, scalar) {
            self.find(path);
        }
        if self.document.settings && scalar == Scalar::Null && settings::is_above_ml(path) {
            self.find(path);
        }
        if self.document.restores {
            self.restore.scalar(path, scalar);
        }
    }

    /// What it reaches of ML, as the body names it; at most a few hundred bytes.
    pub fn verdict(self) -> Option<String> {
        let restored = || self.restore.reached().map(str::to_owned).filter(|_| self.document.restores);
        self.found.clone().or_else(restored)
    }

    fn names_ml(&self, path: &str, text: &str) -> bool {
        let is_one_of = |members: &[&str]| members.iter().any(|member| matches(path, member));
        let is_name = self.document.any_text || is_one_of(self.document.values);
        (is_name && self.reaches(text))
            || (is_one_of(self.document.patterns) && list_reaches_ml(text.as_bytes(), Hidden::Included, Letters::Exact))
    }

    fn reaches(&self, list: &str) -> bool {
        !list.is_empty() && list_reaches_ml(list.as_bytes(), self.hidden, Letters::Exact)
    }

    fn find(&mut self, name: &str) {
        if self.found.is_none() {
            self.found = Some(shown(name));
        }
    }
}

/// A name as it may stand in an answer and in the log.
pub fn shown(name: &str) -> String {
    const CHARACTERS_MAX: usize = 255;
    name.chars().take(CHARACTERS_MAX).collect()
}

/// See [`Document`].
fn matches(path: &str, pattern: &str) -> bool {
    if let Some((first, last)) = pattern.split_once("**") {
        return path.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)).is_some();
    }
    let (mut names, mut expected) = (path.split('.'), pattern.split('.'));
    loop {
        match (names.next(), expected.next()) {
            (None, None) => return true,
            (Some(_), Some("*")) => {}
            (Some(name), Some(literal)) if name == literal => {}
            _ => return false,
        }
    }
}
