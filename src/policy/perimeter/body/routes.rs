//! Which requests have a body that decides, by their path.

use super::Reading;
use super::document::{
    ACTIONS, ALIAS, AUTO_FOLLOW, Document, INDEX, MIGRATE, MOUNT, PIPELINE, REINDEX, REROUTE, RESTORE, ROLLUP,
    SETTINGS, TEMPLATE, TRANSFORM, WATCH,
};
use crate::policy::classify::Perimeter;
use crate::policy::classify::segments::{Letters, Segments};
use crate::policy::perimeter::{CLUSTER_SETTINGS, ML_INDEX_WRITE, ML_RESTORE};

/// `{}` is any segment, `{index}` one that begins no API.
type Shape = &'static [&'static str];

#[rustfmt::skip] // a table
static DOCUMENTS: &[(Shape, &Document, Perimeter)] = &[
    (&["{index}"], &INDEX, ML_INDEX_WRITE),
    (&["{}", "_clone", "{}"], &INDEX, ML_INDEX_WRITE),
    (&["{}", "_shrink", "{}"], &INDEX, ML_INDEX_WRITE),
    (&["{}", "_split", "{}"], &INDEX, ML_INDEX_WRITE),
    (&["{}", "_rollover"], &INDEX, ML_INDEX_WRITE),
    (&["{}", "_rollover", "{}"], &INDEX, ML_INDEX_WRITE),
    (&["_reindex"], &REINDEX, ML_INDEX_WRITE),
    (&["_aliases"], &ACTIONS, ML_INDEX_WRITE),
    (&["_data_stream", "_modify"], &ACTIONS, ML_INDEX_WRITE),
    (&["_alias"], &ALIAS, ML_INDEX_WRITE),
    (&["_alias", "{}"], &ALIAS, ML_INDEX_WRITE),
    (&["_aliases", "{}"], &ALIAS, ML_INDEX_WRITE),
    (&["{}", "_alias"], &ALIAS, ML_INDEX_WRITE),
    (&["{}", "_aliases"], &ALIAS, ML_INDEX_WRITE),
    (&["{}", "_alias", "{}"], &ALIAS, ML_INDEX_WRITE),
    (&["{}", "_aliases", "{}"], &ALIAS, ML_INDEX_WRITE),
    (&["_index_template", "{}"], &TEMPLATE, ML_INDEX_WRITE),
    (&["_component_template", "{}"], &TEMPLATE, ML_INDEX_WRITE),
    (&["_template", "{}"], &TEMPLATE, ML_INDEX_WRITE),
    (&["_snapshot", "{}", "{}", "_restore"], &RESTORE, ML_RESTORE),
    (&["_snapshot", "{}", "{}", "_mount"], &MOUNT, ML_INDEX_WRITE),
    (&["_cluster", "settings"], &SETTINGS, CLUSTER_SETTINGS),
    (&["_cluster", "reroute"], &REROUTE, ML_INDEX_WRITE),
    (&["_transform", "{}"], &TRANSFORM, ML_INDEX_WRITE),
    (&["_transform", "{}", "_update"], &TRANSFORM, ML_INDEX_WRITE),
    (&["_data_frame", "transforms", "{}"], &TRANSFORM, ML_INDEX_WRITE),
    (&["_data_frame", "transforms", "{}", "_update"], &TRANSFORM, ML_INDEX_WRITE),
    (&["_rollup", "job", "{}"], &ROLLUP, ML_INDEX_WRITE),
    (&["_xpack", "rollup", "job", "{}"], &ROLLUP, ML_INDEX_WRITE),
    (&["_ccr", "auto_follow", "{}"], &AUTO_FOLLOW, ML_INDEX_WRITE),
    (&["_ingest", "pipeline", "{}"], &PIPELINE, ML_INDEX_WRITE),
    (&["_migration", "reindex"], &MIGRATE, ML_INDEX_WRITE),
    // Also `_watcher/watch/_execute`.
    (&["_watcher", "watch", "{}"], &WATCH, ML_INDEX_WRITE),
    (&["_watcher", "watch", "{}", "_execute"], &WATCH, ML_INDEX_WRITE),
    (&["_xpack", "watcher", "watch", "{}"], &WATCH, ML_INDEX_WRITE),
    (&["_xpack", "watcher", "watch", "{}", "_execute"], &WATCH, ML_INDEX_WRITE),
];

/// How the body of a request with that path is to be read, and the rule that it may fall under.
pub(super) fn find(segments: &Segments<'_>, letters: Letters) -> Option<(Reading, Perimeter)> {
    let path = segments.from(0);
    // Also `/{index}/{type}/_bulk` of 7.x.
    if segments.count() <= 3 && path.last().is_some_and(|last| letters.equal(last, b"_bulk")) {
        return Some((Reading::Bulk, ML_INDEX_WRITE));
    }
    let (_, document, rule) = DOCUMENTS.iter().find(|(shape, ..)| fits(path, shape, letters))?;
    let has_more = segments.count() > path.len();
    (!has_more).then_some((Reading::Document(document), *rule))
}

fn fits(path: &[&[u8]], shape: &[&str], letters: Letters) -> bool {
    path.len() == shape.len()
        && path.iter().zip(shape).all(|(segment, expected)| match *expected {
            "{}" => true,
            "{index}" => !segment.starts_with(b"_"),
            literal => letters.equal(segment, literal.as_bytes()),
        })
}
