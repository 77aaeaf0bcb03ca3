//! Runs `tests/scenarios/`: each file against a node, through a gateway, and against Elasticsearch if there is one.
//!
//! `MLGATE_SCENARIO=datafeeds cargo test --test it scenarios` runs the files whose names contain that word.

mod expectation;
mod expression;
mod player;
mod script;
mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use player::play;
use script::Script;
use target::Target;

/// A cluster for tests: everything of ML in it is removed, and indices whose names begin with `scenario-`.
const ELASTICSEARCH: &str = "MLGATE_TEST_ELASTICSEARCH";
const PICKED: &str = "MLGATE_SCENARIO";

#[test]
fn hold_on_the_node() {
    run(|script| Some(Target::node(script.clock_ms)));
}

#[test]
fn hold_through_the_gateway() {
    run(|script| Some(Target::gateway(script.clock_ms)));
}

/// `http://user:password@host:port`; without it there is nothing to ask.
#[test]
fn hold_on_elasticsearch() {
    let Ok(url) = std::env::var(ELASTICSEARCH) else { return };
    run(|script| (!script.node_only && script.clock_ms.is_none()).then(|| Target::elasticsearch(&url)));
}

/// Plays every file on a target of its own and tells of all that do not hold.
fn run(target: impl Fn(&Script) -> Option<Target>) {
    let broken: Vec<String> = scripts()
        .into_iter()
        .filter_map(|(name, text)| {
            let played = catch_unwind(AssertUnwindSafe(|| {
                let script = Script::parse(&text).map_err(|problem| format!("{name}:{problem}"))?;
                match target(&script) {
                    Some(target) => play(&script, &target).map_err(|problem| format!("{name}:{problem}")),
                    None => Ok(()),
                }
            }));
            played.unwrap_or_else(|_| Err(format!("{name}: panicked, see above"))).err()
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

/// Name and text of each picked file, by name.
fn scripts() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let picked = std::env::var(PICKED).unwrap_or_default();
    let mut scripts: Vec<(String, String)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "scenario"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (name, text)
        })
        .filter(|(name, _)| name.contains(&picked))
        .collect();
    assert!(!scripts.is_empty(), "no scenario is named like [{picked}]");
    scripts.sort();
    scripts
}
