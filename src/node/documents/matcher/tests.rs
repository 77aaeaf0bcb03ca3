use serde_json::json;

use super::*;

fn finds(query: Value, document: Value) -> bool {
    let body = json!({"mappings": {"properties": {
        "at": {"type": "date"}, "n": {"type": "long"}, "f": {"type": "double"}, "ok": {"type": "boolean"},
        "host": {"type": "keyword"}, "ip": {"type": "ip"},
        "text": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 20}}}
    }}});
    let index = IndexMetadata::create("a", 0, String::new(), 0, &body).expect("an index");
    let query = QueryNode::parse(&query).expect("a query");
    Matcher::compile(&query, &index, 1_767_225_600_000).expect("a matcher").matches("1", &document)
}

#[test]
fn terms_by_type() {
    assert!(finds(json!({"term": {"host": "a"}}), json!({"host": ["b", "a"]})));
    assert!(!finds(json!({"term": {"host": "A"}}), json!({"host": "a"})));
    assert!(finds(json!({"term": {"host": {"value": "A", "case_insensitive": true}}}), json!({"host": "a"})));
    assert!(finds(json!({"term": {"n": "5"}}), json!({"n": 5})));
    assert!(finds(json!({"terms": {"n": [4, 5]}}), json!({"n": 5})));
    assert!(finds(json!({"term": {"ok": "true"}}), json!({"ok": true})));
    assert!(finds(json!({"term": {"at": "2026-01-01"}}), json!({"at": "2026-01-01T12:00:00Z"})));
    assert!(finds(json!({"term": {"ip": "10.0.0.0/8"}}), json!({"ip": "10.1.2.3"})));
    assert!(!finds(json!({"term": {"unmapped": 1}}), json!({"unmapped": 1})));
    assert!(finds(json!({"term": {"_id": "1"}}), json!({})));
}

#[test]
fn texts_are_words_and_their_keyword_is_whole() {
    let document = json!({"text": "The quick Fox"});
    assert!(finds(json!({"match": {"text": "FOX jumps"}}), document.clone()));
    assert!(!finds(json!({"match": {"text": {"query": "fox jumps", "operator": "and"}}}), document.clone()));
    assert!(finds(json!({"term": {"text.keyword": "The quick Fox"}}), document.clone()));
    assert!(!finds(json!({"term": {"text.keyword": "x".repeat(21)}}), json!({"text": "x".repeat(21)})));
    assert!(finds(json!({"prefix": {"text.keyword": "The q"}}), document.clone()));
    assert!(finds(json!({"wildcard": {"text.keyword": "*qu?ck*"}}), document));
}

#[test]
fn ranges_of_numbers_and_dates() {
    assert!(finds(json!({"range": {"n": {"gte": 5, "lt": 6}}}), json!({"n": 5})));
    assert!(!finds(json!({"range": {"n": {"gt": 5}}}), json!({"n": 5})));
    assert!(finds(json!({"range": {"n": {"gt": 5.5}}}), json!({"n": 6})));
    assert!(finds(json!({"range": {"at": {"lte": "2026-01-01"}}}), json!({"at": "2026-01-01T23:00:00Z"})));
    assert!(!finds(json!({"range": {"at": {"gt": "2026-01-01"}}}), json!({"at": "2026-01-01T23:00:00Z"})));
    assert!(finds(json!({"range": {"at": {"gte": "now-1d", "lt": "now"}}}), json!({"at": 1_767_225_599_999_i64})));
    assert!(finds(json!({"range": {"at": {"gte": 1000, "format": "epoch_second"}}}), json!({"at": 1_000_000})));
}

#[test]
fn bool_exists_and_ids() {
    let query = json!({"bool": {
        "must": {"exists": {"field": "n"}},
        "must_not": {"term": {"n": 6}},
        "should": [{"term": {"host": "a"}}, {"term": {"host": "b"}}],
        "minimum_should_match": 1,
        "filter": {"ids": {"values": ["1"]}}
    }});
    assert!(finds(query.clone(), json!({"n": 5, "host": "b"})));
    assert!(!finds(query.clone(), json!({"n": 6, "host": "b"})));
    assert!(!finds(query.clone(), json!({"n": null, "host": "b"})));
    assert!(!finds(query, json!({"n": 5, "host": "c"})));
}

#[test]
fn values_that_cannot_be_are_refused() {
    let body = json!({"mappings": {"properties": {"n": {"type": "long"}}}});
    let index = IndexMetadata::create("a", 0, String::new(), 0, &body).expect("an index");
    let refused = |query: Value| {
        let query = QueryNode::parse(&query).expect("a query");
        Matcher::compile(&query, &index, 0).expect_err("refused").to_string()
    };
    assert_eq!(refused(json!({"term": {"n": "x"}})), "failed to create query: For input string: \"x\"");
    assert_eq!(
        refused(json!({"prefix": {"n": "x"}})),
        "Can only use prefix queries on keyword, text and wildcard fields - not on [n] which is of type [long]"
    );
}
