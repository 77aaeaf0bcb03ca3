//! Five callers that work until the node goes away, each with one request at a time, and what they know then.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::wire::call;

/// 2026-01-01T00:00:00Z
const START_MS: i64 = 1_767_225_600_000;
pub(super) const RECORDS_A_POST: u64 = 20;
const ITEMS_A_BULK: u64 = 7;
/// How far documents are dated ahead of their writing: with the datafeed's `query_delay` of 2 s, none is late before 4 s.
const AHEAD_MS: i64 = 2000;

/// How many of a caller's requests were acknowledged, and whether one was under way when the node was killed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) certain: u64,
    pub(super) in_flight: bool,
}

/// Documents of one caller: what was acknowledged, and what may be there.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) acknowledged: Vec<(String, Value)>,
    pub(super) in_flight: Vec<(String, Value)>,
    /// Numbers the requests; the id of a request that was cut is not used again.
    pub(super) requests: u64,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) documents: Written,
    pub(super) bulk: Written,
    pub(super) posted: Known,
    pub(super) switch: Known,
    pub(super) updates: Known,
}

#[expect(clippy::disallowed_methods, reason = "documents of a live datafeed are dated by the wall clock")]
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Documents one by one; every third is written a second time over itself.
pub(super) fn document_load(address: SocketAddr, mut known: Written, told: &Sender<()>) -> Written {
    loop {
        known.requests += 1;
        let (id, number) = (format!("d-{}", known.requests), known.requests);
        let source = json!({"time": now_ms() + AHEAD_MS, "value": number % 13});
        for _ in 0..if number.is_multiple_of(3) { 2 } else { 1 } {
            match call(address, &format!("PUT /live/_doc/{id}"), &source.to_string()) {
                Some((status, answer)) => assert!(matches!(status, 200 | 201), "{status} {answer}"),
                None => {
                    known.in_flight = vec![(id, source)];
                    return known;
                }
            }
            let _ = told.send(());
        }
        known.acknowledged.push((id, source));
    }
}

pub(super) fn bulk_load(address: SocketAddr, mut known: Written, told: &Sender<()>) -> Written {
    loop {
        known.requests += 1;
        let (number, time) = (known.requests, now_ms() + AHEAD_MS);
        let item = |at: u64| {
            (
                format!("b-{number}-{at}"),
                json!({"time": time, "value": (number + at) % 17, "text": "x".repeat(at as usize * 300)}),
            )
        };
        let items: Vec<(String, Value)> = (0..ITEMS_A_BULK).map(item).collect();
        let line = |(id, source): &(String, Value)| format!("{}\n{source}\n", json!({"index": {"_id": id}}));
        let body: String = items.iter().map(line).collect();
        match call(address, "POST /live/_bulk", &body) {
            Some((status, answer)) => assert_eq!((status, &answer["errors"]), (200, &json!(false)), "{answer}"),
            None => {
                known.in_flight = items;
                return known;
            }
        }
        let _ = told.send(());
        known.acknowledged.extend(items);
    }
}

/// The records of the post of that number; every ninth post has a spike.
pub(super) fn records(number: u64) -> String {
    let record = |at: u64| {
        let place = number * RECORDS_A_POST + at;
        let value = if number % 9 == 8 && at == 3 { 900 } else { 100 + place * 7 % 11 };
        json!({"time": START_MS + place as i64 * 250, "value": value}).to_string()
    };
    (0..RECORDS_A_POST).map(record).collect::<Vec<_>>().join("\n")
}

pub(super) fn data_load(address: SocketAddr, known: Known, told: &Sender<()>) -> Known {
    repeat(known, told, |number| {
        let answer = call(address, "POST /_ml/anomaly_detectors/posted/_data", &records(number))?;
        assert_eq!((answer.0, &answer.1["processed_record_count"]), (202, &json!(RECORDS_A_POST)), "{}", answer.1);
        Some(())
    })
}

/// The job is opened, its datafeed started and stopped, the job closed, and again.
pub(super) const SWITCHES: [&str; 4] = [
    "POST /_ml/anomaly_detectors/switched/_open",
    "POST /_ml/datafeeds/switch/_start?start=0",
    "POST /_ml/datafeeds/switch/_stop",
    "POST /_ml/anomaly_detectors/switched/_close",
];

pub(super) fn switch_load(address: SocketAddr, known: Known, told: &Sender<()>) -> Known {
    repeat(known, told, |number| {
        let line = SWITCHES[(number % 4) as usize];
        let (status, answer) = call(address, line, "")?;
        assert_eq!(status, 200, "{line}: {answer}");
        Some(())
    })
}

pub(super) fn update_load(address: SocketAddr, known: Known, told: &Sender<()>) -> Known {
    repeat(known, told, |number| {
        let body = json!({"description": (number + 1).to_string()}).to_string();
        let (status, answer) = call(address, "POST /_ml/anomaly_detectors/fed/_update", &body)?;
        assert_eq!(status, 200, "{answer}");
        Some(())
    })
}

fn repeat(mut known: Known, told: &Sender<()>, act: impl Fn(u64) -> Option<()>) -> Known {
    while act(known.certain).is_some() {
        known.certain += 1;
        let _ = told.send(());
    }
    known.in_flight = true;
    known
}
