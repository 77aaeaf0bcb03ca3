//! The list of APIs in `docs/embedded-node.md`, which is made from the router.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use mlgate::node::router::Route;
use mlgate::node::routes;
use mlgate::policy::catalog;

const PAGE: &str = "docs/embedded-node.md";
const BEGIN: &str = "<!-- begin of what tests/it/node_apis.rs writes -->\n";
const END: &str = "<!-- end of what tests/it/node_apis.rs writes -->\n";

/// Title, and the first segments that belong to it.
const SECTIONS: [(&str, &[&str]); 4] = [
    ("Machine learning", &["_ml"]),
    ("Compact tables and tasks", &["_cat", "_tasks"]),
    ("Cluster and security", &["", "_cluster", "_features", "_license", "_nodes", "_security", "_xpack"]),
    ("Indices, documents and search", &[]),
];

/// `UPDATE_GOLDEN=1 cargo test --test it node_apis` writes the list anew.
#[test]
fn the_page_lists_what_the_router_has_and_what_it_lacks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the begin of the list");
    let (_, after) = rest.split_once(END).expect("the end of the list");
    let expected = format!("{before}{BEGIN}{}{END}{after}", list());
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    let difference = page.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(
        page == expected,
        "{PAGE} differs, first in {difference:?}: UPDATE_GOLDEN=1 cargo test --test it node_apis"
    );
}

fn list() -> String {
    let mut text = String::new();
    let routes = routes();
    for (title, _) in SECTIONS {
        write!(text, "\n### {title}\n\n| request | query parameters |\n| --- | --- |\n").unwrap();
        let mut listed: Vec<Vec<&Route>> = Vec::new();
        for route in routes.iter().filter(|route| section(route.template) == title) {
            match listed.iter_mut().find(|others| others.iter().all(|other| alike(other, route))) {
                Some(others) => others.push(route),
                None => listed.push(vec![route]),
            }
        }
        for alike in listed {
            let methods: Vec<&str> = alike.iter().map(|route| route.method.as_str()).collect();
            let Route { template, parameters, legacy, .. } = alike[0];
            let legacy = if *legacy { "¹" } else { "" };
            let parameters = quoted(parameters.iter().copied());
            writeln!(text, "| `{} {template}`{legacy} | {parameters} |", methods.join("`, `")).unwrap();
        }
    }
    write!(text, "\n¹ Also as `/_xpack/ml/...`, with a deprecation warning.\n\n{}", refused(&routes)).unwrap();
    text
}

/// One line for both: they differ in the method alone.
fn alike(left: &Route, right: &Route) -> bool {
    left.template == right.template && left.parameters == right.parameters && left.legacy == right.legacy
}

fn section(template: &str) -> &'static str {
    let first = template.split('/').nth(1).unwrap_or_default();
    SECTIONS.iter().find(|(_, firsts)| firsts.contains(&first)).unwrap_or(&SECTIONS[3]).0
}

/// The ML routes of Elasticsearch that are not here, a path a line.
fn refused(routes: &[Route]) -> String {
    let served: BTreeSet<(String, String)> = routes.iter().flat_map(requests).collect();
    let mut rows: Vec<(String, Vec<&str>)> = Vec::new();
    let mut all = 0;
    for operation in catalog::operations() {
        all += 1;
        let template = operation.template.to_string();
        if served.contains(&(operation.method.to_string(), unnamed(&template))) {
            continue;
        }
        match rows.iter_mut().find(|(known, _)| *known == template) {
            Some((_, methods)) => methods.push(operation.method),
            None => rows.push((template, vec![operation.method])),
        }
    }
    let mut text = format!(
        "### Refused\n\nOf Elasticsearch's {all} ML routes these are not here: 400 `no handler found`, or 405 where \
         the path takes another method.\n\n"
    );
    for (template, methods) in rows {
        writeln!(text, "- `{} {template}`", methods.join("`, `")).unwrap();
    }
    text
}

/// What a route answers to: method and template, the legacy one too.
fn requests(route: &Route) -> impl Iterator<Item = (String, String)> {
    let legacy = route.template.strip_prefix("/_ml/").filter(|_| route.legacy);
    let legacy = legacy.map(|rest| format!("/_xpack/ml/{rest}"));
    let templates = [Some(route.template.to_owned()), legacy].into_iter().flatten();
    templates.map(|template| (route.method.to_string(), unnamed(&template)))
}

/// The template without the names of its parameters, in which two tables may differ.
fn unnamed(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
