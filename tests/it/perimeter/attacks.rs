//! Every way that we know to name `.ml-*` where somebody without `manage_ml` must not.

use super::{JSON, ask, ask_chunked, gzip, reason};
use crate::harness::{Gateway, Upstream};

/// Refused to `reader` with 403: request, body.
#[rustfmt::skip] // a table
pub(super) const DENIED: &[(&str, &str)] = &[
    // By path; the body does not matter.
    ("POST /.ml-config/_doc", "{}"),
    ("PUT /.ml-config/_doc/1", "{}"),
    ("PUT /%2eml-config/_create/1", "{}"),
    ("POST /logs,.ml-config/_update_by_query", "{}"),
    ("POST /.m*/_delete_by_query", "{}"),
    ("POST /.*,-.ml-*/_delete_by_query", "{}"),
    ("PUT /%3C.ml-%7Bnow%2Fd%7D%3E/_doc/1", "{}"),
    ("POST /.ml-config/_bulk", "{\"delete\":{\"_id\":\"1\"}}\n"),
    ("POST /_bulk?index=.ml-config", "{\"delete\":{\"_id\":\"1\"}}\n"),
    ("PUT /.ml-config", "{}"),
    ("PUT /.ml-config/_settings", "{}"),
    ("PUT /_all/_settings?expand_wildcards=all", "{}"),
    ("PUT /logs/_alias/.ml-x", ""),
    ("POST /logs/_clone/.ml-x", ""),
    ("POST /logs/_rollover/.ml-x-000002", "{}"),
    ("PUT /.ml-config/_block/write", ""),
    ("PUT /_data_stream/.ml-x", ""),
    ("PUT /_index_template/.ml-state", "{}"),
    ("POST /local:.ml-config/_close", ""),
    ("POST /_tasks/_cancel?actions=*ml*", ""),
    ("POST /_tasks/a:1/_cancel", ""),
    ("POST /_features/_reset", ""),
    ("POST /_dangling/uBT4?accept_data_loss=true", ""),
    ("POST /_migration/system_features", ""),
    // Bulks.
    ("POST /_bulk", "{\"index\":{\"_index\":\".ml-config\",\"_id\":\"1\"}}\n{}\n"),
    ("PUT /_bulk", "{\"create\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"update\":{\"_index\":\".ml-config\",\"_id\":\"1\"}}\n{\"doc\":{}}\n"),
    ("POST /_bulk", "{\"delete\":{\"_index\":\".ml-config\",\"_id\":\"1\"}}\n"),
    ("POST /logs/_bulk", "{\"index\":{}}\n{}\n{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("PUT /logs/_bulk?refresh", "{\"delete\":{\"_index\":\".ml-config\",\"_id\":\"1\"}}\n"),
    ("POST /logs/doc/_bulk", "{\"delete\":{\"_index\":\".ml-config\",\"_id\":\"1\"}}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"\\u002eml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"\\u005findex\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"ind\\u0065x\":{\"_index\":\"\\u002e\\u006d\\u006c\\u002d\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"logs\",\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\".ml-config\",\"_index\":\"logs\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"<.ml-{now/d}>\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"<.{now{'ml-'yyyy}}>\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\".ml-*\"}}\n{}\n"),
    ("POST /_bulk", "\n\n{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "\r\n{\"index\":{\"_index\":\".ml-config\"}}\r\n{}\r\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"logs\"}}\n\n{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"delete\":{\"_id\":\"1\"}}\n{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"logs\"}}\n{\"index\":{}}\n{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\".ml-config\"}}"),
    ("POST /_bulk", "\u{feff}{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{ \"index\" : { \"_id\" : 1 , \"_index\" : \".ml-config\" } } \t\r\n{}\n"),
    ("POST /_bulk?pipeline=p&require_alias=true", "{\"index\":{\"_index\":\".ml-anomalies-write\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"local:.ml-config\"}}\n{}\n"),
    ("POST /%5Fbulk", "{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    // Reindex.
    ("POST /_reindex", "{\"source\":{\"index\":\"logs\"},\"dest\":{\"index\":\".ml-config\"}}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\".ml-config\"},\"dest\":{\"index\":\"logs\"}}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"},\"dest\":{\"index\":\".ml-config\"}}"),
    ("POST /_reindex", "{\"d\\u0065st\":{\"inde\\u0078\":\"\\u002eml-config\"}}"),
    ("POST /_reindex?wait_for_completion=false", "\u{feff} {\"dest\":{\"index\":\"<.ml-{now/d}>\"}}"),
    ("POST /_reindex/", "{\"dest\":{\"index\":\".ml-config\"}}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"},\"script\":{\"source\":\"ctx._index = '.ml' + '-config'\"}}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"},\"script\":{\"source\":\"ctx['_in' + 'dex'] = '.ml-x'\"}}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"},\"script\":\"def m = metadata(); m.setIndex('x')\"}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"},\"script\":\"params.get/**/('ct' + 'x').put('_in' + 'dex', 'x')\"}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"},\"script\":{\"id\":\"stored\"}}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"},\"script\":{\"source\":\"params['c'+'tx']['_'+'index'] = 'x'\"}}"),
    // Aliases.
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\".ml-config\",\"alias\":\"mine\"}}]}"),
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"indices\":[\"logs\",\".ml-*\"],\"alias\":\"mine\"}}]}"),
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\"logs,.ml-config\",\"alias\":\"mine\"}}]}"),
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\"logs\",\"alias\":\".ml-anomalies-write\"}}]}"),
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\"logs\",\"aliases\":[\"a\",\".ml-x\"]}}]}"),
    ("POST /_aliases", "{\"actions\":[{\"remove\":{\"index\":\"logs\",\"alias\":\".ml-*\"}}]}"),
    ("POST /_aliases", "{\"actions\":[{\"remove_index\":{\"index\":\".ml-config\"}}]}"),
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\"a\",\"alias\":\"b\"}},{\"remove_index\":{\"indices\":[\".*\"]}}]}"),
    ("POST /_aliases", "{\"actions\":{\"remove_index\":{\"index\":\".ml-config\"}}}"),
    ("PUT /logs/_alias/mine", "{\"alias\":\".ml-x\"}"),
    ("PUT /_alias", "{\"index\":\".ml-config\",\"alias\":\"mine\"}"),
    ("POST /_data_stream/_modify", "{\"actions\":[{\"add_backing_index\":{\"data_stream\":\"logs\",\"index\":\".ml-config\"}}]}"),
    // What makes indices, now or later.
    ("PUT /logs", "{\"aliases\":{\".ml-anomalies-write\":{}}}"),
    ("PUT /logs", "{\"aliases\":{\"a\":{},\"\\u002eml-x\":{\"filter\":{}}}}"),
    ("PUT /logs?wait_for_active_shards=1", "{\"aliases\":{},\"aliases\":{\".ml-x\":{}}}"),
    ("POST /logs/_rollover", "{\"aliases\":{\".ml-x\":{}}}"),
    ("PUT /logs/_shrink/x", "{\"aliases\":{\".ml-x\":{}}}"),
    ("PUT /_index_template/t", "{\"index_patterns\":[\".ml-*\"],\"template\":{}}"),
    ("PUT /_index_template/t", "{\"index_patterns\":[\"logs\",\".*\"]}"),
    ("PUT /_index_template/t", "{\"index_patterns\":[\"logs\"],\"template\":{\"aliases\":{\".ml-x\":{}}}}"),
    ("POST /_component_template/t", "{\"template\":{\"aliases\":{\".ml-x\":{}}}}"),
    ("PUT /_template/t", "{\"index_patterns\":\".ml-*\"}"),
    ("PUT /_template/t", "{\"index_patterns\":[\"logs\"],\"aliases\":{\".{index}\":{}}}"),
    ("PUT /_transform/t", "{\"source\":{\"index\":\"logs\"},\"dest\":{\"index\":\".ml-x\"}}"),
    ("POST /_transform/t/_update", "{\"dest\":{\"index\":\".ml-x\"}}"),
    ("PUT /_rollup/job/t", "{\"index_pattern\":\"logs\",\"rollup_index\":\".ml-x\"}"),
    ("PUT /_ccr/auto_follow/t", "{\"leader_index_patterns\":[\"x\"],\"follow_index_pattern\":\".ml-{{leader_index}}\"}"),
    ("PUT /_ccr/auto_follow/t", "{\"remote_cluster\":\"r\",\"leader_index_patterns\":[\".ml-anomalies-*\"]}"),
    ("PUT /_ccr/auto_follow/t", "{\"remote_cluster\":\"r\",\"leader_index_patterns\":[\"*\"]}"),
    ("PUT /_watcher/watch/t", "{\"actions\":{\"a.b\":{\"index\":{\"index\":\".ml-anomalies-x\"}}}}"),
    ("POST /_watcher/watch/_execute", "{\"watch\":{\"actions\":{\"a\":{\"index\":{\"index\":\"<.ml-{now/d}>\"}}}}}"),
    ("PUT /_ingest/pipeline/t", "{\"processors\":[{\"set\":{\"field\":\"_index\",\"value\":\".ml-config\"}}]}"),
    ("PUT /_ingest/pipeline/t", "{\"processors\":[{\"date_index_name\":{\"field\":\"d\",\"index_name_prefix\":\".ml-\"}}]}"),
    ("POST /_cluster/reroute", "{\"commands\":[{\"allocate_empty_primary\":{\"index\":\".ml-config\",\"shard\":0}}]}"),
    // Restores.
    ("POST /_snapshot/r/s/_restore", ""),
    ("POST /_snapshot/r/s/_restore", "{}"),
    ("POST /_snapshot/r/s/_restore", "{\"indices\":\"*\"}"),
    ("POST /_snapshot/r/s/_restore", "{\"indices\":[\"logs\",\".ml-config\"]}"),
    ("POST /_snapshot/r/s/_restore", "{\"indices\":\"*,-.ml-*\"}"),
    ("POST /_snapshot/r/s/_restore", "{\"indices\":\"logs\",\"feature_states\":[\"machine_learning\"]}"),
    ("POST /_snapshot/r/s/_restore", "{\"indices\":\"logs\",\"include_global_state\":true}"),
    ("POST /_snapshot/r/s/_restore", "{\"indices\":\"logs\",\"rename_pattern\":\"logs\",\"rename_replacement\":\".ml-config\"}"),
    ("POST /_snapshot/r/s/_mount", "{\"index\":\"logs\",\"renamed_index\":\".ml-x\"}"),
    // Settings.
    ("PUT /_cluster/settings", "{\"persistent\":{\"xpack.ml.max_open_jobs\":1}}"),
    ("PUT /_cluster/settings", "{\"transient\":{\"xpack\":{\"ml\":{\"node_concurrent_job_allocations\":0}}}}"),
    ("PUT /_cluster/settings", "{\"persistent\":{\"xpack.ml\":{\"max_lazy_ml_nodes\":null}}}"),
    ("PUT /_cluster/settings", "{\"persistent\":{\"cluster\":{\"persistent_tasks.allocation.enable\":\"none\"}}}"),
    ("PUT /_cluster/settings?flat_settings", "{\"persistent\":{\"xpack.*\":null}}"),
    ("PUT /_cluster/settings", "{\"persistent\":{\"*\":null}}"),
    ("PUT /_cluster/settings", "{\"persistent\":{\"xpack\":{\"ml\":null}}}"),
    ("PUT /_cluster/settings", "{\"persistent\":{},\"persistent\":{\"x\\u0070ack.ml.a\":1}}"),
];

/// Refused to `reader` with 400: nobody can say what another parser makes of it.
#[rustfmt::skip] // a table
pub(super) const MALFORMED: &[(&str, &str)] = &[
    ("POST /_bulk", "{\"index\":{\"_index\":\"logs\"}}{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "/**/{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "// {}\n{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{index:{_index:\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{'index':{'_index':'.ml-config'}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":[\".ml-config\"]}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":{\"a\":1}}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{},\"delete\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"upsert\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":\".ml-config\"}\n{}\n"),
    ("POST /_bulk", "[{\"index\":{\"_index\":\".ml-config\"}}]\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\".ml-\\ud800\"}}\n{}\n"),
    ("POST /_bulk", "{\"index\":{}}\r{\"index\":{\"_index\":\".ml-config\"}}\r\n{}\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"logs\"}}\n{}\nnonsense\n{\"index\":{\"_index\":\".ml-config\"}}\n{}\n"),
    ("POST /_bulk", "{\0\"\0i\0n\0d\0e\0x\0\"\0:\0{\0}\0}\0\n\0"),
    ("POST /_reindex", "{\"dest\":{\"index\":\"logs\"}} {\"dest\":{\"index\":\".ml-config\"}}"),
    ("POST /_reindex", "{\"dest\":/**/{\"index\":\".ml-config\"}}"),
    ("POST /_reindex", "{\"dest\":{index:\".ml-config\"}}"),
    ("POST /_reindex", "{\"dest\":{\"index\":\".ml-config\"}"),
    ("POST /_reindex", "{\0\"\0d\0e\0s\0t\0\"\0:\0{\0}\0}\0"),
    ("POST /_reindex", "\u{fffe}{}"),
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\"logs\",}}]}"),
    ("PUT /_cluster/settings", "{\"persistent\":{\"a\":NaN}}"),
];

/// Nothing of ML, or nothing but reading: on to the node, byte for byte.
#[rustfmt::skip] // a table
pub(super) const PASSES: &[(&str, &str)] = &[
    ("POST /_bulk", "{\"index\":{\"_index\":\"logs\",\"_id\":\".ml-config\"}}\n{\"_index\":\".ml-config\"}\n"),
    ("POST /logs/_bulk", "{\"index\":{}}\n{\"index\":{\"_index\":\".ml-config\"}}\n{\"delete\":{\"_id\":\"1\"}}\n"),
    ("POST /_bulk", "{\"update\":{\"_index\":\"logs\",\"_id\":\"1\"}}\r\n// any source\r\n\r\n{\"create\":{\"_index\":\"ml-x\"}}\n\n"),
    ("POST /_bulk", "{\"index\":{\"_index\":\"logs\"}}\n{\"a\":1}"),
    ("POST /_bulk", "{\"index\":{\"_index\":null,\"routing\":\".ml-x\",\"dynamic_templates\":{\"_index\":\".ml-x\"}}}\n{}\n"),
    ("POST /_bulk", "\n"),
    ("POST /_msearch", "{\"index\":\".ml-config\"}\n{}\n"),
    ("POST /_mget", "{\"docs\":[{\"_index\":\".ml-config\",\"_id\":\"1\"}]}"),
    ("POST /_reindex", "{\"source\":{\"index\":\".ml-config\"},\"dest\":{\"index\":\"copy\"}}"),
    ("POST /_reindex", "{\"source\":{\"index\":\"a\"},\"dest\":{\"index\":\"b\"},\"script\":{\"source\":\"ctx._source.a = params.b; ctx.op = 'noop'\",\"params\":{\"b\":\".ml-x\"}}}"),
    ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\"logs\",\"alias\":\"a\",\"filter\":{\"term\":{\"index\":\".ml-x\"}}}}]}"),
    ("PUT /logs", "{\"aliases\":{\"a\":{}},\"mappings\":{\"properties\":{\".ml-x\":{\"type\":\"long\"}}}}"),
    ("PUT /logs", ""),
    ("PUT /_index_template/t", "{\"index_patterns\":[\"*\"],\"template\":{\"settings\":{\"index.number_of_shards\":1}}}"),
    ("PUT /_ingest/pipeline/t", "{\"processors\":[{\"set\":{\"field\":\"_index\",\"value\":\"logs-ml\"}}]}"),
    ("PUT /_cluster/settings", "{\"persistent\":{\"indices.recovery.*\":null,\"cluster\":{\"routing\":{\"allocation\":{\"enable\":\"all\"}}}}}"),
    ("POST /_snapshot/r/s/_restore", "{\"indices\":\"logs-*\",\"rename_pattern\":\"(.+)\",\"rename_replacement\":\"restored-$1\"}"),
    ("POST /logs/_doc", "{\"dest\":{\"index\":\".ml-config\"}}"),
    ("POST /logs/_update_by_query", "{\"query\":{\"term\":{\"_index\":\".ml-config\"}}}"),
    ("PUT /logs/_doc/1", "not json at all"),
    ("DELETE /_search/scroll", "{\"scroll_id\":\".ml-\"}"),
];

#[test]
fn what_reaches_ml_is_denied_and_never_sent() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    assert!(DENIED.len() + MALFORMED.len() > 100);
    for (request, body) in DENIED {
        let response = ask(&gateway, "reader", request, JSON, body.as_bytes());
        assert_eq!(response.status, 403, "{request} {body}: {}", String::from_utf8_lossy(&response.body));
        let reason = reason(&response);
        assert!(reason.contains("is unauthorized for user [reader] with effective roles [viewer]"), "{reason}");
    }
    for (request, body) in MALFORMED {
        let response = ask(&gateway, "reader", request, JSON, body.as_bytes());
        assert_eq!(response.status, 400, "{request} {body}: {}", response.head);
        assert!(!reason(&response).is_empty(), "{request} {body}");
    }
    assert!(node.has_nothing());
}

#[test]
fn chunks_and_gzip_change_nothing() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    let zipped = format!("{JSON}Content-Encoding: gzip\r\n");
    for (index, (request, body)) in DENIED.iter().enumerate().filter(|(_, (_, body))| !body.is_empty()) {
        let response = ask_chunked(&gateway, "reader", request, JSON, body.as_bytes(), 1 + index % 7);
        assert_eq!(response.status, 403, "{request} {body}: {}", response.head);
        let response = ask_chunked(&gateway, "reader", request, &zipped, &gzip(body.as_bytes()), 1 + index % 11);
        assert_eq!(response.status, 403, "gzip {request} {body}: {}", response.head);
    }
    for (index, (request, body)) in MALFORMED.iter().enumerate() {
        let response = ask_chunked(&gateway, "reader", request, &zipped, &gzip(body.as_bytes()), 1 + index % 3);
        assert_eq!(response.status, 400, "gzip {request} {body}: {}", response.head);
    }
    assert!(node.has_nothing());
}

#[test]
fn what_does_not_reach_ml_passes_byte_for_byte() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    for (request, body) in PASSES {
        let response = ask(&gateway, "reader", request, JSON, body.as_bytes());
        assert_eq!(response.status, 200, "{request} {body}: {}", String::from_utf8_lossy(&response.body));
        let sent = node.next_request();
        assert_eq!(sent.body, body.as_bytes(), "{request}");
        let wire = gzip(body.as_bytes());
        let zipped = format!("{JSON}Content-Encoding: gzip\r\n");
        let response = ask(&gateway, "reader", request, &zipped, &wire);
        assert_eq!(response.status, 200, "gzip {request} {body}: {}", String::from_utf8_lossy(&response.body));
        assert_eq!(node.next_request().body, wire, "{request}");
    }
}

/// Who has the privileges gets all of it through, also what nobody can judge.
#[test]
fn who_may_gets_everything_through() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    for (request, body) in DENIED.iter().chain(MALFORMED) {
        if request.contains("%5F") {
            continue; // ambiguous to others whatever the caller may do
        }
        let response = ask(&gateway, "elastic", request, JSON, body.as_bytes());
        assert_eq!(response.status, 200, "{request} {body}: {}", String::from_utf8_lossy(&response.body));
        assert_eq!(node.next_request().body, body.as_bytes(), "{request}");
    }
    let odd = "Content-Type: application/smile\r\nContent-Encoding: zstd\r\n";
    for request in ["POST /_bulk", "POST /_aliases?source=x", "PUT /_cluster/settings"] {
        assert_eq!(ask(&gateway, "elastic", request, odd, b":)\n").status, 200, "{request}");
        assert_eq!(node.next_request().body, b":)\n");
    }
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    let body = b"{\"index\":{\"_index\":\"logs\"}}\n{}\n";
    #[rustfmt::skip] // a table
    let cases = [
        ("POST /_bulk", "Content-Type: application/smile\r\n", "Content-Type"),
        ("POST /_bulk", "Content-Type: application/cbor\r\n", "Content-Type"),
        ("POST /_bulk", "Content-Type: application/yaml\r\n", "Content-Type"),
        ("POST /_bulk", "Content-Type: application/vnd.elasticsearch+smile; compatible-with=8\r\n", "Content-Type"),
        ("POST /_bulk", "Content-Type: text/plain\r\n", "Content-Type"),
        ("POST /_bulk", "Content-Type: application/json; charset=utf-16\r\n", "Content-Type"),
        ("POST /_bulk", "Content-Type: application/json\r\nContent-Type: application/json\r\n", "Content-Type"),
        ("POST /_bulk", "", "Content-Type"),
        ("POST /_aliases", "Content-Type: application/yaml\r\n", "Content-Type"),
        ("POST /_bulk", "Content-Type: application/json\r\nContent-Encoding: deflate\r\n", "Content-Encoding"),
        ("POST /_bulk", "Content-Type: application/json\r\nContent-Encoding: br\r\n", "Content-Encoding"),
        ("POST /_aliases", "Content-Type: application/json\r\nContent-Encoding: gzip, gzip\r\n", "Content-Encoding"),
        ("POST /_bulk?source=x&source_content_type=application/json", JSON, "source"),
        ("POST /_aliases?%73ource=x", JSON, "source"),
    ];
    for (request, lines, why) in cases {
        let response = ask(&gateway, "reader", request, lines, body);
        assert_eq!(response.status, 403, "{request} {lines}: {}", response.head);
        let reason = reason(&response);
        assert!(reason.contains("the body cannot be inspected") && reason.contains(why), "{reason}");
        assert!(reason.contains("granted by the cluster privileges [manage_ml,manage,all]"), "{reason}");
    }
    for broken in [&b"not gzip"[..], &gzip(body)[..20], &[gzip(body), gzip(body)].concat()] {
        let response = ask(&gateway, "reader", "POST /_bulk", &format!("{JSON}Content-Encoding: gzip\r\n"), broken);
        assert_eq!(response.status, 400, "{}", response.head);
    }
    assert!(node.has_nothing());
}

#[test]
fn a_refusal_says_what_is_missing_and_for_what() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    let body = b"{\"index\":{\"_index\":\".ml-config\"}}\n{}\n";
    let response = ask(&gateway, "reader", "POST /_bulk?refresh", JSON, body);
    assert_eq!(
        reason(&response),
        "action [POST /_bulk] is unauthorized for user [reader] with effective roles [viewer], this action is granted by \
         the cluster privileges [manage_ml,manage,all]; the body reaches [.ml-config]"
    );
    let response = ask(&gateway, "reader", "POST /_bulk", JSON, b"{\"index\":{}}\n{}\nx\n");
    assert_eq!(reason(&response), "Malformed action/metadata line [3], expected one action in strict JSON");
}
