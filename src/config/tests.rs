mod rules;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

const MINIMAL: &str = "listeners: [{address: '127.0.0.1:0'}]\n";

fn variables(name: &str) -> Option<String> {
    match name {
        "PORT" => Some("9243".to_owned()),
        "BREAKOUT" => Some("x\"\nadmin: {address: 0.0.0.0:1}\n# ".to_owned()),
        _ => None,
    }
}

/// Lines without the file name; none: it is valid.
fn problems(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c");
    std::fs::write(folder.path().join("users"), "").unwrap();
    std::fs::write(folder.path().join("users_roles"), "").unwrap();
    let result = ConfigFile::from_text(text, &path, &variables).and_then(|file| file.settings());
    let lines = result.err().map(|problems| problems.to_string()).unwrap_or_default();
    let prefix = folder.path().display().to_string();
    lines.lines().map(|line| line.replace(&format!("{prefix}/c:"), "").replace(&prefix, "")).collect()
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, problems(text)))
        .filter(|(_, expected, found)| *found != [**expected])
        .map(|(text, expected, found)| format!("{text}\n  expected {expected}\n  found    {found:?}\n"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn a_minimal_config_is_valid() {
    assert_eq!(problems(MINIMAL), [""; 0]);
}

#[test]
fn wrong_kinds_and_unknown_keys_are_told_with_their_place() {
    check(&[
        ("", "1:1: listeners: is missing; expected a list"),
        (
            "[]",
            "1:1: found a list, expected a mapping with [listeners, admin, workers, state, clusters, authentication, authorization, upgrade_mode, limits, timeouts, logging, audit, tracing]",
        ),
        ("listeners: 5", "1:12: listeners: found [5], expected a list"),
        ("listeners: [{}]", "1:13: listeners[0].address: is missing; expected a text"),
        (
            "listeners: [{adress: '127.0.0.1:0', address: '127.0.0.1:0'}]",
            "1:14: listeners[0].adress: unknown key; did you mean [address]?",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nlimits: {zzz: 1}",
            "2:10: limits.zzz: unknown key; known are [max_header_bytes, max_content_length, max_connections, max_connections_per_ip, requests_per_second_per_principal, inspect_buffer]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nworkers: many",
            "2:10: workers: found [many], expected a whole number from 0 to 1024",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nworkers: 1025",
            "2:10: workers: found [1025], expected a whole number from 0 to 1024",
        ),
        (
            "listeners: [{address: '127.0.0.1:0', proxy_protocol: yes}]",
            "1:54: listeners[0].proxy_protocol: found [yes], expected [true] or [false]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\ntimeouts: {header: 10}",
            "2:20: timeouts.header: found [10], expected a duration with a unit, such as [30s], [10m] or [500ms] (nanos, micros, ms, s, m, h, d)",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\ntimeouts: {header: -1}",
            "2:20: timeouts.header: found [-1], expected a duration that ends; [-1] is not possible here",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nlimits: {inspect_buffer: 1.5mb}",
            "2:26: limits.inspect_buffer: found [1.5mb], expected a whole number before the unit, such as [1536kb] instead of [1.5mb]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nlogging: {level: warning}",
            "2:18: logging.level: found [warning], expected one of [error, warn, info, debug, trace]; did you mean [warn]?",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: fil, name: f}]}",
            "2:34: authentication.realms[0].type: found [fil], expected one of [file, jwt, pki, elasticsearch]; did you mean [file]?",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{name: f}]}",
            "2:27: authentication.realms[0].type: is missing; expected one of [file, jwt, pki, elasticsearch]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\ntracing: {sample_ratio: 2}",
            "2:25: tracing.sample_ratio: found [2], expected a number from 0 to 1",
        ),
        ("a: 1\na: 2", "2:1: the key [a] is given twice, first in line 1"),
    ]);
}

#[test]
fn every_problem_is_told_in_the_order_of_the_file() {
    let found = problems(
        "workers: x\nlimitz: {}\nlisteners: [{address: '127.0.0.1:0', tlz: {}}]\ntimeouts: {idle: 5, drain: soon}\n",
    );
    let places: Vec<&str> = found.iter().filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(places, ["workers", "limitz", "listeners[0].tlz", "timeouts.idle", "timeouts.drain"]);
}

#[test]
fn what_is_not_there_yet_is_said() {
    check(&[(
        "listeners: [{address: '127.0.0.1:0'}]\ntracing: {otlp_endpoint: 'http://x'}",
        "2:26: tracing.otlp_endpoint: [http://x] is not there yet; expected [null]",
    )]);
}

#[test]
fn variables_change_values_and_never_the_structure() {
    assert_eq!(problems("listeners: [{address: '127.0.0.1:${PORT}'}]\nworkers: ${CORES:-2}\n"), [""; 0]);
    check(&[
        (
            "listeners: [{address: '127.0.0.1:${PORTS}'}]",
            "1:23: the variable [PORTS] is not set; set it, or write ${PORTS:-default}",
        ),
        (
            "listeners: [{address: '127.0.0.1:${PORT'}]",
            "1:23: [${] without [}]; write $${ for the characters themselves",
        ),
        // What a variable holds is not shown: it may be a secret in the wrong place.
        (
            "listeners: [{address: '127.0.0.1:0'}]\nworkers: \"${BREAKOUT}\"",
            "2:10: workers: found the value of [${BREAKOUT}], expected a whole number from 0 to 1024",
        ),
    ]);
}

#[test]
fn files_that_are_named_must_be_readable() {
    check(
        &[
            (
                "listeners: [{address: '127.0.0.1:0'}]\nauthorization: {roles: r.yml}",
                "2:24: authorization.roles: [/r.yml]: cannot be read: No such file or directory (os error 2)",
            ),
            (
                "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: file, name: f, users: u}]}",
                "2:56: authentication.realms[0].users: [/u]: cannot be read: No such file or directory (os error 2)",
            ),
            (
                "listeners: [{address: '127.0.0.1:0', tls: {certificate: c, key: users}}]",
                "1:57: listeners[0].tls.certificate: not a PEM file",
            ),
        ][..2],
    );
}

#[test]
fn nothing_behind_a_key_is_as_if_it_were_left_out() {
    assert_eq!(
        problems("listeners: [{address: '127.0.0.1:0'}]\nlimits:\n  # max_connections: 1\nadmin: null\n"),
        [""; 0]
    );
    check(&[("listeners:\n", "1:1: listeners: is missing; expected a list")]);
}

/// A revocation that falls into a reload is not lost.
#[test]
fn what_changes_while_files_are_read_is_still_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yml");
    for name in ["users", "users_roles"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    std::fs::write(&path, "listeners: [{address: '127.0.0.1:9243'}]\n").unwrap();
    let file = ConfigFile::read(Some(&path)).unwrap();
    std::fs::write(&path, "listeners: [{address: '127.0.0.1:9243'}]\nworkers: 3\n").unwrap();
    let settings = file.settings().unwrap();
    let changed: Vec<_> = settings.files.iter().filter(|file| file.has_changed()).map(|file| &file.path).collect();
    assert_eq!(changed, [&path]);
}

#[test]
fn settings_hold_what_the_file_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users"), "").unwrap();
    std::fs::write(folder.path().join("users_roles"), "superuserr:nobody\n").unwrap();
    std::fs::write(folder.path().join("key"), "c2VjcmV0\n").unwrap();
    let text = "listeners: [{address: '127.0.0.1:9243', trusted_proxies: [10.1.2.3]}]\nworkers: 3\n\
        clusters: [{name: a, nodes: ['http://es:9200'], identity: service, credentials: {api_key_file: key}}]\n\
        timeouts: {connect: 250ms}\nlimits: {max_content_length: 2mb}\nstate: {path: s}\n";
    let path = folder.path().join("c.yml");
    std::fs::write(&path, text).unwrap();
    let settings = load(Some(&path)).unwrap();
    assert_eq!(settings.workers, 3);
    assert_eq!(settings.limits.max_content_length, 2 << 20);
    assert_eq!(settings.gate.journal, folder.path().join("s"));
    assert_eq!(settings.listeners[0].trusted_proxies[0].to_string(), "10.1.2.3/32");
    let Backend::Nodes(nodes) = &settings.clusters[0].backend else { panic!() };
    assert_eq!(nodes.connect_timeout, std::time::Duration::from_millis(250));
    let Some(upstream::Credentials::ApiKey(key)) = &nodes.credentials else { panic!() };
    assert_eq!(key.expose(), "c2VjcmV0");
    let files: Vec<PathBuf> = ["key", "users", "users_roles", "c.yml"].map(|name| folder.path().join(name)).to_vec();
    assert_eq!(settings.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>(), files);
    let notes: Vec<String> = settings.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "clusters[0].nodes: credentials go to a node over plain HTTP",
            "authentication.realms[0].users_roles: user [nobody] has roles but is not in [users]",
            "authentication.realms[0].users_roles: role [superuserr] is assigned but not defined; it grants nothing"
        ]
    );
}

#[test]
fn an_explicitly_named_file_must_exist() {
    let line = ConfigFile::read(Some(Path::new("/nowhere/mlgate.yml"))).unwrap_err().to_string();
    assert_eq!(line, "/nowhere/mlgate.yml: cannot be read: No such file or directory (os error 2)");
}

#[test]
fn the_shipped_files_are_valid() {
    for name in ["mlgate.yml", "mlgate.example.yml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        let file = ConfigFile::read(Some(&path)).unwrap_or_else(|problems| panic!("{problems}"));
        file.preview().unwrap_or_else(|problems| panic!("{problems}"));
    }
}

/// Every key of every mapping of the schema.
fn collect_names(schema: &serde_json::Value, names: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(members) => {
            if let Some(serde_json::Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| collect_names(member, names));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        _ => {}
    }
}

#[test]
fn the_example_names_every_key() {
    let example = include_str!("../../config/mlgate.example.yml");
    // `#key` is an alternative, `# text` is prose.
    let uncommented: String = example
        .lines()
        .map(|line| {
            let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
            match rest.strip_prefix('#') {
                Some(key) if !key.starts_with(' ') => format!("{indent}{key}\n"),
                _ => format!("{line}\n"),
            }
        })
        .collect();
    ConfigFile::from_text(&uncommented, Path::new("example"), &|_| None)
        .unwrap_or_else(|problems| panic!("{problems}"));
    let mut names = std::collections::BTreeSet::new();
    collect_names(&json_schema(), &mut names);
    assert!(names.len() > 80, "{names:?}");
    for name in names {
        let named = uncommented.lines().any(|line| {
            let code = line.split(" #").next().unwrap_or_default();
            code.contains(&format!("{name}:"))
        });
        assert!(named, "{name} is not in config/mlgate.example.yml");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        drop(ConfigFile::from_text(&text, Path::new("c"), &|_| None).map(|file| file.preview().is_ok()));
    }

    #[test]
    fn any_text_of_yaml_characters_is_answered(text in "[-\\[\\]{}:,#&*!|>'\"%@`?~ \\n\\ta-c0$]{0,120}") {
        drop(ConfigFile::from_text(&text, Path::new("c"), &|_| None).map(|file| file.preview().is_ok()));
    }

    #[test]
    fn any_change_of_the_example_is_answered(position in 0usize..6000, insert in "[-\\[\\]{}:,#&*!|>'\" \\na0]{0,4}", cut in 0usize..8) {
        let example: Vec<char> = include_str!("../../config/mlgate.example.yml").chars().collect();
        let position = position.min(example.len());
        let end = (position + cut).min(example.len());
        let text: String = example[..position].iter().copied().chain(insert.chars()).chain(example[end..].iter().copied()).collect();
        if let Err(problems) = ConfigFile::from_text(&text, Path::new("c"), &|_| None) {
            prop_assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                prop_assert!(!problem.to_string().contains('\n'));
            }
        }
    }
}
