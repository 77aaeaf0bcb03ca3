//! Two hundred jobs on the embedded node, stopped, resumed and taken through upgrade mode while they work and documents
//! keep coming: their results are those of jobs that nobody ever interrupted.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::node::{call, call_with};
use crate::cli::mlgate;
use crate::harness::Process;

const JOBS: usize = 200;
const WORKERS: usize = 20;
/// Jobs of one shape have the same results.
const SHAPES: [(&str, &str); 4] = [("mean", "2m"), ("count", "3m"), ("max", "4m"), ("sum", "5m")];
const DOCUMENTS: i64 = 100;
/// All but the last documents, which come each `SHORT_STEP_MS`.
const EARLY: i64 = 80;
const STEP_MS: i64 = 60_000;
const SHORT_STEP_MS: i64 = 500;
/// From the start of the datafeeds to their end: until then they are in real time, and can be interrupted.
const REAL_TIME_MS: i64 = 10_000;
/// Until all have come to their end; a loaded machine may need long.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn interrupted_jobs_have_the_results_of_uninterrupted_ones() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut node = Process::start(&["node", "--address", "127.0.0.1:0", "--data", "data"], here);
    let address = node.listening();
    let names: Vec<String> = (0..JOBS).map(|number| format!("job-{number:03}")).collect();
    at_once(&names, |number, name| open(address, name, SHAPES[number % SHAPES.len()]));
    let end_ms = now_ms() + REAL_TIME_MS;
    bulk(address, end_ms, 0..DOCUMENTS);
    at_once(&names, |_, name| start(address, name, end_ms));
    let interrupted = while_documents_come(address, end_ms, || interrupt(here, address, end_ms));
    assert!(interrupted > 0, "the jobs had all ended before they were interrupted");
    closed(address);

    let controls: Vec<String> = SHAPES.iter().map(|(function, _)| format!("control-{function}")).collect();
    for (name, shape) in controls.iter().zip(SHAPES) {
        open(address, name, shape);
        start(address, name, end_ms);
    }
    closed(address);
    let expected: Vec<Value> = controls.iter().map(|name| results(address, name)).collect();
    assert!(expected.iter().any(|results| results["records"] != json!([])), "nothing unusual was found: {expected:?}");
    for (number, name) in names.iter().enumerate() {
        let expected = &expected[number % SHAPES.len()];
        assert!(expected["buckets"].as_array().is_some_and(|buckets| buckets.len() > 5), "{expected}");
        assert_eq!(results(address, name), *expected, "{name}");
    }
}

/// For each name, some of them at the same time.
fn at_once(names: &[String], work: impl Fn(usize, &str) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            scope.spawn(move || {
                for (number, name) in names.iter().enumerate().skip(worker).step_by(WORKERS) {
                    work(number, name);
                }
            });
        }
    });
}

/// A stop and resume, then upgrade mode on and off; how many jobs were at work.
fn interrupt(here: &Path, address: SocketAddr, end_ms: i64) -> usize {
    let url = format!("http://{address}");
    let run = |arguments: &[&str]| {
        let done = mlgate(here, &[arguments, &["--url", &url, "--json", "--poll-interval", "10ms"]].concat(), "");
        (done.status, serde_json::from_str::<Value>(&done.stdout).unwrap_or_default(), done.stderr)
    };
    let (status, stopped, log) = run(&["ml", "stop", "--timeout", "5m"]);
    assert_eq!(status, 0, "{log}");
    let jobs = stopped["jobs"].as_array().unwrap();
    assert!(jobs.iter().all(|job| job["closed"] == true && job["flushed"] == true), "{stopped}");
    let (status, _, log) = run(&["ml", "resume", "--timeout", "5m"]);
    assert_eq!(status, 0, "{log}");
    let (status, enabled, log) = run(&["upgrade-mode", "enable", "--timeout", "5m"]);
    assert_eq!((status, &enabled["acknowledged"]), (0, &json!(true)), "{log}");
    assert_eq!(run(&["upgrade-mode", "status"]).1["tasks"], json!({"running": []}));
    let (status, _, log) = run(&["upgrade-mode", "disable", "--timeout", "5m"]);
    // On a slow machine some may have come to their end by now, which is told as well.
    let ended = now_ms() >= end_ms && log.matches("job [job-").count() == log.matches("closed, does not run").count();
    assert!(status == 0 || ended, "{log}");
    jobs.len()
}

/// Indexes documents behind the end of all datafeeds for as long as `work` takes.
fn while_documents_come<T>(address: SocketAddr, end_ms: i64, work: impl FnOnce() -> T) -> T {
    let (over, bulks) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut from = DOCUMENTS;
            while !over.load(Ordering::Relaxed) {
                bulk(address, end_ms, from..from + 20);
                bulks.fetch_add(1, Ordering::Relaxed);
                from += 20;
            }
        });
        let done = {
            let _over = Over(&over);
            work()
        };
        assert!(bulks.load(Ordering::Relaxed) > 0);
        done
    })
}

/// Ends the documents also where the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock of the node")]
fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn bulk(address: SocketAddr, end_ms: i64, numbers: std::ops::Range<i64>) {
    let lines: String = numbers
        .map(|number| {
            let value = if number % 97 == 50 { 900 } else { 100 + number * 31 % 17 };
            let step_ms = if (EARLY..DOCUMENTS).contains(&number) { SHORT_STEP_MS } else { STEP_MS };
            let time_ms = end_ms + (number - DOCUMENTS) * step_ms;
            let document = json!({"@timestamp": time_ms, "v": value, "host": format!("h{}", number % 3)});
            format!("{{\"index\":{{}}}}\n{document}\n")
        })
        .collect();
    let answer = call_with(address, "POST /load/_bulk?refresh=true", "application/x-ndjson", &lines);
    assert_eq!(answer["errors"], false, "{answer}");
}

/// A job with a datafeed that looks each second.
fn open(address: SocketAddr, name: &str, (function, span): (&str, &str)) {
    let field = (function != "count").then_some("v");
    let job = json!({
        "analysis_config": {
            "bucket_span": span,
            "detectors": [{"function": function, "field_name": field, "partition_field_name": "host"}],
            "influencers": ["host"],
        },
        "data_description": {"time_field": "@timestamp", "time_format": "epoch_ms"},
        "results_index_name": name,
        "datafeed_config": {"datafeed_id": format!("{name}-feed"), "indices": ["load"], "frequency": "1s", "query_delay": "100ms"},
    });
    call(address, &format!("PUT /_ml/anomaly_detectors/{name}"), job);
    call(address, &format!("POST /_ml/anomaly_detectors/{name}/_open"), Value::Null);
}

/// The datafeed reads all documents before the end and then closes its job.
fn start(address: SocketAddr, name: &str, end_ms: i64) {
    call(address, &format!("POST /_ml/datafeeds/{name}-feed/_start?start=0&end={end_ms}"), Value::Null);
}

/// Waits until every datafeed has come to its end and closed its job.
fn closed(address: SocketAddr) {
    let begun = Instant::now();
    loop {
        let stats = call(address, "GET /_ml/anomaly_detectors/_stats", Value::Null);
        let up: Vec<&Value> = stats["jobs"].as_array().unwrap().iter().filter(|job| job["state"] != "closed").collect();
        if up.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "[{}] jobs have not closed, such as {}", up.len(), up[0]);
        thread::sleep(Duration::from_millis(20));
    }
}

/// All results of a job, without what belongs to the job or the moment.
fn results(address: SocketAddr, name: &str) -> Value {
    let read = |kind: &str| {
        let line = format!("GET /_ml/anomaly_detectors/{name}/results/{kind}?size=1000&sort=timestamp");
        let mut found = call(address, &line, Value::Null)[kind].take();
        for result in found.as_array_mut().unwrap() {
            let result = result.as_object_mut().unwrap();
            for moment in ["job_id", "processing_time_ms"] {
                result.remove(moment);
            }
            for influencer in result.get_mut("bucket_influencers").and_then(Value::as_array_mut).into_iter().flatten() {
                influencer.as_object_mut().unwrap().remove("job_id");
            }
        }
        found
    };
    let stats = call(address, &format!("GET /_ml/anomaly_detectors/{name}/_stats"), Value::Null);
    let counts = &stats["jobs"][0]["data_counts"];
    json!({
        "buckets": read("buckets"), "records": read("records"), "influencers": read("influencers"),
        "processed": counts["processed_record_count"], "late": counts["out_of_order_timestamp_count"],
    })
}
