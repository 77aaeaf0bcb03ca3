use super::*;

fn inspected(request: &str) -> Option<(Reading, &'static str)> {
    let (method, target) = request.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    inspection(&method, Target::parse(target).unwrap()).map(|found| (found.reading, found.rule.rule))
}

/// The verdict on a document of members and texts, `path=text`, or `path` alone for a null.
fn verdict(request: &str, content: &[&str]) -> Option<String> {
    let (method, target) = request.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut judge = Judge::new(&inspection(&method, Target::parse(target).unwrap()).unwrap()).unwrap();
    for entry in content {
        let (path, scalar) = entry.split_once('=').map_or((*entry, Scalar::Null), |(path, text)| {
            let scalar = match text {
                "true" => Scalar::Bool(true),
                "false" => Scalar::Bool(false),
                text => Scalar::Text(text),
            };
            (path, scalar)
        });
        judge.member(path);
        judge.scalar(path, scalar);
    }
    judge.verdict()
}

#[test]
fn bodies_of_these_are_inspected() {
    for request in
        ["POST /_bulk", "PUT /_bulk", "POST /logs/_bulk", "PUT /logs/doc/_bulk", "POST /_bulk/", "POST /_BULK"]
    {
        assert_eq!(inspected(request), Some((Reading::Bulk, "ml_index_write")), "{request}");
    }
    let documents = [
        ("POST /_reindex?wait_for_completion=false", "ml_index_write"),
        ("POST /_aliases", "ml_index_write"),
        ("PUT /logs", "ml_index_write"),
        ("PUT /logs/", "ml_index_write"),
        ("PUT /a/../logs", "ml_index_write"),
        ("PUT /a/%2E%2E/_reindex", "ml_index_write"),
        ("POST /_snapshot/r/s/_restore", "ml_restore"),
        ("PUT /_cluster/settings", "cluster_settings"),
    ];
    for (request, rule) in documents {
        assert_eq!(inspected(request).map(|(_, rule)| rule), Some(rule), "{request}");
    }
}

#[test]
fn what_no_body_can_settle_is_in_doubt() {
    let doubt = |target: &str| inspection(&Method::POST, Target::parse(target).unwrap()).unwrap().doubt;
    assert_eq!(doubt("/_bulk"), None);
    assert_eq!(doubt("/%3Clogs-%7Bnow%2Fd%7D%3E"), None);
    assert_eq!(doubt("/_bulk?a=1;%73ource="), Some(Doubt::SourceInQuery));
    for target in ["/%5Fbulk", "/logs%2F_bulk", "/_alias/..%2F..%2F_reindex"] {
        assert_eq!(doubt(target), Some(Doubt::OtherPath), "{target}");
    }
}

#[test]
fn bodies_of_others_are_not() {
    let requests = [
        "GET /_bulk",
        "DELETE /logs",
        "POST /logs/_doc",
        "PUT /logs/_doc/1",
        "POST /logs/_search",
        "POST /_msearch",
        "POST /_mget",
        "POST /logs/_update_by_query",
        "PUT /logs/_settings",
        "PUT /_security/role/x",
        "POST /a/b/c/_bulk",
        "PUT /logs/_mapping",
        "POST /_snapshot/r/s",
        "POST /_reindex/x/_rethrottle",
        "POST /",
        "PUT /logs/_doc/a%2Fb",
        "POST /logs/_update/1",
    ];
    for request in requests {
        assert_eq!(inspected(request), None, "{request}");
    }
}

#[test]
fn these_documents_reach_ml() {
    #[rustfmt::skip] // a table
    let cases: &[(&str, &[&str])] = &[
        ("POST /_reindex", &["dest.index=.ml-x"]),
        ("POST /_reindex", &["dest.index=logs", "dest.index=<.ml-{now/d}>"]),
        ("POST /_reindex", &["dest.index=logs", "script.source=ctx['_in' + 'dex'] = '.ml' + '-x'"]),
        ("POST /_reindex", &["script=ctx._index = 'x'"]),
        ("POST /_reindex", &["script.id=stored"]),
        ("POST /_reindex", &["script.lang=expression"]),
        ("POST /_reindex", &["script.source=def m = metadata(); m.index = 'x'"]),
        ("POST /_reindex", &["script.source=params['c' + 'tx'].put('_in' + 'dex', 'x')"]),
        ("POST /_reindex", &["script.source=params.get('ct' + 'x')"]),
        ("POST /_reindex", &["script.source=def c = ctx; c['x'] = 1"]),
        ("POST /_reindex", &["script.source=params.get/**/('ct' + 'x').put('_in' + 'dex', 'x')"]),
        ("POST /_reindex", &["script.source=params.get // a\n ('ct' + 'x')"]),
        ("POST /_reindex", &["script.source=field /**/ ('_in' + 'dex').set('x')"]),
        ("POST /_aliases", &["actions.add.index=.ml-config", "actions.add.alias=x"]),
        ("POST /_aliases", &["actions.add.indices=a", "actions.add.indices=.ml-*"]),
        ("POST /_aliases", &["actions.remove.aliases=.ml-x"]),
        ("POST /_aliases", &["actions.remove_index.index=.*"]),
        ("POST /_aliases?expand_wildcards=all", &["actions.remove_index.index=*"]),
        ("POST /_data_stream/_modify", &["actions.add_backing_index.index=.ml-x"]),
        ("PUT /_alias", &["index=.ml-x", "alias=a"]),
        ("PUT /logs/_alias/a", &["alias=.ml-x"]),
        ("PUT /logs", &["aliases..ml-x"]),
        ("PUT /logs", &["aliases..ml-x.filter.term.a=b"]),
        ("POST /logs/_rollover", &["aliases..ml-x"]),
        ("PUT /logs/_clone/x", &["aliases..ml-x"]),
        ("PUT /_index_template/t", &["index_patterns=logs", "index_patterns=.ml-*"]),
        ("PUT /_index_template/t", &["template.aliases..ml-x"]),
        ("PUT /_index_template/t", &["template.aliases..{index}"]),
        ("PUT /_template/t", &["template=.m*"]),
        ("PUT /_component_template/t", &["template.aliases..ml-x"]),
        ("POST /_snapshot/r/s/_mount", &["index=a", "renamed_index=.ml-x"]),
        ("POST /_cluster/reroute", &["commands.allocate_empty_primary.index=.ml-x"]),
        ("PUT /_transform/t", &["dest.index=.ml-x"]),
        ("PUT /_rollup/job/t", &["rollup_index=.ml-x"]),
        ("PUT /_ccr/auto_follow/t", &["follow_index_pattern=.ml-{{leader_index}}"]),
        ("PUT /_ccr/auto_follow/t", &["leader_index_patterns=.ml-anomalies-*"]),
        ("PUT /_ccr/auto_follow/t", &["leader_index_patterns=logs-*", "leader_index_patterns=*"]),
        ("PUT /_watcher/watch/t", &["actions.a.index.index=.ml-x"]),
        ("POST /_watcher/watch/t", &["actions.a.b.index.index=<.ml-{now/d}>"]),
        ("POST /_watcher/watch/_execute", &["watch.actions.a.index.index=.ml-x"]),
        ("PUT /_watcher/watch/t/_execute", &["watch.actions.a.index.index=.ml-x"]),
        ("PUT /_xpack/watcher/watch/t", &["actions.a.index.index=.ml-x"]),
        ("PUT /_ingest/pipeline/t", &["processors.foreach.processor.set.value=.ml-x"]),
        ("PUT /_cluster/settings", &["persistent.xpack.ml.max_open_jobs=1"]),
        ("PUT /_cluster/settings", &["transient.cluster.persistent_tasks.allocation.enable=none"]),
        ("PUT /_cluster/settings", &["persistent.xpack.*"]),
        ("PUT /_cluster/settings", &["persistent.*"]),
        ("PUT /_cluster/settings", &["persistent.xpack"]),
        ("PUT /_cluster/settings", &["persistent.cluster.persistent_tasks"]),
    ];
    for (request, content) in cases {
        assert!(verdict(request, content).is_some(), "{request} {content:?}");
    }
    let deep = format!("{}=1", "a.".repeat(3000));
    assert!(verdict("PUT /logs", &[&deep]).is_some());
}

#[test]
fn these_documents_do_not() {
    #[rustfmt::skip] // a table
    let cases: &[(&str, &[&str])] = &[
        ("POST /_reindex", &["source.index=.ml-config", "dest.index=logs"]),
        ("POST /_reindex", &["dest.index=logs", "script.lang=painless", "script.params.index=.ml-x",
            "script.source=if (ctx._source.field == params.old / 2) { ctx.op = 'noop' } ctx._source.remove('a'); ctx._source.context = 1"]),
        ("POST /_aliases", &["actions.add.index=logs", "actions.add.alias=x", "actions.add.filter.term.index=.ml-x"]),
        ("POST /_aliases", &["actions.remove_index.index=*"]),
        ("PUT /logs", &["settings.index.default_pipeline=.ml-x", "aliases.logs.filter.term.a=.ml-x", "mappings.properties..ml-x.type=long"]),
        ("PUT /_index_template/t", &["index_patterns=*", "template.aliases.{index}-x", "template.settings.a=.ml-x"]),
        ("PUT /_transform/t", &["source.index=.ml-anomalies-*", "dest.index=x"]),
        ("PUT /_ccr/auto_follow/t", &["leader_index_patterns=logs-*", "follow_index_pattern={{leader_index}}"]),
        ("PUT /_watcher/watch/t", &["input.search.request.indices=.ml-anomalies-*", "actions.a.index.index=alerts", "actions.index.index=.ml-x"]),
        ("PUT /_ingest/pipeline/t", &["processors.set.field=_index", "processors.set.value=logs-ml", "description=for .ml-x"]),
        ("PUT /_cluster/settings", &["persistent.indices.recovery.*", "persistent.cluster.routing.allocation.enable=all", "transient.xpack.monitoring.x=1"]),
        ("PUT /_cluster/settings", &["persistent", "transient.xpack.mlx.a=1"]),
    ];
    for (request, content) in cases {
        assert_eq!(verdict(request, content), None, "{request} {content:?}");
    }
}

#[test]
fn a_restore_is_judged_by_what_it_leaves_out_too() {
    #[rustfmt::skip] // a table
    let reaches: &[&[&str]] = &[
        &[], &["indices"], &["indices="], &["indices=*"], &["indices=_all"], &["indices=logs,.ml-config"], &["indices=.*"], &["indices=*,-.ml-*"],
        &["indices=-.ml-*"], &["indices=logs", "include_global_state=true"], &["indices=logs", "include_global_state"],
        &["indices=logs", "feature_states=machine_learning"], &["indices=logs", "feature_states=*"], &["indices=logs", "indices=logs"],
        &["indices=logs", "include_global_state=true", "feature_states="], &["indices=logs", "rename_pattern=a", "rename_replacement=.ml-$1"],
        &["indices=logs", "rename_replacement=$1"], &["indices=logs", "rename_replacement="], &["indices=.kibana", "rename_replacement=x"],
    ];
    for content in reaches {
        assert!(verdict("POST /_snapshot/r/s/_restore", content).is_some(), "{content:?}");
    }
    #[rustfmt::skip] // a table
    let passes: &[&[&str]] = &[
        &["indices=logs"], &["indices=logs-*,web"], &["indices=logs", "include_global_state=false"], &["indices=.kibana"],
        &["indices=logs", "include_global_state=true", "feature_states=none"], &["indices=logs", "feature_states=kibana"],
        &["indices=logs", "rename_pattern=(.+)", "rename_replacement=restored-$1"],
    ];
    for content in passes {
        assert_eq!(verdict("POST /_snapshot/r/s/_restore", content), None, "{content:?}");
    }
}
