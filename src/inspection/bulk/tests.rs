use http::Method;
use proptest::prelude::*;

use super::*;
use crate::policy::{Target, inspection};

fn bulk() -> Inspection {
    inspection(&Method::POST, Target::parse("/_bulk").unwrap()).unwrap()
}

/// What the reader says of a body that comes in pieces of `size`.
fn read(body: &str, size: usize) -> Result<(), Finding> {
    let mut reader = BulkReader::new(bulk(), Encoding::Plain, 100, 0);
    for piece in body.as_bytes().chunks(size) {
        reader.give(Bytes::copy_from_slice(piece));
        while !reader.work()? {}
    }
    reader.end()
}

#[test]
fn lines_are_what_elasticsearch_takes_them_for() {
    let reaches = || Err(Finding::Reaches(".ml-x".to_owned()));
    let malformed = |line| Err(Finding::Unread(Unread::MalformedAction { line }));
    #[rustfmt::skip] // a table
    let cases = [
        ("", Ok(())),
        ("\n\r\n \t\n", Ok(())),
        ("{\"index\":{\"_index\":\"a\"}}\n{\"index\":{\"_index\":\".ml-x\"}}\n", Ok(())),
        ("{\"index\":{}}\n\n{\"index\":{\"_index\":\".ml-x\"}}\n{}\n", reaches()),
        ("{\"delete\":{\"_id\":\"1\"}}\n{\"delete\":{\"_index\":\".ml-x\"}}\n", reaches()),
        ("{\"update\":{\"_id\":1}}\r\n{\"doc\":{}}\r\n{\"create\":{\"_index\":\"\\u002eml\\u002Dx\"}}\r\n{}\r\n", reaches()),
        ("{\"index\":{\"_index\":\"a\",\"_index\":\".ml-x\"}}\n{}\n", reaches()),
        ("{\"index\":{\"_index\":\".ml-x\",\"_index\":\"a\"}}\n{}\n", reaches()),
        ("{\"index\":{\"_index\":\".ml-x\"}}", reaches()),
        ("\u{feff}{\"index\":{\"_index\":\".ml-x\"}}\n{}\n", reaches()),
        ("{\"index\":{\"_index\":null,\"_id\":1,\"dynamic_templates\":{\"_index\":\".ml-x\"}}}\nsource\n", Ok(())),
        ("{\"index\":{}} {\"index\":{}}\n{}\n", malformed(1)),
        ("{\"index\":{},\"delete\":{}}\n{}\n", malformed(1)),
        ("{\"index\":{}}\n{}\nnothing\n", malformed(3)),
        ("{\"index\":null}\n", malformed(1)),
        ("{\"index\":[]}\n", malformed(1)),
        ("{\"Index\":{}}\n{}\n", malformed(1)),
        ("{}\n", malformed(1)),
        ("{\"index\":{\"_index\":[\".ml-x\"]}}\n", malformed(1)),
        ("/* */{\"index\":{}}\n{}\n", malformed(1)),
        ("{'index':{}}\n{}\n", malformed(1)),
        ("{\"index\":{}}\u{c}\n{}\n", malformed(1)),
        ("{\"index\":{}}\r{\"index\":{\"_index\":\".ml-x\"}}\n", malformed(1)),
    ];
    for (body, expected) in cases {
        for size in [1, 2, 7, 1000] {
            assert_eq!(read(body, size), expected, "{body:?} in pieces of {size}");
        }
    }
}

#[test]
fn an_action_line_is_held_up_to_a_limit_and_a_source_not_at_all() {
    let source = format!("{{\"index\":{{}}}}\n{}\n", "x".repeat(100_000));
    assert_eq!(read(&source, 1000), Ok(()));
    let action = format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{{}}\n", "x".repeat(100));
    assert_eq!(read(&action, 10), Err(Finding::Unread(Unread::TooLarge)));
    let mut reader = BulkReader::new(bulk(), Encoding::Plain, 100, 0);
    let mut open_after = |piece: &'static str| {
        reader.give(Bytes::from_static(piece.as_bytes()));
        assert_eq!(reader.work(), Ok(true));
        reader.open_line()
    };
    assert_eq!(open_after("{\"index\""), Some(1));
    assert_eq!(open_after(":{}}\nsou"), None);
    assert_eq!(open_after("rce\n{"), Some(3));
    assert_eq!(open_after("\"delete\":{}}\n"), None);
}

proptest! {
    /// How a body is cut changes nothing, and nothing panics.
    #[test]
    fn pieces_change_nothing(lines in proptest::collection::vec(prop_oneof![
        Just("{\"index\":{\"_index\":\"a\"}}"), Just("{\"delete\":{}}"), Just("{\"create\":{\"_index\":\".ml-x\"}}"), Just(""), Just("{}"),
        Just("{\"update\":{}}\r"), Just("x"),
    ], 0..8), size in 1_usize..40) {
        let body = lines.join("\n");
        prop_assert_eq!(read(&body, size), read(&body, usize::MAX));
    }

    #[test]
    fn any_text_is_read_or_refused(body in "[{}\":a-z._\\-\n\r ]{0,80}", size in 1_usize..80) {
        let _ = read(&body, size);
    }
}
