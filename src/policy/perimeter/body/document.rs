//! Which members of which documents name what a request reaches.

/// The members of a document that decide. A path is the names of members from the outside in, with a `.` between them;
/// lists do not count, so that a text and a list of texts have the same path. `*` is any one member,
/// `**` one or more: for names that may have a `.` in them.
#[derive(Debug, PartialEq, Eq)]
pub struct Document {
    /// Members whose texts are lists of indices.
    pub(super) values: &'static [&'static str],
    /// Members whose texts are patterns that match a dot in front too.
    pub(super) patterns: &'static [&'static str],
    /// Members whose own members are named as what they make.
    pub(super) parents: &'static [&'static str],
    /// Every text may become an index.
    pub(super) any_text: bool,
    /// Has a script that may choose where a document goes.
    pub(super) script: bool,
    /// Settings of the cluster.
    pub(super) settings: bool,
    /// A restore: what it does not name is restored too.
    pub(super) restores: bool,
}

const NOTHING: Document = Document {
    values: &[],
    patterns: &[],
    parents: &[],
    any_text: false,
    script: false,
    settings: false,
    restores: false,
};

const fn named(values: &'static [&'static str]) -> Document {
    Document { values, ..NOTHING }
}

pub(super) static REINDEX: Document = Document { script: true, ..named(&["dest.index"]) };

/// `_aliases`, `_data_stream/_modify`.
pub(super) static ACTIONS: Document =
    named(&["actions.*.index", "actions.*.indices", "actions.*.alias", "actions.*.aliases", "actions.*.data_stream"]);

pub(super) static ALIAS: Document = named(&["index", "indices", "alias", "aliases", "name"]);

/// What makes an index: new, copied or rolled over.
pub(super) static INDEX: Document = Document { parents: &["aliases"], ..NOTHING };

/// `template` was the pattern in early versions.
pub(super) static TEMPLATE: Document =
    Document { parents: &["aliases", "template.aliases"], ..named(&["index_patterns", "template"]) };

pub(super) static MOUNT: Document = named(&["index", "renamed_index"]);

pub(super) static RESTORE: Document = Document { restores: true, ..NOTHING };

pub(super) static SETTINGS: Document = Document { settings: true, ..NOTHING };

pub(super) static REROUTE: Document = named(&["commands.*.index"]);

pub(super) static TRANSFORM: Document = named(&["dest.index", "dest.aliases.alias"]);

pub(super) static ROLLUP: Document = named(&["rollup_index"]);

/// Without a pattern for them the followers are named as their leaders.
pub(super) static AUTO_FOLLOW: Document =
    Document { patterns: &["leader_index_patterns"], ..named(&["follow_index_pattern"]) };

/// A watch, or one that is to be executed at once.
pub(super) static WATCH: Document = named(&["actions.**.index.index", "watch.actions.**.index.index"]);

pub(super) static MIGRATE: Document = named(&["source.index"]);

/// Processors set `_index` in several ways; all of them write the name as a text.
pub(super) static PIPELINE: Document = Document { any_text: true, ..NOTHING };
