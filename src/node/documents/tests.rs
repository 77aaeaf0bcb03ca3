use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::node::clock::Clock;
use crate::node::indices::IndexExpression;
use crate::node::security::Access;
use crate::node::store::{Batch, Source, Store};

struct Bench {
    documents: Documents,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn with(sources: &[Value]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut batch = Batch::new();
        // One that makes the mapping, whatever the others have.
        batch.index("a", "first", Source::from_value(json!({"at": "1970-01-01", "n": 0})).expect("an object"));
        for (number, source) in sources.iter().enumerate() {
            batch.index(
                ["a", "b"][number % 2],
                number.to_string(),
                Source::from_value(source.clone()).expect("an object"),
            );
        }
        runtime.block_on(store.commit(batch)).expect("a commit").all().expect("all written");
        Self { documents: Documents::new(store, Clock::system()), runtime, _folder: folder }
    }

    fn search(&self, request: SearchRequest) -> Hits {
        self.runtime.block_on(self.documents.search(request, &Access::Everything)).expect("hits")
    }

    /// All pages of so many hits.
    fn pages(&self, mut request: SearchRequest, size: usize) -> Vec<(String, Vec<Value>)> {
        let mut found = Vec::new();
        request.size = size;
        loop {
            let hits = self.search(request.clone()).hits;
            let Some(last) = hits.last() else { return found };
            request.search_after = Some(last.sort.clone());
            found.extend(hits.into_iter().map(|hit| (hit.document.id, hit.sort)));
            assert!(found.len() < 1000, "the pages do not end");
        }
    }
}

fn request(query: QueryNode, direction: Direction) -> SearchRequest {
    let by =
        |field: &str, direction| Sort { field: field.to_owned(), direction, missing: Missing::Last, unmapped: true };
    SearchRequest {
        sort: vec![by("at", direction), by("_id", Direction::Ascending)],
        ..SearchRequest::new(IndexExpression::parse(""), query)
    }
}

fn source() -> impl Strategy<Value = Value> {
    let time = || (0..12_i64).prop_map(|time| json!(time * 1000));
    prop_oneof![
        6 => (time(), 0..3).prop_map(|(at, n)| json!({"at": at, "n": n})),
        2 => (proptest::collection::vec(time(), 0..4), 0..3).prop_map(|(at, n)| json!({"at": at, "n": n})),
        1 => (0..3).prop_map(|n| json!({"n": n})),
    ]
}

fn query() -> impl Strategy<Value = QueryNode> {
    let parsed = |value: Value| QueryNode::parse(&value).expect("a query");
    prop_oneof![
        Just(QueryNode::MatchAll),
        (0..3).prop_map(move |n| parsed(json!({"term": {"n": n}}))),
        (0..12, 0..12)
            .prop_map(move |(from, to)| parsed(json!({"range": {"at": {"gte": from * 1000, "lt": to * 1000}}}))),
        (0..12, 0..3).prop_map(move |(from, n)| {
            parsed(json!({"bool": {"filter": [{"range": {"at": {"gte": from * 1000}}}, {"term": {"n": n}}]}}))
        }),
    ]
}

#[test]
fn a_page_goes_on_after_a_time_that_would_also_be_a_year() {
    let bench = Bench::with(&[json!({"at": 20_000}), json!({"at": "1970-01-01T00:00:02Z"})]);
    let walked = SearchRequest { track_total: TrackTotal::No, ..request(QueryNode::MatchAll, Direction::Ascending) };
    let ids: Vec<_> = bench.pages(walked, 1).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["first", "1", "0"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// Where all matches are counted every one of them is looked at; otherwise a page ends the walk.
    #[test]
    fn pages_in_the_order_of_time_are_those_of_a_search_that_looks_at_everything(
        sources in proptest::collection::vec(source(), 0..40),
        query in query(),
        descending in any::<bool>(),
        size in 1..8_usize,
    ) {
        let bench = Bench::with(&sources);
        let direction = if descending { Direction::Descending } else { Direction::Ascending };
        let counted = SearchRequest {
            track_total: TrackTotal::Exactly,
            size: 1000,
            ..request(QueryNode::Bool {
                must: vec![query.clone()],
                filter: Vec::new(),
                should: Vec::new(),
                must_not: Vec::new(),
                minimum_should_match: 0,
            }, direction)
        };
        let hits = bench.search(counted);
        let expected: Vec<_> = hits.hits.into_iter().map(|hit| (hit.document.id, hit.sort)).collect();
        let walked = SearchRequest { track_total: TrackTotal::No, ..request(query.clone(), direction) };
        prop_assert_eq!(bench.pages(walked, size), expected.clone());
        let known = request(query, direction);
        let page = bench.search(SearchRequest { size, ..known.clone() });
        prop_assert_eq!(page.total, hits.total);
        prop_assert_eq!(bench.pages(known, size), expected);
    }
}

#[test]
fn what_begins_alike_is_found_by_id_page_by_page() {
    let bench = Bench::with(&vec![json!({}); 300]);
    let page = |prefix: &str, after: Option<&str>, limit| {
        let found = bench.runtime.block_on(bench.documents.with_prefix("a", prefix, after, limit)).expect("a page");
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(page("2", None, 3), ["2", "20", "200"]);
    assert_eq!(page("29", Some("294"), 9), ["296", "298"]);
    assert_eq!(page("29", Some("1"), 1), ["290"], "what comes before is no place to go on from");
    assert_eq!(page("f", None, 9), ["first"]);
    assert!(page("x", None, 9).is_empty() && page("29", Some("5"), 9).is_empty() && page("2", None, 0).is_empty());
    let nowhere = bench.runtime.block_on(bench.documents.with_prefix("missing", "", None, 9)).expect("none");
    assert!(nowhere.is_empty());
}
