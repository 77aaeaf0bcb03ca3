use super::*;

fn rule(request: &str) -> Option<&'static str> {
    let (method, target) = request.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    find(method, &Segments::split(path.as_bytes()), query, Letters::Exact).map(|perimeter| perimeter.rule)
}

#[test]
fn writes_to_the_internal_indices() {
    #[rustfmt::skip] // a list of requests
    let requests = [
        "PUT /.ml-config", "DELETE /.ml-config", "DELETE /.ml-*", "DELETE /.*", "POST /.ml-config/_close", "POST /.ml-config/_open",
        "PUT /.ml-config/_settings", "PUT /.ml-config/_mapping", "POST /.ml-config/_doc", "PUT /.ml-config/_doc/1",
        "PUT /.ml-config/_create/1", "POST /.ml-config/_update/1", "DELETE /.ml-config/_doc/1", "POST /.ml-config/_bulk",
        "POST /.ml-config/_update_by_query", "POST /.ml-config/_delete_by_query", "POST /.ml-anomalies-write/_rollover",
        "POST /logs/_rollover/.ml-x", "POST /logs/_rollover?new_index=.ml-x", "PUT /logs/_clone/.ml-x", "POST /logs/_shrink/%2Eml-x",
        "POST /logs/_split/.ml-x", "PUT /logs/_alias/.ml-x", "PUT /logs/_aliases/.ml-x", "DELETE /logs/_alias/.ml-*",
        "PUT /_alias/.ml-x", "PUT /_alias?name=.ml-x&index=logs", "PUT /_alias/x?index=.ml-config", "POST /_bulk?index=.ml-config",
        "PUT /_bulk?a=1;index=.ml-config", "PUT /_settings?index=.ml-config", "PUT /_settings?expand_wildcards=all",
        "PUT /_all/_settings?expand_wildcards=open,hidden", "DELETE /*?expand_wildcards=hidden", "DELETE /*?expand_wildcards=none&expand_wildcards=all",
        "DELETE /*?expand%5Fwildcards=ALL", "PUT //_settings?expand_wildcards=all", "DELETE /logs,.ml-state", "DELETE /logs%2C.ml-state",
        "PUT /<.ml-{now/d}>/_doc/1", "PUT /%3C.ml-%7Bnow%2Fd%7D%3E/_doc/1", "PUT /.ml-config/doc/1", "POST /.ml-config/_search/1",
        "POST /.ml-config/_not_yet_known", "PUT /_data_stream/.ml-x", "POST /_create_from/logs/.ml-x", "POST /_ilm/move/.ml-state-1",
        "PUT /.ml-config/_block/write", "POST /.ml-config/_forcemerge", "PUT /.ml-config/_search", "PATCH /.ml-config",
        "PUT /_index_template/.ml-anomalies-", "POST /_component_template/.ml-x", "DELETE /_template/.ml-*", "DELETE /_index_template/*",
        "DELETE /_template/_all", "PUT /.ml-x/_ccr/follow", "POST /.ml-x/_ccr/pause_follow", "POST /.ml-state/_ilm/retry", "POST /.ml-state/_ilm/remove",
        "POST /_data_stream/_migrate/.ml-x", "POST /_data_stream/_promote/.ml-x", "PUT /_data_stream/a,.ml-x/_lifecycle", "POST /local:.ml-x/_close",
        "POST /_migration/reindex/.ml-x/_cancel", "PUT /.ml-x/_aliases/a", "POST /.ml-x/_alias", "DELETE /.ml-x/_alias/a", "POST /.ml-config/doc/_bulk",
        "PUT /.ml-x/_mapping/doc", "PUT /.ml-x/_warmer", "POST /logs/_downsample/.ml-x", "POST /logs/_rollover/%3C.ml-%7Bnow%2Fd%7D-1%3E",
        "PUT /.ml-config/_bulk", "POST /.m*/_update_by_query", "POST /a,.ml-*,-.ml-x/_delete_by_query", "POST /.ml-x/_freeze", "POST /.ml-x/_unfreeze",
        "POST /_dangling/uBT4?accept_data_loss=true", "DELETE /_dangling/uBT4?accept_data_loss=true",
    ];
    for request in requests {
        assert_eq!(rule(request), Some("ml_index_write"), "{request}");
    }
}

#[test]
fn reads_and_others_pass() {
    #[rustfmt::skip] // a list of requests
    let requests = [
        "GET /.ml-config", "HEAD /.ml-config", "GET /.ml-anomalies-*/_search", "POST /.ml-anomalies-*/_search", "POST /.ml-config/_count",
        "POST /.ml-config/_msearch", "POST /.ml-config/_refresh", "POST /.ml-config/doc/_search", "POST /_search?index=.ml-config",
        "POST /.ml-config/_explain/1", "DELETE /*", "DELETE /_all", "PUT /_settings", "PUT /logs/_settings?expand_wildcards=all",
        "PUT /logs/_doc/.ml-config", "POST /logs/_bulk?index=.ml-config", "POST /_bulk", "POST /_reindex", "POST /_aliases",
        "PUT /_cluster/settings", "DELETE /logs,-.ml-x", "PUT /logs/_alias/ml", "PUT /%252Eml-config", "POST /", "PUT /%3Clogs-%7Bnow%2Fd%7D%3E",
        "PUT /_index_template/logs", "POST /_index_template/_simulate_index/.ml-x", "POST /_index_template/_simulate", "PUT /_template/x-*",
        "POST /logs/_rollover", "POST /_ilm/start", "POST /_migration/reindex", "POST /_data_stream/_modify", "GET /_dangling",
    ];
    for request in requests {
        assert_eq!(rule(request), None, "{request}");
    }
}

#[test]
fn the_other_rules() {
    let cases = [
        ("POST /_features/_reset", Some("feature_reset")),
        ("POST /_features/_reset/?master_timeout=1s", Some("feature_reset")),
        ("GET /_features", None),
        ("POST /_migration/system_features", Some("system_feature_migration")),
        ("GET /_migration/system_features", None),
        ("POST /_tasks/n:1/_cancel", Some("task_cancel")),
        ("POST /_tasks/_cancel", Some("task_cancel")),
        ("POST /_tasks/_cancel?actions=*reindex", None),
        ("GET /_tasks", None),
    ];
    for (request, expected) in cases {
        assert_eq!(rule(request), expected, "{request}");
    }
}
