//! Which requests count as ML: the table, the twin, and random targets.

use std::collections::BTreeSet;

use http::Method;
use mlgate::policy::catalog;
use mlgate::policy::classify::{Classified, classify};
use mlgate::policy::operation::{Demand, Operation, UpgradeRule};
use mlgate::policy::target::Target;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::classification_twin as twin;

#[test]
fn the_table_is_the_specification() {
    let specified: Vec<serde_json::Value> = serde_json::from_str(include_str!("../data/ml_endpoints.json")).unwrap();
    assert_eq!((specified.len(), catalog::operations().count()), (224, 224));
    for entry in &specified {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        let route = format!("{} {}", text("method"), text("path"));
        let operation = find(text("method"), text("path"));
        assert_eq!(operation.api, text("api"), "{route}");
        assert_eq!(operation.demand, demanded(entry), "{route}");
        assert_eq!(operation.upgrade_mode, rule(entry), "{route}");
        if text("cluster_privilege") != "unknown" {
            let also = entry["also_granted_by"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let granting: BTreeSet<&str> = also.chain([text("cluster_privilege")]).collect();
            assert_eq!(
                operation.demand.granting_privileges().into_iter().collect::<BTreeSet<_>>(),
                granting,
                "{route}"
            );
        }
    }
}

fn find(method: &str, template: &str) -> &'static Operation {
    let mut matching =
        catalog::operations().filter(|operation| (operation.method, operation.template) == (method, template));
    let operation = matching.next().unwrap_or_else(|| panic!("{method} {template} is missing"));
    assert!(matching.next().is_none(), "{method} {template} is there twice");
    operation
}

fn demanded(entry: &serde_json::Value) -> Demand {
    if entry["cluster_privilege"] == "unknown" {
        return Demand::Privileges(&["manage_ml"]);
    }
    Demand::Action(entry["action"].as_str().unwrap().to_owned().leak())
}

fn rule(entry: &serde_json::Value) -> UpgradeRule {
    let error = entry["upgrade_mode_error"].as_str().unwrap_or_default();
    match (entry["upgrade_mode"].as_str().unwrap(), entry["api"].as_str().unwrap()) {
        (_, "ml.set_upgrade_mode") => UpgradeRule::Switches,
        ("rejected", _) if error.starts_with("409") => UpgradeRule::RefusedAsReset,
        ("rejected", _) => UpgradeRule::Refused,
        _ => UpgradeRule::Passes,
    }
}

#[test]
fn every_template_is_found() {
    for operation in catalog::operations() {
        for value in ["x", "a%2Fb", "a%2Cb", "%2A", "*", "", "a.b", "_unheard_of"] {
            let path = filled(operation.template, value);
            if path.starts_with("/_inference/_unheard_of") || path.ends_with('/') {
                continue; // an index API, and another template
            }
            let target = Target::parse(&path).unwrap();
            let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
            assert_eq!(classify(&method, target), Ok(Classified::Ml(operation)), "{} {path}", operation.method);
        }
    }
}

fn filled(template: &str, value: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { value } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn found_inputs_are_replayed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/classify");
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        twin::check_bytes(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn classification_agrees_with_its_twin(method in method(), target in adversarial_target()) {
        twin::check(method, &target);
    }

    #[test]
    fn any_bytes_are_classified(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        twin::check_bytes(&bytes);
    }

    #[test]
    fn any_text_is_classified(method in method(), text in "/?[ -~]{0,40}") {
        twin::check(method, &text);
    }

    #[test]
    fn odd_pieces_are_classified(method in method(), pieces in prop::collection::vec(select(PIECES), 0..9)) {
        twin::check(method, &pieces.concat());
    }
}

/// What paths that are meant to confuse are made of.
const PIECES: &[&str] = &[
    "/",
    "//",
    "/.",
    "/..",
    "/..;",
    "..",
    ".",
    ";",
    ";a=b",
    "\\",
    "%2F",
    "%2f",
    "%5C",
    "%5c",
    "%252F",
    "%252e",
    "%2E%2e",
    "%3B",
    "%3F",
    "%23",
    "%00",
    "%25",
    "?",
    "&",
    "*",
    "%2A",
    "-",
    ",",
    "a",
    "x",
    "_ml",
    "%5Fml",
    "_ML",
    "_%6Dl",
    "_xpack",
    "ml",
    "info",
    "_inference",
    "_cat",
    "/_ml",
    "/info",
    "/anomaly_detectors",
    "/datafeeds",
    "/_open",
    "/_stats",
    "/_all",
    "/_bulk",
    "/_doc",
    "/calendars",
    "/events",
    "/.ml-config",
    ".ml-",
    "_features",
    "/_reset",
    "/_tasks",
    "/_cancel",
    "<.ml-{now",
    "d}>",
    "/_settings",
];

pub(crate) fn method() -> impl Strategy<Value = &'static str> {
    select(&["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get"][..])
}

/// A route of the table, or a path beside it, with up to four changes.
pub(crate) fn adversarial_target() -> impl Strategy<Value = String> {
    let values = [
        "j",
        "a%2Fb",
        "*",
        "",
        "_all",
        "_stats",
        "..",
        "A,b",
        "x%2F_open",
        "c%2Fevents",
        "_validate",
        "%252e%252e",
        "_bulk",
    ];
    let others = [
        "/",
        "/idx/_doc/1",
        "/_ml",
        "/_ml/_bulk",
        "/.ml-config/_doc/1",
        "/_features/_reset",
        "/_tasks/a:1/_cancel",
        "/%5Fml/info",
    ];
    let templates: Vec<&'static str> = catalog::operations().map(|operation| operation.template).collect();
    let route =
        (select(templates), prop::collection::vec(select(values.to_vec()), 3)).prop_map(|(template, values)| {
            let mut values = values.into_iter().cycle();
            let segments = template
                .split('/')
                .map(|segment| if segment.starts_with('{') { values.next().unwrap() } else { segment });
            segments.collect::<Vec<_>>().join("/")
        });
    let path = prop_oneof![5 => route, 1 => select(others.to_vec()).prop_map(str::to_owned)];
    (path, prop::collection::vec(change(), 0..5))
        .prop_map(|(path, changes)| changes.into_iter().fold(path, |path, change| change.on(path)))
}

#[derive(Clone, Debug)]
enum Change {
    Insert(&'static str, Index),
    Escape(Index),
    EscapeTwice(Index),
    Capitalize(Index),
    Remove(Index),
    Append(&'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let inserted = [
        "/", "//", "/./", "/../", "/x/../", "\\", ";", ";a", "%2F", "%5c", "%252f", "/..;/", "%3f", "*", "%00", ".",
        "_",
    ];
    let appended = ["/", "///", "?a=b", "?%2e=;c", "/..", "/.", ";x", "%2F", "/_open", "/x/..", "%3Fa", "?q=/_ml/info"];
    prop_oneof![
        (select(inserted.to_vec()), any::<Index>()).prop_map(|(text, at)| Change::Insert(text, at)),
        any::<Index>().prop_map(Change::Escape),
        any::<Index>().prop_map(Change::EscapeTwice),
        any::<Index>().prop_map(Change::Capitalize),
        any::<Index>().prop_map(Change::Remove),
        select(appended.to_vec()).prop_map(Change::Append),
    ]
}

impl Change {
    fn on(self, mut path: String) -> String {
        match self {
            Self::Insert(text, at) => path.insert_str(at.index(path.len() + 1), text),
            Self::Append(text) => path.push_str(text),
            Self::Escape(_) | Self::EscapeTwice(_) | Self::Capitalize(_) | Self::Remove(_) if path.is_empty() => {}
            Self::Escape(at) => replace(&mut path, at, |byte| format!("%{byte:02X}")),
            Self::EscapeTwice(at) => replace(&mut path, at, |byte| format!("%25{byte:02x}")),
            Self::Capitalize(at) => replace(&mut path, at, |byte| char::from(byte.to_ascii_uppercase()).to_string()),
            Self::Remove(at) => replace(&mut path, at, |_| String::new()),
        }
        path
    }
}

fn replace(path: &mut String, at: Index, by: impl Fn(u8) -> String) {
    let at = at.index(path.len());
    let text = by(path.as_bytes()[at]);
    path.replace_range(at..=at, &text);
}
