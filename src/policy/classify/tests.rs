use super::*;

/// What a request line such as `POST /_ml/anomaly_detectors/j/_open` reaches, in a word.
fn check(request: &str) -> String {
    let (method, target) = request.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let target = match Target::parse(target) {
        Ok(target) => target,
        Err(problem) => return format!("{problem:?}"),
    };
    match classify(&method, target) {
        Ok(Classified::Ml(operation)) => operation.api.to_owned(),
        Ok(Classified::Perimeter(perimeter)) => perimeter.rule.to_owned(),
        Ok(Classified::Other) => "other".to_owned(),
        Err(Unroutable::Target(problem)) => format!("{problem:?}"),
        Err(Unroutable::NoHandler) => "no handler".to_owned(),
        Err(Unroutable::MethodNotAllowed(methods)) => format!("405 {}", methods.join(",")),
        Err(Unroutable::Options(methods)) => format!("options {}", methods.join(",")),
    }
}

fn check_all(cases: &[(&str, &str)]) {
    for (request, expected) in cases {
        assert_eq!(check(request), *expected, "{request}");
    }
}

#[test]
fn templates_are_found_as_elasticsearch_finds_them() {
    check_all(&[
        ("POST /_ml/anomaly_detectors/j/_open", "ml.open_job"),
        ("POST /_ml/anomaly_detectors/j/_open///", "ml.open_job"),
        ("POST /_ml/anomaly_detectors//_open", "ml.open_job"),
        ("POST /_ml/anomaly_detectors/a%2Fb/_open", "ml.open_job"),
        ("POST /_ml/anomaly_detectors/a%2Cb/_close", "ml.close_job"),
        ("POST /_ml/anomaly_detectors/%2A/_close?force", "ml.close_job"),
        ("POST /_ml/anomaly_detectors/*/_close", "ml.close_job"),
        ("POST /_ml/anomaly_detectors/Job-1/_open", "ml.open_job"),
        ("POST /_ml/anomaly_detectors/_validate/_open", "ml.open_job"),
        ("POST /_ml/anomaly_detectors/_validate", "ml.validate"),
        ("GET /_ml/anomaly_detectors/_stats", "ml.get_job_stats"),
        ("GET /_ml/info/", "ml.info"),
        ("POST /_xpack/ml/set_upgrade_mode?enabled=true", "ml.set_upgrade_mode"),
        ("GET /_cat/ml/datafeeds", "cat.ml_datafeeds"),
        ("PUT /_inference/sparse_embedding/elser", "inference.put"),
        ("GET /_inference/_all", "inference.get"),
        ("GET /_ml/inference/m", "ml.get_trained_models"),
    ]);
}

#[test]
fn a_wrong_method_is_405() {
    check_all(&[
        ("DELETE /_ml/anomaly_detectors/_stats", "405 GET"),
        ("HEAD /_ml/info", "405 GET"),
        ("get /_ml/info", "405 GET"),
        ("OPTIONS /_ml/info", "options GET"),
        ("POST /_ml/anomaly_detectors/x%2F_open", "405 DELETE,GET,PUT"),
        ("PATCH /_inference/a/b", "405 DELETE,GET,POST,PUT"),
    ]);
}

#[test]
fn what_lies_below_ml_and_is_in_no_template_is_refused() {
    check_all(&[
        ("GET /_ml", "no handler"),
        ("PUT /_ml/", "no handler"),
        ("POST /_ml/_bulk", "no handler"),
        ("POST /_ml/_msearch", "no handler"),
        ("OPTIONS /_ml/foo", "no handler"),
        ("GET /_ml//info", "no handler"),
        ("GET /_ml/./info", "no handler"),
        ("GET /_ml/%69nfo", "no handler"),
        ("GET /_ml/INFO", "no handler"),
        ("POST /_ml/anomaly_detectors/j/_open;v=1", "no handler"),
        ("GET /_xpack/ml", "no handler"),
        ("POST /_xpack/ml/_bulk", "no handler"),
        ("GET /_ml/anomaly_detectors/a/b/c/d/e/f/g/h/i/j/k", "no handler"),
    ]);
}

#[test]
fn what_only_another_parser_reads_as_ml_is_ambiguous() {
    let targets = [
        "//_ml/info",
        "/%5Fml/info",
        "/%5fml/info",
        "/%255Fml/info",
        "/_ML/info",
        "/_Ml/Info",
        "/_ml;x/info",
        "/./_ml/info",
        "/x/../_ml/info",
        "/x/%2e%2e/_ml/info",
        "/x/%252e%252e/_ml/info",
        "/x%2F..%2F_ml/info",
        "/%2F_ml/info",
        "/_ml%2Finfo",
        "/_ml%252Finfo",
        r"/_ml\info",
        "/_ml%5Cinfo",
        r"/x\..\_ml/info",
        "/x/..;/_ml/info",
        "/;/_ml/info",
        "/_xpack/%6dl/info",
        "/_XPACK/ml/info",
        "/_cat/./ml/datafeeds",
        "/%5Fml/info%3Fa",
        "/%5Fml/info%23a",
        "/%5Fml/info%00a",
        "/%5Fml/anomaly_detectors/..",
        "/a/..//_ml/info",
        "/_inference/../_ml/info",
    ];
    for target in targets {
        assert_eq!(check(&format!("GET {target}")), "AmbiguousMl", "{target}");
    }
    check_all(&[
        ("PUT /%252Eml-config", "AmbiguousMl"),
        ("PUT /.ML-config", "AmbiguousMl"),
        ("PUT /x/../.ml-config", "AmbiguousMl"),
        ("PUT /logs/_doc/..%2F..%2F.ml-config", "AmbiguousMl"),
        ("POST /_features/%5Freset", "AmbiguousMl"),
        ("POST //_features/_reset", "AmbiguousMl"),
        ("POST /_Tasks/a:1/_cancel", "AmbiguousMl"),
        // An ML read that another parser takes for a change.
        ("POST /_ml/calendars/c%2Fevents", "AmbiguousMl"),
        ("POST /_ml/anomaly_detectors/j/model_snapshots/1%2F_revert", "AmbiguousMl"),
        ("POST /_ml/calendars/..%2Fset_upgrade_mode", "AmbiguousMl"),
    ]);
}

#[test]
fn everything_else_passes() {
    let targets = [
        "/",
        "//",
        "/idx/_doc/%2E%2E",
        "/idx/_doc/a%2Fb",
        "/idx/_search///",
        "/idx//_search",
        "/Idx/_DOC/A",
        "/idx/_doc/_ml%2Finfo",
        "/_mlx/info",
        "/idx/../_ml",
        "/%5Fml",
        "/%5Fml/_bulk",
        "/_xpack",
        "/_xpack/usage",
        "/_cat/ml",
        "/_cat/ml/unknown",
        "/_cat/indices",
        "/_search?q=%5Fml",
        "/idx/_doc/..%2F..%2F_mlx",
        "/_features",
        "/_inference/_bulk",
        "/.ml-config/_doc/a%2Fb",
        "/%3Clogs-%7Bnow%2Fd%7D%3E/_search",
        "/_alias/ml",
    ];
    for target in targets {
        assert_eq!(check(&format!("GET {target}")), "other", "{target}");
    }
    check_all(&[
        ("POST /%3Clogs-%7Bnow%2Fd%7D%3E/_doc", "other"),
        ("POST /_inference/_bulk", "other"),
        ("PUT /idx/_doc/AbC%2F..", "other"),
        // Another ML request, but one that asks for nothing more.
        ("GET /_ml/anomaly_detectors/x%2F_stats", "ml.get_jobs"),
        ("DELETE /_ml/anomaly_detectors//_forecast", "ml.delete_forecast"),
        ("DELETE /%2A", "other"),
        ("PUT /%2Eml-config/_doc/a%2Fb", "ml_index_write"),
    ]);
}

#[test]
fn long_targets_are_bounded() {
    let plain = format!("/{}/_search", "index,".repeat(5000));
    assert_eq!(check(&format!("GET {plain}")), "other");
    let odd = format!("/{}/_search", "index%2C".repeat(5000));
    assert_eq!(check(&format!("GET {odd}")), "AmbiguousMl");
    let deep = format!("/{}%5Fml/info", "a/../".repeat(1000));
    assert_eq!(check(&format!("GET {deep}")), "AmbiguousMl");
    assert_eq!(check(&format!("POST /_ml/anomaly_detectors/j/_open{}", "/".repeat(5000))), "ml.open_job");
}
