//! Any body, read by the gateway and by its slow twin; and the same bulk in front of the embedded node.

use std::net::SocketAddr;

use mlgate::inspection::Encoding;
use mlgate::node;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::{JSON, ask};
use crate::harness::{Client, Gateway, Setup};
use crate::inspection_twin as twin;

#[test]
fn found_inputs_are_replayed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/bodies");
    let inputs = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let count = inputs.inspect(|input| twin::check_bytes(input)).count();
    assert!(count > 0);
}

/// A name, written in one of the ways in which JSON can write it.
fn text() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("_index"),
        Just("index"),
        Just(".ml-x"),
        Just("logs"),
        Just(".m*"),
        Just("<.ml-{now/d}>"),
        Just("a,.ml-b"),
        Just("dest"),
        Just("aliases"),
        Just("actions"),
        Just("add"),
        Just("alias"),
        Just("index_patterns"),
        Just("template"),
        Just("script"),
        Just("source"),
        Just("ctx._index='x'"),
        Just("persistent"),
        Just("xpack.ml.enabled"),
        Just("xpack"),
        Just("indices"),
        Just("feature_states"),
        Just("machine_learning"),
        Just("include_global_state"),
        Just("rename_pattern"),
        Just("value"),
        Just(""),
        Just("\u{e4}\u{1f600}"),
    ];
    (name, any::<u32>()).prop_map(|(name, escapes)| {
        let written = name.chars().enumerate().map(|(at, letter)| {
            if escapes >> (at % 32) & 1 == 0 {
                return letter.to_string();
            }
            letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        });
        format!("\"{}\"", written.collect::<String>())
    })
}

fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        4 => text(),
        2 => prop_oneof![Just("null"), Just("true"), Just("false"), Just("-0.5e3"), Just("1")].prop_map(str::to_owned),
        // What is wrong, or odd.
        1 => prop_oneof![Just("1e999"), Just("\"\\ud800\""), Just("01"), Just("'x'"), Just("\"\\x\""), Just("/**/1"), Just("")]
            .prop_map(str::to_owned),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(" ,"))),
            3 => proptest::collection::vec((text(), inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}\t:{value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    let name =
        prop_oneof![Just("index"), Just("create"), Just("update"), Just("delete"), Just("Index"), Just("in\\u0064ex")];
    let members = || proptest::collection::vec((text(), json()), 0..3);
    let action = (name, members()).prop_map(|(name, members)| {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        format!("{{\"{name}\":{{{}}}}}", members.join(","))
    });
    let end = prop_oneof![8 => Just(""), 1 => Just("\r"), 1 => Just(" x"), 1 => Just("\u{feff}")];
    (prop_oneof![4 => action, 1 => json(), 1 => Just(String::new())], end).prop_map(|(line, end)| line + end)
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Plain), Just(Encoding::Gzip)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bulks_are_read_as_their_twin_reads_them(
        lines in proptest::collection::vec(line(), 0..6), request in 0_usize..2, encoding in encoding(), piece in 1_usize..60,
    ) {
        let (method, target) = &twin::REQUESTS[request];
        twin::check(method, target, lines.join("\n").as_bytes(), encoding, piece);
    }

    #[test]
    fn documents_are_read_as_their_twin_reads_them(
        body in json(), request in 2..twin::REQUESTS.len(), encoding in encoding(),
    ) {
        let (method, target) = &twin::REQUESTS[request];
        twin::check(method, target, body.as_bytes(), encoding, 1);
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in proptest::collection::vec(any::<u8>(), 0..80)) {
        twin::check_bytes(&input);
    }

    #[test]
    fn any_text_of_json_s_letters_is_read_or_refused(how in any::<(u8, u8)>(), text in "[{}\\[\\]\":,a-z._\\\\u0-9\n -]{0,60}") {
        twin::check_bytes(&[&[how.0, how.1][..], text.as_bytes()].concat());
    }
}

/// An action with what stands behind it, as clients write them and as attackers do.
fn action() -> impl Strategy<Value = String> {
    let index =
        prop_oneof![Just("\"logs\""), Just("\".ml-x\""), Just("\"\\u002eml-x\""), Just("\"<.ml-x>\""), Just("null")];
    let name = prop_oneof![4 => Just("\"_index\""), 1 => Just("\"\\u005findex\""), 1 => Just("\"index\""), 1 => Just("\"_Index\"")];
    let kind = prop_oneof![Just("index"), Just("create"), Just("update"), Just("delete"), Just("\\u0069ndex")];
    let named = proptest::collection::vec((name, index), 0..3);
    let source = prop_oneof![4 => Just("{}"), 1 => Just("{\"index\":{\"_index\":\".ml-x\"}}"), 1 => Just("")];
    (kind, named, source, prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n")]).prop_map(
        |(kind, named, source, end)| {
            let named: String = named.iter().map(|(name, index)| format!(",{name}:{index}")).collect();
            let source = if kind == "delete" { String::new() } else { format!("{source}\n") };
            format!("{{\"{kind}\":{{\"_id\":\"1\"{named}}}}}{end}{source}")
        },
    )
}

/// What the node writes where, it decides by a reader of its own.
#[test]
fn no_bulk_writes_to_ml_past_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str| {
        let (address, data) = (SocketAddr::from(([127, 0, 0, 1], 0)), folder.path().join(name));
        let security = node::Security::Off;
        node::start(node::Settings { address, data, cluster_name: name.to_owned(), security }).unwrap()
    };
    let (behind, bare) = (start("behind"), start("bare"));
    let gateway = Gateway::start(Setup::of(&[behind.address()]));
    let written = |address| {
        let count = "GET /.ml-*/_count?expand_wildcards=all&ignore_unavailable=true";
        Client::connect(address).simple(count, "").json()["count"].as_u64().unwrap()
    };
    let mut runner = TestRunner::deterministic();
    let bulks = proptest::collection::vec(action(), 1..5);
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..150 {
        let bulk = bulks.new_tree(&mut runner).unwrap().current().concat();
        let length = bulk.len();
        let head = format!("POST /logs/_bulk HTTP/1.1\r\nHost: x\r\n{JSON}Content-Length: {length}\r\n\r\n");
        let direct = Client::connect(bare.address()).ask(head + &bulk).status;
        match ask(&gateway, "reader", "POST /logs/_bulk", JSON, bulk.as_bytes()).status {
            403 => refused += 1,
            status => {
                assert_eq!(status, direct, "{bulk}");
                passed += 1;
            }
        }
        assert_eq!(written(behind.address()), 0, "{bulk}");
    }
    assert!(written(bare.address()) > 0, "nothing of it would have reached ML");
    assert!(passed > 20 && refused > 20, "[{passed}] passed, [{refused}] refused");
}
