//! What it costs to look into a body on its way: bulks as they stream, and documents.
//!
//! `cargo bench --bench bodies` prints a table: the fastest of several rounds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark says what is wrong by a panic")]
#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use mlgate::inspection::{BulkReader, Encoding, read_document};
use mlgate::policy::{Inspection, Target, inspection};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(200);
/// As the gateway reads from a socket.
const PIECE_BYTES: usize = 64 * 1024;
const BODY_BYTES: usize = 4 * 1024 * 1024;

fn main() {
    // `cargo test --benches` asks every benchmark to show that it runs.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, round) = if quick { (1, Duration::ZERO) } else { (ROUNDS, ROUND) };
    println!("| body | bytes on the wire | µs | GB/s of text | ns an action |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for source_bytes in [50, 200, 1000, 10_000] {
        let text = bulk(source_bytes);
        let actions = text.len() / (source_bytes + ACTION.len() + 2);
        for encoding in [Encoding::Plain, Encoding::Gzip] {
            let wire = encoded(&text, encoding);
            let took = least(rounds, round, || read_bulk(&wire, encoding));
            let name = format!("bulk, sources of {source_bytes} bytes{}", in_words(encoding));
            row(&name, wire.len(), text.len(), took, actions);
        }
    }
    let text = document();
    for encoding in [Encoding::Plain, Encoding::Gzip] {
        let wire = encoded(&text, encoding);
        let of = inspection(&Method::POST, Target::parse("/_aliases").unwrap()).unwrap();
        let took = least(rounds, round, || read_document(&of, &wire, encoding, text.len()).unwrap());
        row(&format!("1,000 alias actions{}", in_words(encoding)), wire.len(), text.len(), took, 1000);
    }
}

const ACTION: &str = r#"{"index":{"_index":"logs-app-default","_id":"01JDJ3X6ZK0Q8V7C2T5N9B4MWE"}}"#;

fn bulk(source_bytes: usize) -> Vec<u8> {
    let source = format!("{{\"message\":\"{}\"}}", "x".repeat(source_bytes - 14));
    format!("{ACTION}\n{source}\n").repeat(BODY_BYTES / (source_bytes + ACTION.len() + 2)).into_bytes()
}

fn document() -> Vec<u8> {
    let actions: Vec<String> = (0..1000)
        .map(|at| format!("{{\"add\":{{\"index\":\"logs-{at:06}\",\"alias\":\"logs\",\"is_write_index\":false}}}}"))
        .collect();
    format!("{{\"actions\":[{}]}}", actions.join(",")).into_bytes()
}

fn encoded(text: &[u8], encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Plain => text.to_vec(),
        Encoding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
    }
}

fn read_bulk(wire: &[u8], encoding: Encoding) {
    let of: Inspection = inspection(&Method::POST, Target::parse("/_bulk").unwrap()).unwrap();
    let mut reader = BulkReader::new(of, encoding, 1 << 20, 100 << 20);
    for piece in wire.chunks(PIECE_BYTES) {
        reader.give(Bytes::copy_from_slice(piece));
        while !reader.work().unwrap() {}
    }
    reader.end().unwrap();
}

/// The fastest round.
fn least(rounds: usize, round: Duration, work: impl Fn()) -> Duration {
    let one_round = |_| {
        let (start, mut count) = (Instant::now(), 0);
        while count == 0 || start.elapsed() < round {
            work();
            count += 1;
        }
        start.elapsed() / count
    };
    (0..rounds).map(one_round).min().unwrap_or_default()
}

const fn in_words(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Plain => "",
        Encoding::Gzip => ", gzip",
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn row(name: &str, wire_bytes: usize, text_bytes: usize, took: Duration, actions: usize) {
    let seconds = took.as_secs_f64();
    let each = seconds * 1e9 / actions as f64;
    println!("| {name} | {wire_bytes} | {:.0} | {:.2} | {each:.0} |", seconds * 1e6, text_bytes as f64 / seconds / 1e9);
}
