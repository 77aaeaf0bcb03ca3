//! Commands that are killed, interrupted, or lose their cluster, and are run again.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{Carried, State, run, start, two_jobs};
use crate::cli::mlgate;
use crate::harness::{Home, Process, Upstream};

/// More requests than any of the commands makes.
const REQUESTS_MAX: usize = 60;

/// Kills `command` at its request number `at`; false when it ended before that.
fn killed_at(
    cluster: &super::Cluster,
    url: &str,
    folder: &std::path::Path,
    command: &str,
    halt: (usize, Carried),
) -> bool {
    cluster.set(|state| (state.requests, state.halted, state.halt) = (0, false, Some(halt)));
    let mut process =
        Process::start(&["ml", command, "--url", url, "--poll-interval", "5ms", "--at-once", "1"], folder);
    let halted = cluster.halts_before(|| process.has_ended());
    process.kill();
    cluster.set(|state| state.halt = None);
    halted
}

#[test]
fn a_stop_killed_at_any_step_goes_on_and_so_does_a_resume() {
    for carried in [Carried::Not, Carried::Out] {
        let mut steps = 0;
        for at in 0..REQUESTS_MAX {
            let (cluster, upstream) = start(two_jobs());
            let folder = tempfile::tempdir().unwrap();
            let (here, url) = (folder.path(), format!("http://{}", upstream.address));
            let stop_reached = killed_at(&cluster, &url, here, "stop", (at, carried));
            let stopped = run(&upstream, here, &["ml", "stop"]);
            assert_eq!(stopped.status, 0, "killed at request {at}: {}", stopped.stderr);
            cluster.set(|state| {
                assert_eq!((state.jobs["db"], state.jobs["web"]), ("closed", "closed"), "killed at request {at}");
                assert_eq!(state.datafeeds["web-feed"].1, "stopped", "killed at request {at}");
            });
            let resume_reached = killed_at(&cluster, &url, here, "resume", (at, carried));
            let resumed = run(&upstream, here, &["ml", "resume"]);
            assert_eq!(resumed.status, 0, "killed at request {at}: {}", resumed.stderr);
            cluster.set(|state| {
                let jobs = (state.jobs["db"], state.jobs["web"], state.jobs["idle"]);
                assert_eq!(jobs, ("opened", "opened", "closed"), "killed at request {at}");
                let feeds = (state.datafeeds["web-feed"].1, state.datafeeds["idle-feed"].1);
                assert_eq!(feeds, ("started", "stopped"), "killed at request {at}");
            });
            steps += usize::from(stop_reached) + usize::from(resume_reached);
            if !stop_reached && !resume_reached {
                break;
            }
        }
        assert!((16..2 * REQUESTS_MAX).contains(&steps), "{steps}");
    }
}

/// A gateway without realms before the cluster.
fn gateway(home: &Home, upstream: &Upstream) -> (Process, SocketAddr) {
    home.write("key", "a2V5OmtleQ==");
    home.write(
        "config/mlgate.yml",
        &format!(
            "listeners: [ {{ address: '127.0.0.1:0' }} ]\nworkers: 1\n\
             clusters: [ {{ name: main, nodes: ['http://{}'], identity: none, credentials: {{ api_key_file: ../key }} }} ]\n\
             authentication: {{ realms: [], anonymous: {{ username: anonymous, roles: [superuser] }} }}\n",
            upstream.address
        ),
    );
    let mut process = home.serve();
    let address = process.listening();
    (process, address)
}

/// One address for a gateway that is killed and started again; connections in between break.
struct Relay {
    address: SocketAddr,
    to: Arc<Mutex<SocketAddr>>,
}

impl Relay {
    fn new(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), to: Arc::new(Mutex::new(to)) };
        let to = Arc::clone(&relay.to);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(*to.lock().unwrap()) else { continue };
                pour(near.try_clone().unwrap(), far.try_clone().unwrap());
                pour(far, near);
            }
        });
        relay
    }
}

/// Carries bytes until one side ends.
fn pour(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_gateway_killed_at_any_step_of_a_stop_is_not_the_end_of_it() {
    for carried in [Carried::Not, Carried::Out] {
        let (mut steps, mut went_on) = (0, 0);
        for at in 0..REQUESTS_MAX {
            let (cluster, upstream) = start(two_jobs());
            let home = Home::empty();
            let (killed, address) = gateway(&home, &upstream);
            let relay = Relay::new(address);
            let url = format!("http://{}", relay.address);
            cluster.set(|state| (state.requests, state.halted, state.halt) = (0, false, Some((at, carried))));
            let arguments = ["ml", "stop", "--url", &url, "--poll-interval", "5ms", "--at-once", "1"];
            let mut command = Process::start(&arguments, home.path());
            let halted = cluster.halts_before(|| command.has_ended());
            killed.kill();
            let (_again, address) = gateway(&home, &upstream);
            *relay.to.lock().unwrap() = address;
            cluster.set(|state| state.halt = None);
            // It goes on by itself, or gives up before there is a plan.
            let done = command.end().success();
            if !done {
                let again = mlgate(home.path(), &arguments, "");
                assert_eq!(again.status, 0, "killed at request {at}: {}", again.stderr);
            }
            cluster.set(|state| {
                assert_eq!((state.jobs["db"], state.jobs["web"]), ("closed", "closed"), "killed at request {at}");
                assert_eq!(state.datafeeds["web-feed"].1, "stopped", "killed at request {at}");
            });
            if !halted {
                break;
            }
            (steps, went_on) = (steps + 1, went_on + usize::from(done));
        }
        assert!((8..REQUESTS_MAX).contains(&steps), "{steps}");
        assert!(went_on > 0);
    }
}

#[test]
fn ctrl_c_ends_in_order_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    for (command, held) in [
        (&["ml", "stop"][..], "/web/_close"),
        (&["ml", "resume"], "/web/_open"),
        (&["upgrade-mode", "enable"], "/set_upgrade_mode"),
    ] {
        let (cluster, upstream) = start(State { held: Some(held), ..two_jobs() });
        if command[1] == "resume" {
            cluster.set(|state| state.jobs.insert("web", "closed"));
        }
        let url = format!("http://{}", upstream.address);
        let mut process = Process::start(&[command, &["--url", &url]].concat(), folder.path());
        cluster.wait(|state| state.posts.iter().any(|post| post.contains(held)));
        process.signal("INT");
        assert_eq!(process.end().code(), Some(1), "{command:?}");
        assert!(process.log.iter().any(|line| line.contains("mlgate: interrupted; ")), "{:?}", process.log);
        cluster.set(|state| state.held = None);
        assert_eq!(run(&upstream, folder.path(), command).status, 0, "{command:?}");
    }
}

#[test]
fn a_cluster_without_a_master_is_asked_again() {
    let failing = || vec![("/web-feed/_stop", 503), ("/db/_close", 503), ("/db/_close", 503), ("/web/_close", 502)];
    let (_cluster, upstream) = start(State { failing: failing(), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let stopped = run(&upstream, folder.path(), &["ml", "stop"]);
    assert_eq!(stopped.status, 0, "{}", stopped.stderr);

    let (cluster, upstream) = start(State { failing: vec![("/set_upgrade_mode", 503); 3], ..two_jobs() });
    let enabled = run(&upstream, folder.path(), &["upgrade-mode", "enable"]);
    assert_eq!(enabled.status, 0, "{}", enabled.stderr);
    cluster.set(|state| assert_eq!((state.posts.len(), state.upgrade_mode), (4, true)));
}

#[test]
fn a_slow_job_leaves_time_for_the_others_and_is_tried_again() {
    let (cluster, upstream) = start(State { slow: Some("/db/_close"), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let command = ["ml", "stop", "--at-once", "1", "--timeout", "3s"];
    let stopped = run(&upstream, folder.path(), &command);
    assert_eq!(stopped.status, 1);
    assert!(stopped.stderr.contains("db: takes long; the others go first"), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("job [db]: [POST /_ml/anomaly_detectors/db/_close]"), "{}", stopped.stderr);
    cluster.set(|state| {
        assert_eq!((state.jobs["db"], state.jobs["web"]), ("opened", "closed"));
        let tried = state.posts.iter().filter(|post| post.contains("/db/_close")).count();
        assert_eq!(tried, 2, "{:?}", state.posts);
        state.slow = None;
    });
    assert_eq!(run(&upstream, folder.path(), &command).status, 0);
}

#[test]
fn a_cluster_that_restarts_in_a_stop_is_waited_for() {
    let (cluster, upstream) = start(State { held: Some("web-feed/_stop"), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&upstream, folder.path(), &["ml", "stop", "--yes"]));
        cluster.wait(|state| state.posts.iter().any(|post| post.starts_with("/_ml/datafeeds/web-feed/_stop")));
        upstream.go_down();
        cluster.set(|state| state.held = None);
        upstream.come_back();
        running.join().unwrap()
    });
    assert_eq!(done.status, 0, "{}", done.stderr);
    cluster.set(|state| {
        assert_eq!(state.jobs.values().collect::<Vec<_>>(), [&"closed", &"closed", &"closed"]);
        assert_eq!(state.datafeeds["web-feed"].1, "stopped");
    });
}
