//! Which way the arrows point: a module uses only those to its right (`src/lib.rs`, STYLE of the project in `ARCHITECTURE.md`).

use std::fs;
use std::path::{Path, PathBuf};

/// From left to right; modules of one line do not use each other.
const ORDER: [&[&str]; 14] = [
    &["cli"],
    &["serve"],
    &["config"],
    &["gateway", "admin", "node"],
    &["rejection"],
    &["maintenance"],
    &["realm", "gate"],
    &["upstream"],
    &["audit"],
    &["elasticsearch"],
    &["telemetry"],
    &["inspection"],
    &["policy"],
    &["secret"],
];

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|line| line.contains(&module))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a source names behind `crate::`, whether in a `use` or in a path.
fn used(source: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (index, _) in source.match_indices("crate::") {
        let rest = &source[index + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap();
            modules.extend(group.split(',').map(name));
        } else {
            modules.push(name(rest));
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

fn name(path: &str) -> String {
    path.trim_start().chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

fn violations(module: &str, source: &str) -> Vec<String> {
    let own = rank(module).unwrap_or_else(|| panic!("module [{module}] has no place in the order"));
    let wrong = |used: &String| {
        let theirs = rank(used).unwrap_or_else(|| panic!("[{module}] uses [{used}], which has no place in the order"));
        used != module && theirs <= own
    };
    used(source).into_iter().filter(wrong).collect()
}

fn modules() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let module = |path: &Path| {
        let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let all = files.into_iter().map(|path| (module(&path), fs::read_to_string(&path).unwrap(), path));
    let crates = ["lib", "main"];
    all.filter(|(module, ..)| !crates.contains(&module.as_str()))
        .map(|(module, text, path)| (module, path, text))
        .collect()
}

#[test]
fn every_module_uses_only_those_to_its_right() {
    let mut found = Vec::new();
    for (module, path, source) in modules() {
        found.extend(violations(&module, &source).into_iter().map(|used| format!("{} uses {used}", path.display())));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn policy_uses_nothing_but_std_and_http() {
    let foreign = ["tokio", "hyper", "serde", "serde_json", "tracing", "bytes", "aws_lc_rs", "percent_encoding"];
    for (module, path, source) in modules() {
        if module != "policy" {
            continue;
        }
        for line in source.lines().take_while(|line| !line.contains("cfg(test)")) {
            let used = line.trim().strip_prefix("use ").unwrap_or_default();
            let bad = foreign.iter().any(|name| used.starts_with(&format!("{name}::")));
            let io = ["std::fs", "std::net", "std::io", "std::env", "std::time::SystemTime", "std::time::Instant"];
            assert!(!bad && !io.iter().any(|name| used.starts_with(name)), "{}: {line}", path.display());
        }
    }
}

#[test]
fn the_node_shares_no_decision_code_with_the_gateway() {
    let allowed = ["node", "elasticsearch", "secret"];
    for (module, path, source) in modules() {
        if module == "node" {
            for used in used(&source) {
                assert!(allowed.contains(&used.as_str()), "{} uses {used}", path.display());
            }
        }
    }
}

#[test]
fn a_wrong_arrow_is_found() {
    assert_eq!(violations("policy", "use crate::realm::Chain;"), ["realm"]);
    assert_eq!(violations("gate", "use crate::{gateway, policy};"), ["gateway"]);
    assert_eq!(violations("gateway", "let x = crate::node::start();"), ["node"]);
    assert!(violations("gateway", "use crate::policy::Roles;").is_empty());
}
