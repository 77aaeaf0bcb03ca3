//! Writes to `.ml-*` as far as method, path and query tell.
//!
//! Everything that is not known to read is a write: an API that a later Elasticsearch adds is judged as one.

use super::index_names::{Hidden, list_reaches_ml, segment_reaches_ml};
use super::query::{hidden, parameters, values};
use crate::policy::classify::segments::{Letters, Segments};

/// Whether the request writes to `.ml-*`.
pub(super) fn is_ml_write(method: &str, segments: &Segments<'_>, query: Option<&str>, letters: Letters) -> bool {
    if matches!(method, "GET" | "HEAD" | "OPTIONS") {
        return false;
    }
    let Some(first) = segments.get(0) else { return false };
    let request = Request { method, query, letters };
    if first.starts_with(b"_") && !letters.equal(first, b"_all") {
        request.writes_at_root(segments.from(0))
    } else {
        request.writes_at_index(first, segments.from(1))
    }
}

/// What may stand behind an index, or alone, in a POST that changes no document and no index. `{}` is any segment.
///
/// Exact in their depth: `POST /{index}/_search/1` is no search but, in older versions, a document.
#[rustfmt::skip] // a table
const READS: &[&[&str]] = &[
    &["_search"], &["_search", "template"], &["_search", "point_in_time"], &["_search", "scroll"], &["_search_shards"],
    &["_msearch"], &["_msearch", "template"], &["_async_search"], &["_eql", "search"], &["_knn_search"], &["_rollup_search"],
    &["_mvt", "{}", "{}", "{}", "{}"], &["_pit"], &["_count"], &["_mget"], &["_field_caps"], &["_terms_enum"],
    &["_explain", "{}"], &["_validate", "query"], &["_rank_eval"], &["_analyze"], &["_graph", "explore"],
    &["_termvectors"], &["_termvectors", "{}"], &["_mtermvectors"], &["_disk_usage"], &["_reload_search_analyzers"],
    &["_refresh"], &["_flush"], &["_flush", "synced"], &["_cache", "clear"],
    // With a mapping type of 7.x in front.
    &["{type}", "_search"], &["{type}", "_msearch"], &["{type}", "_count"], &["{type}", "_mget"],
];

/// Root APIs that concern all indices when none is named.
const ALL_INDICES: &[&[u8]] =
    &[b"_settings", b"_mapping", b"_mappings", b"_close", b"_open", b"_forcemerge", b"_upgrade"];

/// APIs whose second segment behind the index names what is created.
const TARGETS: &[&[u8]] = &[b"_clone", b"_shrink", b"_split", b"_rollover", b"_downsample"];

/// Templates: those of ML are named as its indices, and wildcards in such names match a dot in front too.
const TEMPLATES: &[&[u8]] = &[b"_index_template", b"_component_template", b"_template"];

struct Request<'a> {
    method: &'a str,
    query: Option<&'a str>,
    letters: Letters,
}

impl Request<'_> {
    /// `/{index}/...`; `tail` is what stands behind the index. Names are looked at first: most requests end there.
    fn writes_at_index(&self, index: &[u8], tail: &[&[u8]]) -> bool {
        let names_ml =
            self.segment(index) || tail.split_first().is_some_and(|(api, rest)| self.names_target(api, rest));
        names_ml && !self.reads(tail)
    }

    /// `/_api/...`: the index stands behind the API or in the query.
    fn writes_at_root(&self, segments: &[&[u8]]) -> bool {
        let Some((api, tail)) = segments.split_first() else { return false };
        let named_behind: &[&[u8]] = match tail {
            [..] if self.is(api, b"_data_stream") => tail,
            [_, destination, ..] if self.is(api, b"_create_from") => &[*destination],
            [_, index, ..] if self.is(api, b"_ilm") => &[*index],
            [_, index, ..] if self.is(api, b"_migration") => &[*index],
            _ => &[],
        };
        let names_ml = named_behind.iter().any(|segment| self.segment(segment))
            || self.names_target(api, tail)
            || self.names_template(api, tail)
            || self.query_names_index(api);
        names_ml && !self.reads(segments)
    }

    /// Elasticsearch reads a path parameter that the route lacks from the query.
    fn query_names_index(&self, api: &[u8]) -> bool {
        let mut indices = values(self.query, "index").peekable();
        if indices.peek().is_none() {
            return self.is_one_of(api, ALL_INDICES) && self.hidden() == Hidden::Included;
        }
        indices.any(|list| list_reaches_ml(&list, self.hidden(), self.letters))
    }

    /// What is created or renamed beside the index: behind the API, or in the query.
    fn names_target(&self, api: &[u8], rest: &[&[u8]]) -> bool {
        let is_alias = self.is(api, b"_alias") || self.is(api, b"_aliases");
        if !is_alias && !self.is_one_of(api, TARGETS) {
            return false;
        }
        let names = |name: &[u8]| match name {
            b"new_index" | b"target" | b"target_index" => true,
            b"name" => is_alias,
            _ => false,
        };
        let reaches = |list: &[u8]| list_reaches_ml(list, self.hidden(), self.letters);
        rest.first().is_some_and(|target| self.segment(target))
            || parameters(self.query).any(|(name, value)| names(&name) && reaches(&value))
    }

    fn names_template(&self, api: &[u8], tail: &[&[u8]]) -> bool {
        let [names] = tail else { return false };
        self.is_one_of(api, TEMPLATES) && segment_reaches_ml(names, Hidden::Included, self.letters)
    }

    fn reads(&self, tail: &[&[u8]]) -> bool {
        self.method == "POST" && READS.iter().any(|read| matches_shape(tail, read))
    }

    fn segment(&self, segment: &[u8]) -> bool {
        !is_plain_name(segment) && segment_reaches_ml(segment, self.hidden(), self.letters)
    }

    fn hidden(&self) -> Hidden {
        hidden(self.query)
    }

    fn is_one_of(&self, api: &[u8], literals: &[&[u8]]) -> bool {
        literals.iter().any(|literal| self.is(api, literal))
    }

    fn is(&self, api: &[u8], literal: &[u8]) -> bool {
        self.letters.equal(api, literal)
    }
}

/// A single name that neither is special nor begins with a dot, as almost all are.
fn is_plain_name(segment: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    segment.first().is_some_and(u8::is_ascii_alphanumeric)
        && segment.iter().all(|byte| is_plain(byte) || matches!(byte, b'_' | b'.'))
}

fn matches_shape(tail: &[&[u8]], shape: &[&str]) -> bool {
    tail.len() == shape.len()
        && tail.iter().zip(shape).all(|(segment, expected)| match *expected {
            "{}" => true,
            "{type}" => !segment.starts_with(b"_"),
            literal => *segment == literal.as_bytes(),
        })
}
