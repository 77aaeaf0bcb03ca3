//! What a restore reaches.
//!
//! A snapshot knows no hidden indices: `*`, and no name at all, restore `.ml-*` too, and exclusions are not honoured as
//! taking them away. Without `feature_states` the global state brings all features.

use super::{Hidden, Letters, Scalar, list_reaches_ml};

const FEATURE: &str = "machine_learning";
const EVERYTHING: &str = "all indices of the snapshot";

/// What a restore says of itself.
#[derive(Debug, Default)]
pub(super) struct Restore {
    reached: Option<&'static str>,
    seen: Vec<&'static str>,
    names_indices: bool,
    /// One of the indices begins with a dot: to rename it may give `.ml-*`.
    names_dotted: bool,
    names_features: bool,
    global_state: bool,
    /// A new name may begin otherwise than the old one.
    renames_freely: bool,
    renames: bool,
}

const MEMBERS: [&str; 5] =
    ["indices", "feature_states", "include_global_state", "rename_pattern", "rename_replacement"];

impl Restore {
    pub(super) fn member(&mut self, path: &str) {
        let Some(name) = MEMBERS.into_iter().find(|name| *name == path) else { return };
        if self.seen.contains(&name) {
            // Whichever counts: an empty list among them would be all indices.
            self.reached = Some(name);
        } else {
            self.seen.push(name);
        }
    }

    pub(super) fn scalar(&mut self, path: &str, scalar: Scalar<'_>) {
        match (path, scalar) {
            ("indices", Scalar::Text(list)) => self.indices(list),
            ("feature_states", Scalar::Text(names)) => self.features(names),
            ("include_global_state", Scalar::Bool(false) | Scalar::Text("false")) => {}
            ("include_global_state", _) => self.global_state = true,
            ("rename_replacement", Scalar::Text(text)) => {
                self.renames = true;
                self.renames_freely |= !text.starts_with(|first: char| first.is_ascii_alphanumeric());
            }
            ("indices" | "feature_states" | "rename_replacement", Scalar::Null) => {}
            ("indices" | "feature_states" | "rename_replacement", _) => self.reached = Some("a value that is no name"),
            _ => {}
        }
    }

    fn indices(&mut self, list: &str) {
        if list.split(',').all(|item| item.trim().is_empty()) {
            return;
        }
        self.names_indices = true;
        self.names_dotted |= list.split(',').any(|item| item.trim_start().starts_with(['.', '<']));
        let only_excludes = list.split(',').all(|item| item.trim_start().starts_with('-'));
        if only_excludes || list_reaches_ml(list.as_bytes(), Hidden::Included, Letters::Exact) {
            self.reached = Some("indices");
        }
    }

    fn features(&mut self, names: &str) {
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            self.names_features = true;
            if name == FEATURE || name == "_all" || name.contains('*') {
                self.reached = Some(FEATURE);
            }
        }
    }

    pub(super) fn reached(&self) -> Option<&'static str> {
        let rest = || {
            if !self.names_indices {
                Some(EVERYTHING)
            } else if self.global_state && !self.names_features {
                Some(FEATURE)
            } else if self.renames && (self.renames_freely || self.names_dotted) {
                Some("rename_replacement")
            } else {
                None
            }
        };
        self.reached.or_else(rest)
    }
}
