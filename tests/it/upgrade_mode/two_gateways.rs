//! Two gateways before one embedded node, by turns asked to switch the mode, while jobs are opened and closed through both.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use mlgate::gateway::Identity;
use mlgate::policy::upgrade_mode::GateState;
use serde_json::json;

use super::{DISABLE, ask};
use crate::harness::gateway::basic;
use crate::harness::{Client, Gateway, PATIENCE, Process, Setup};

const SWITCHES: usize = 200;
const ENABLE: &str = "POST /_ml/set_upgrade_mode?enabled=true&timeout=60s";

fn gateway(node: SocketAddr) -> Gateway {
    let mut setup = Setup::of(&[node]);
    let cluster = setup.cluster();
    (cluster.identity, cluster.state, cluster.verify, cluster.watch) = (Identity::None, GateState::Off, true, true);
    Gateway::start(setup)
}

fn make_job(gateway: &Gateway, job: &str) {
    let config = json!({
        "analysis_config": {"bucket_span": "10m", "detectors": [{"function": "count"}]},
        "data_description": {"time_field": "time"},
    })
    .to_string();
    let head = format!(
        "PUT /_ml/anomaly_detectors/{job} HTTP/1.1\r\nHost: x\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        basic("ml_admin"),
        config.len()
    );
    let made = Client::connect(gateway.address).ask(format!("{head}{config}"));
    assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.body));
}

/// The load ends with the test, also when that fails.
struct Over<'a>(&'a AtomicUsize);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(SWITCHES, Ordering::SeqCst);
    }
}

/// Opens and closes a job until the switches are over. `phase` is odd from an acknowledgement of on until off is asked for.
fn load(gateway: &Gateway, job: &str, phase: &AtomicUsize) -> usize {
    let mut client = Client::connect(gateway.address);
    let mut opened = 0;
    loop {
        let before = phase.load(Ordering::SeqCst);
        if before >= SWITCHES {
            return opened;
        }
        let status = client.simple(&format!("POST /_ml/anomaly_detectors/{job}/_open"), &basic("ml_admin")).status;
        let after = phase.load(Ordering::SeqCst);
        assert!(
            status != 200 || before != after || before.is_multiple_of(2),
            "opened in phase [{before}], upgrade mode on"
        );
        opened += usize::from(status == 200);
        client.simple(&format!("POST /_ml/anomaly_detectors/{job}/_close?force=true"), &basic("ml_admin"));
    }
}

#[test]
fn nothing_is_opened_from_an_acknowledgement_until_the_mode_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Process::start(&["node", "--address", "127.0.0.1:0", "--data", "data"], folder.path());
    let address = node.listening();
    let gateways = [gateway(address), gateway(address)];
    for job in ["one", "two", "probe"] {
        make_job(&gateways[0], job);
    }
    let phase = AtomicUsize::new(0);
    thread::scope(|scope| {
        let workers: Vec<_> = gateways
            .iter()
            .zip(["one", "two"])
            .map(|(gateway, job)| scope.spawn(|| load(gateway, job, &phase)))
            .collect();
        let over = Over(&phase);
        for turn in 0..SWITCHES / 2 {
            let (one, other) = (&gateways[turn % 2], &gateways[(turn + turn / 2) % 2]);
            assert_eq!(ask(one, "ml_admin", ENABLE), (200, json!({"acknowledged": true})), "turn {turn}");
            phase.fetch_add(1, Ordering::SeqCst);
            for gateway in &gateways {
                assert_eq!(ask(gateway, "ml_admin", "POST /_ml/anomaly_detectors/probe/_open").0, 429, "turn {turn}");
            }
            phase.fetch_add(1, Ordering::SeqCst);
            assert_eq!(ask(other, "ml_admin", DISABLE), (200, json!({"acknowledged": true})), "turn {turn}");
            gateways.iter().for_each(opens_again);
        }
        drop(over);
        for worker in workers {
            assert!(worker.join().unwrap() > 0, "the load never opened its job");
        }
    });
}

/// Nothing stays refused once the cluster says off.
fn opens_again(gateway: &Gateway) {
    let begun = Instant::now();
    while ask(gateway, "ml_admin", "POST /_ml/anomaly_detectors/probe/_open").0 != 200 {
        assert!(begun.elapsed() < PATIENCE, "still refused");
    }
    assert_eq!(ask(gateway, "ml_admin", "POST /_ml/anomaly_detectors/probe/_close?force=true").0, 200);
}
