//! The node killed with SIGKILL in the middle of work, again and again: what it acknowledged is there, and nothing by halves.
//!
//! `MLGATE_CRASH_ROUNDS` sets the number of kills, `MLGATE_CRASH_SEED` repeats a schedule: when a round is killed is counted in
//! acknowledgements and microseconds, drawn from the seed. The ordinary run has few rounds and always the same seed.

mod checks;
mod load;
mod schedule;
mod wire;

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;

use serde_json::{Value, json};

use super::harness::Process;
use checks::{awaited, check_documents, check_switch, results};
use load::{Ledger, RECORDS_A_POST, bulk_load, data_load, document_load, records, switch_load, update_load};
use schedule::{Chain, Kill, Schedule};
use wire::{call, done};

/// Data folders that are worked on at one time.
const AT_ONCE: usize = 3;

fn start(folder: &tempfile::TempDir) -> Process {
    Process::start(&["node", "--address", "127.0.0.1:0", "--data", "data"], folder.path())
}

fn node(folder: &tempfile::TempDir) -> (Process, std::net::SocketAddr) {
    let mut process = start(folder);
    let address = process.listening();
    (process, address)
}

fn make_jobs(address: std::net::SocketAddr) {
    let job = json!({
        "analysis_config": {"bucket_span": "1s", "detectors": [{"function": "max", "field_name": "value"}]},
        "data_description": {"time_field": "time", "time_format": "epoch_ms"},
    });
    for id in ["posted", "fed", "switched"] {
        done(address, &format!("PUT /_ml/anomaly_detectors/{id}"), &job);
    }
    let mapping = json!({"mappings": {"properties": {"time": {"type": "date"}, "value": {"type": "long"}}}});
    done(address, "PUT /live", &mapping);
    let feed = |job: &str| json!({"job_id": job, "indices": ["live"], "query_delay": "2s", "frequency": "1s"});
    done(address, "PUT /_ml/datafeeds/feed", &feed("fed"));
    done(address, "PUT /_ml/datafeeds/switch", &feed("switched"));
}

#[test]
fn what_was_acknowledged_outlives_every_kill_and_nothing_is_done_by_halves() {
    let schedule = Schedule::wanted();
    println!("{schedule}");
    let chains = Mutex::new(schedule.chains());
    let next = || chains.lock().unwrap().pop();
    let work = || std::iter::from_fn(next).for_each(one_chain);
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
}

/// Kills the node on one data folder again and again, and looks after each kill what is there.
fn one_chain(chain: Chain) {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, mut address) = node(&folder);
    make_jobs(address);
    for id in ["posted", "fed"] {
        done(address, &format!("POST /_ml/anomaly_detectors/{id}/_open"), &Value::Null);
    }
    done(address, "POST /_ml/datafeeds/feed/_start?start=0", &Value::Null);
    let mut ledger = Ledger::default();
    for kill in chain.kills() {
        ledger = one_round(process, address, ledger, kill);
        if let Some(after) = kill.starting {
            let starting = start(&folder);
            thread::sleep(after);
            starting.kill();
        }
        (process, address) = node(&folder);
        for (job, state) in [("posted", "opened"), ("fed", "opened")] {
            awaited(address, &format!("GET /_ml/anomaly_detectors/{job}/_stats"), "/jobs/0/state", &[state]);
        }
        awaited(address, "GET /_ml/datafeeds/feed/_stats", "/datafeeds/0/state", &["started"]);
        check_documents(address, &mut ledger);
        check_switch(address, &mut ledger);
    }
    compare_with_an_undisturbed_run(address, &ledger);
}

/// Loads the node from five sides, kills it, and gives what each side knows.
fn one_round(process: Process, address: std::net::SocketAddr, ledger: Ledger, kill: Kill) -> Ledger {
    let (acknowledged, heard) = channel();
    let Ledger { documents, bulk, posted, switch, updates } = ledger;
    thread::scope(|scope| {
        let told = || acknowledged.clone();
        let (a, b, c, d, e) = (told(), told(), told(), told(), told());
        let documents = scope.spawn(move || document_load(address, documents, &a));
        let bulk = scope.spawn(move || bulk_load(address, bulk, &b));
        let posted = scope.spawn(move || data_load(address, posted, &c));
        let switch = scope.spawn(move || switch_load(address, switch, &d));
        let updates = scope.spawn(move || update_load(address, updates, &e));
        drop(acknowledged);
        let counted = heard.iter().take(kill.acknowledgements as usize).count() as u64;
        thread::sleep(kill.later);
        process.kill();
        assert_eq!(counted, kill.acknowledgements, "the load ended before the node was killed");
        Ledger {
            documents: documents.join().unwrap(),
            bulk: bulk.join().unwrap(),
            posted: posted.join().unwrap(),
            switch: switch.join().unwrap(),
            updates: updates.join().unwrap(),
        }
    })
}

/// Ends both jobs in order, then gives the same input to a fresh node without a kill: counters and results are the same.
fn compare_with_an_undisturbed_run(address: std::net::SocketAddr, ledger: &Ledger) {
    let found = done(address, "GET /live/_search?size=10000", &json!({"sort": ["time"]}));
    let input: Vec<&Value> = found["hits"]["hits"].as_array().unwrap().iter().collect();
    let end = input.last().and_then(|hit| hit["_source"]["time"].as_i64()).unwrap() + 1;
    done(address, "POST /_ml/datafeeds/_all/_stop", &Value::Null);
    let disturbed = finish(address, end);
    assert_eq!(disturbed["fed"]["processed_record_count"], json!(input.len()), "each document of the index once");
    assert_eq!(disturbed["posted"]["processed_record_count"], json!(ledger.posted.certain * RECORDS_A_POST));
    assert_eq!(disturbed["fed"]["out_of_order_timestamp_count"], 0);

    let folder = tempfile::tempdir().unwrap();
    let (fresh, fresh_address) = node(&folder);
    make_jobs(fresh_address);
    let line =
        |hit: &&Value| format!("{}\n{}\n", json!({"index": {"_index": "live", "_id": hit["_id"]}}), hit["_source"]);
    let bulk = call(fresh_address, "POST /_bulk", &input.iter().map(line).collect::<String>()).unwrap();
    assert_eq!((bulk.0, &bulk.1["errors"]), (200, &json!(false)));
    done(fresh_address, "POST /_ml/anomaly_detectors/fed/_open", &Value::Null);
    done(fresh_address, "POST /_ml/anomaly_detectors/posted/_open", &Value::Null);
    for number in 0..ledger.posted.certain {
        assert_eq!(call(fresh_address, "POST /_ml/anomaly_detectors/posted/_data", &records(number)).unwrap().0, 202);
    }
    let undisturbed = finish(fresh_address, end);
    assert!(
        undisturbed["fed"]["bucket_count"].as_u64() > Some(0)
            && undisturbed["posted"]["bucket_count"].as_u64() > Some(0)
    );
    for (job, expected) in undisturbed.as_object().unwrap() {
        assert_eq!(&disturbed[job], expected, "{job}");
    }
    fresh.kill();
}

/// Reads up to `end`, closes both jobs, and gives their counters and results.
fn finish(address: std::net::SocketAddr, end: i64) -> Value {
    done(address, &format!("POST /_ml/datafeeds/feed/_start?start=0&end={end}"), &Value::Null);
    let waiting = "GET /_tasks?actions=xpack/ml/datafeed*&wait_for_completion=true&timeout=60s";
    assert_eq!(done(address, waiting, &Value::Null)["nodes"], json!({}));
    done(address, "POST /_ml/anomaly_detectors/posted,fed/_close", &Value::Null);
    json!({"fed": results(address, "fed"), "posted": results(address, "posted")})
}
