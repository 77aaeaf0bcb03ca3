use proptest::prelude::*;

use super::*;
use crate::node::http::{ApiError, Reply, Request};
use crate::node::router::HandlerFuture;

fn nothing(_: Arc<crate::node::Node>, _: Request) -> HandlerFuture {
    Box::pin(async { Err::<Reply, ApiError>(ApiError::bare(400, "not called")) })
}

fn table() -> Table {
    let routes = [
        (Method::GET, "/"),
        (Method::GET, "/_ml/info"),
        (Method::POST, "/_ml/set_upgrade_mode"),
        (Method::GET, "/_ml/anomaly_detectors/_stats"),
        (Method::POST, "/_ml/anomaly_detectors/_validate"),
        (Method::GET, "/_ml/anomaly_detectors/{job_id}"),
        (Method::PUT, "/_ml/anomaly_detectors/{job_id}"),
        (Method::DELETE, "/_ml/anomaly_detectors/{job_id}"),
        (Method::POST, "/_ml/anomaly_detectors/{job_id}/_open"),
        (Method::GET, "/{index}"),
        (Method::PUT, "/{index}"),
        (Method::POST, "/{index}/_bulk"),
        (Method::POST, "/{index}/_search"),
        (Method::PUT, "/{index}/_doc/{id}"),
    ];
    Table::new(routes.into_iter().map(|(method, template)| Route::new(method, template, "", &[], nothing)).collect())
}

/// `template p=v,..`, `405 methods`, `200 methods` or `400`.
fn check(method: &str, path: &str) -> String {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let list = |methods: BTreeSet<String>| methods.into_iter().collect::<Vec<_>>().join(",");
    match table().find(&method, path) {
        Match::Found(entry) => {
            let parameters = entry.parameters(path).expect("parameters");
            let shown: String = parameters.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{}{shown}", entry.template)
        }
        Match::Options(methods) => format!("200 {}", list(methods)),
        Match::WrongMethod(methods) => format!("405 {}", list(methods)),
        Match::NoHandler => "400".to_owned(),
    }
}

#[test]
fn finds_routes_as_elasticsearch_does() {
    let open = "/_ml/anomaly_detectors/{job_id}/_open";
    for (method, path, expected) in [
        ("GET", "/", "/".to_owned()),
        ("POST", "/_ml/anomaly_detectors/j/_open", format!("{open} job_id=j")),
        ("POST", "/_ml/anomaly_detectors/j/_open///", format!("{open} job_id=j")),
        ("POST", "_ml/anomaly_detectors/j/_open", format!("{open} job_id=j")),
        ("POST", "/_ml/anomaly_detectors//_open", format!("{open} job_id=")),
        ("POST", "/_ml/anomaly_detectors/a%2Fb/_open", format!("{open} job_id=a/b")),
        ("POST", "/_ml/anomaly_detectors/_validate/_open", format!("{open} job_id=_validate")),
        ("POST", "//_ml/anomaly_detectors/j/_open", "400".to_owned()),
        ("POST", "/_ml//anomaly_detectors/j/_open", "400".to_owned()),
        ("POST", "/%5Fml/anomaly_detectors/j/_open", "400".to_owned()),
        ("POST", "/_ml/anomaly_detectors/j/%5Fopen", "400".to_owned()),
        ("POST", "/_ML/anomaly_detectors/j/_open", "400".to_owned()),
        (
            "POST",
            "/_xpack/ml/anomaly_detectors/j/_open",
            "/_xpack/ml/anomaly_detectors/{job_id}/_open job_id=j".to_owned(),
        ),
        ("DELETE", "/_ml/anomaly_detectors/_stats", "405 GET".to_owned()),
        ("HEAD", "/_ml/info", "405 GET".to_owned()),
        ("OPTIONS", "/_ml/info", "200 GET".to_owned()),
        ("OPTIONS", "/_ml/nothing/here", "200 ".to_owned()),
        ("GET", "/_ml/foo", "400".to_owned()),
        ("GET", "/_ml/anomaly_detectors/*", "/_ml/anomaly_detectors/{job_id} job_id=*".to_owned()),
    ] {
        assert_eq!(check(method, path), expected, "{method} {path}");
    }
}

#[test]
fn what_begins_with_an_underscore_is_no_index() {
    for (method, path, expected) in [
        ("GET", "/_ml", "400"),
        ("POST", "/_ml/_bulk", "400"),
        ("PUT", "/_ml/_doc/1", "400"),
        ("GET", "/_ml\\info", "400"),
        ("POST", "/_reindex", "400"),
        ("GET", "/_aliases", "400"),
        ("OPTIONS", "/_aliases", "200 "),
        ("GET", "/_all", "/{index} index=_all"),
        ("POST", "/_all/_search", "/{index}/_search index=_all"),
        ("PUT", "/a/_doc/_1", "/{index}/_doc/{id} id=_1 index=a"),
    ] {
        assert_eq!(check(method, path), expected, "{method} {path}");
    }
}

#[test]
fn a_malformed_escape_in_a_parameter_is_an_error() {
    let Match::Found(entry) = table().find(&Method::GET, "/_ml/anomaly_detectors/a%") else { panic!("not found") };
    assert!(entry.parameters("/_ml/anomaly_detectors/a%").is_err());
}

proptest! {
    #[test]
    fn is_total(path in "[/_a-z%*]{0,30}") {
        let _ = table().find(&Method::GET, &path);
    }

    #[test]
    fn trailing_slashes_change_nothing(path in "/[_a-z]{1,9}(/[_a-z]{1,9}){0,3}", slashes in "/{0,4}") {
        prop_assert_eq!(check("POST", &path), check("POST", &format!("{path}{slashes}")));
    }
}
