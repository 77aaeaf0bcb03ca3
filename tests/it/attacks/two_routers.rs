//! The gateway's classification and the router of the embedded node are two implementations of the same rules: whatever
//! ML action the node finds for a request line, the gateway has asked for.

use std::sync::LazyLock;

use http::Method;
use mlgate::node::router::{Match, Table};
use mlgate::policy::catalog;
use mlgate::policy::classify::{Classified, classify};
use mlgate::policy::operation::{Demand, Operation, UpgradeRule};
use mlgate::policy::target::Target;
use proptest::prelude::*;

use crate::classification::{adversarial_target, method};

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_routers_reach_the_same_action((method, target) in (method(), adversarial_target())) {
        check(&NODE, method, &target);
    }
}

#[test]
fn odd_targets_reach_the_same_action() {
    for target in [
        "/_ml/anomaly_detectors/_all/_open/",
        "/_ml/anomaly_detectors/*/_open",
        "/_ml/*/*/_open",
        "/*/anomaly_detectors/j/_open",
        "/_xpack/ml/anomaly_detectors/j/_open//",
        "/_ml/anomaly_detectors/j/_open?x=/../../",
        "/_ml/datafeeds/_start/_start",
        "/_ml//anomaly_detectors/j/_open",
        "//_ml/anomaly_detectors/j/_open",
        "/_ml/anomaly_detectors//_open",
        "/_ml/anomaly_detectors/%2F/_open",
        "/_ml/anomaly_detectors/a%2F_open",
        "/_cat/ml/jobs/*",
        "/*/ml/anomaly_detectors/j",
        "/*",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"] {
            check(&NODE, method, target);
        }
    }
}

static NODE: LazyLock<Table> = LazyLock::new(|| Table::new(mlgate::node::routes()));

fn check(node: &Table, method: &str, target: &str) {
    let Ok(parsed) = Target::parse(target) else { return };
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let Ok(classified) = classify(&method, parsed) else { return };
    let found = match node.find(&method, parsed.path()) {
        Match::Found(entry) => Some((shape(&entry.template), entry.route.action)),
        Match::Options(_) | Match::WrongMethod(_) | Match::NoHandler => None,
    };
    match (classified, found) {
        (Classified::Ml(operation), Some((template, action))) if shape(operation.template) == template => {
            if let Demand::Action(demanded) = operation.demand {
                assert_eq!(demanded, action, "{method} {target}");
            }
        }
        // The node has a part of the APIs only.
        (Classified::Ml(operation), found) => {
            let plain = shape(operation.template).replace('*', "x");
            let own = node.find(&method, &plain);
            let has = matches!(own, Match::Found(entry) if shape(&entry.template) == shape(operation.template));
            assert!(!has, "{method} {target} is {} and the node does not find it", operation.template);
            if let Some((template, action)) = found.filter(|(template, action)| is_ml(template, action)) {
                assert!(
                    asks_no_more(operation, &method, &template),
                    "{method} {target} reaches {action} at {template}"
                );
            }
        }
        (Classified::Perimeter(_) | Classified::Other, Some((template, action))) => {
            assert!(!is_ml(&template, action), "{method} {target} reaches {action} at {template} unasked");
        }
        (Classified::Perimeter(_) | Classified::Other, None) => {}
    }
}

/// Whether all that the route of the node needs has been asked for with `operation`.
fn asks_no_more(operation: &Operation, method: &Method, template: &str) -> bool {
    let mut routes = catalog::operations().filter(|other| other.method == method.as_str());
    let Some(other) = routes.find(|other| shape(other.template) == template) else { return false };
    let granting = other.demand.granting_privileges();
    operation.demand.granting_privileges().iter().all(|name| granting.contains(name))
        && (other.upgrade_mode == UpgradeRule::Passes || other.upgrade_mode == operation.upgrade_mode)
}

fn is_ml(template: &str, action: &str) -> bool {
    action.contains("/ml/") || ["/_ml", "/_xpack/ml", "/_cat/ml"].iter().any(|prefix| template.starts_with(prefix))
}

/// A template whose parameters have no names.
fn shape(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}
