//! What has to be there after a restart.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::{Ledger, RECORDS_A_POST, Written};
use super::wire::done;

/// Jobs and datafeeds run again within this time.
const TAKEN_UP: Duration = Duration::from_secs(10);

/// Asks until the value at `pointer` is one of `expected`.
pub(super) fn awaited(address: SocketAddr, line: &str, pointer: &str, expected: &[&str]) -> String {
    let deadline = Instant::now() + TAKEN_UP;
    loop {
        let answer = done(address, line, &Value::Null);
        let state = answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if expected.contains(&state) {
            return state.to_owned();
        }
        assert!(Instant::now() < deadline, "{line}: not one of {expected:?} within 10 s: {answer}");
    }
}

/// Every acknowledged document and no other but those under way, each whole.
pub(super) fn check_documents(address: SocketAddr, ledger: &mut Ledger) {
    let found = done(address, "GET /live/_search?size=10000", &Value::Null);
    let hits = found["hits"]["hits"].as_array().unwrap();
    assert_eq!(found["hits"]["total"]["value"], json!(hits.len()), "more documents than one page");
    let mut there: BTreeMap<String, Value> =
        hits.iter().map(|hit| (hit["_id"].as_str().unwrap().to_owned(), hit["_source"].clone())).collect();
    assert_eq!(done(address, "GET /live/_count", &Value::Null)["count"], json!(there.len()));
    for written in [&mut ledger.documents, &mut ledger.bulk] {
        settle(written, &mut there);
    }
    assert!(there.is_empty(), "documents that nobody wrote: {there:?}");
}

fn settle(written: &mut Written, there: &mut BTreeMap<String, Value>) {
    for (id, source) in &written.acknowledged {
        assert_eq!(there.remove(id).as_ref(), Some(source), "acknowledged document {id}");
    }
    for (id, source) in std::mem::take(&mut written.in_flight) {
        let Some(found) = there.remove(&id) else { continue };
        assert_eq!(found, source, "document {id} by halves");
        written.acknowledged.push((id, source));
    }
}

/// Job states, a job's description and posted records: as acknowledged, or as the request under way would have it.
pub(super) fn check_switch(address: SocketAddr, ledger: &mut Ledger) {
    let job = awaited(address, "GET /_ml/anomaly_detectors/switched/_stats", "/jobs/0/state", &["opened", "closed"]);
    let feed = awaited(address, "GET /_ml/datafeeds/switch/_stats", "/datafeeds/0/state", &["started", "stopped"]);
    let state = |number: u64| match number % 4 {
        0 => ("closed", "stopped"),
        2 => ("opened", "started"),
        _ => ("opened", "stopped"),
    };
    let seen = (job.as_str(), feed.as_str());
    let acknowledged = ledger.switch.certain;
    if ledger.switch.in_flight && seen == state(acknowledged + 1) {
        ledger.switch.certain += 1;
    }
    assert_eq!(seen, state(ledger.switch.certain), "after {acknowledged} switches");

    let found = done(address, "GET /_ml/anomaly_detectors/fed", &Value::Null);
    let description = found["jobs"][0]["description"].as_str().unwrap_or("0").parse().unwrap();
    settle_count("updates", &mut ledger.updates, description, 1);
    let found = done(address, "GET /_ml/anomaly_detectors/posted/_stats", &Value::Null);
    let counts = &found["jobs"][0]["data_counts"];
    assert_eq!(counts["input_record_count"], counts["processed_record_count"]);
    settle_count("posts", &mut ledger.posted, counts["processed_record_count"].as_u64().unwrap(), RECORDS_A_POST);
}

fn settle_count(what: &str, known: &mut super::load::Known, found: u64, step: u64) {
    let acknowledged = known.certain;
    if known.in_flight && found == (acknowledged + 1) * step {
        known.certain += 1;
    }
    assert_eq!(found, known.certain * step, "{what}, {acknowledged} acknowledged");
    known.in_flight = false;
}

/// What a job counted and found, without what the clock has in it.
pub(super) fn results(address: SocketAddr, job: &str) -> Value {
    let stats = done(address, &format!("GET /_ml/anomaly_detectors/{job}/_stats"), &Value::Null);
    let counts = &stats["jobs"][0]["data_counts"];
    let body = json!({"query": {"bool": {"filter": [{"term": {"job_id": job}}],
        "must_not": [{"terms": {"result_type": ["model_size_stats", "timing_stats"]}}]}}, "sort": ["timestamp"]});
    let found = done(address, "POST /.ml-anomalies-shared/_search?size=10000", &body);
    let hits = found["hits"]["hits"].as_array().unwrap();
    let documents: BTreeMap<&str, &Value> = hits
        .iter()
        .filter(|hit| hit["_source"].get("result_type").is_some())
        .map(|hit| (hit["_id"].as_str().unwrap(), &hit["_source"]))
        .collect();
    let mut seen = json!({"documents": documents});
    for name in [
        "processed_record_count",
        "processed_field_count",
        "input_record_count",
        "input_field_count",
        "bucket_count",
        "empty_bucket_count",
        "out_of_order_timestamp_count",
        "missing_field_count",
        "invalid_date_count",
        "earliest_record_timestamp",
        "latest_record_timestamp",
        "latest_bucket_timestamp",
    ] {
        seen[name] = counts[name].clone();
    }
    seen
}
