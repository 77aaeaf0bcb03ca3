//! `mlgate upgrade-mode` against a scripted bare cluster.

use super::{State, run, start, two_jobs};
use crate::cli::mlgate;
use crate::harness::Upstream;

fn writing() -> State {
    State { tasks: vec!["job-web"], ..two_jobs() }
}

#[test]
fn an_early_acknowledgement_is_not_believed() {
    let (cluster, upstream) = start(State { looks_until_idle: Some(4), ..writing() });
    let folder = tempfile::tempdir().unwrap();
    let done = run(&upstream, folder.path(), &["upgrade-mode", "enable", "--reason", "8 to 9"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(done.stdout.starts_with("upgrade mode is on: acknowledged"), "{}", done.stdout);
    assert!(done.stderr.contains("[2] jobs and [1] datafeeds will pause"), "{}", done.stderr);
    assert!(done.stderr.contains("xpack/ml/job[c] job-web"), "{}", done.stderr);
    cluster.set(|state| {
        assert!(state.looks > 4);
        assert_eq!(state.reasons, ["8 to 9"]);
    });
}

#[test]
fn tasks_that_stay_are_named_and_nothing_is_acknowledged() {
    for switch_times_out in [false, true] {
        let (_cluster, upstream) = start(State { switch_times_out, ..writing() });
        let folder = tempfile::tempdir().unwrap();
        let command = ["upgrade-mode", "enable", "--timeout", "50ms", "--json"];
        let done = run(&upstream, folder.path(), &command);
        assert_eq!(done.status, 1);
        assert!(done.stderr.contains("xpack/ml/job[c] job-web (n:0)"), "{}", done.stderr);
        let told: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(told["acknowledged"], false);
    }
}

#[test]
fn tasks_that_cannot_be_seen_prove_nothing_unless_a_gateway_has_looked() {
    for (verified_header, status) in [(false, 1), (true, 0)] {
        let refused = [("/_tasks", 403)].into();
        let (_cluster, upstream) = start(State { refused, verified_header, ..two_jobs() });
        let folder = tempfile::tempdir().unwrap();
        let done = run(&upstream, folder.path(), &["upgrade-mode", "enable", "--timeout", "50ms"]);
        assert_eq!(done.status, status, "{}", done.stderr);
        assert_eq!(done.stderr.contains("not proved"), status == 1, "{}", done.stderr);
    }
}

#[test]
fn a_switch_whose_connection_breaks_is_sent_again() {
    let (cluster, upstream) = start(State { dropped: Some("/set_upgrade_mode"), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let done = run(&upstream, folder.path(), &["upgrade-mode", "enable"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(done.stderr.contains("broke off; asking again"), "{}", done.stderr);
    cluster.set(|state| assert_eq!(state.posts.len(), 2));
}

#[test]
fn a_cluster_that_restarts_is_waited_for_and_asked_where_it_was() {
    let (cluster, upstream) = start(writing());
    let folder = tempfile::tempdir().unwrap();
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&upstream, folder.path(), &["upgrade-mode", "enable", "--timeout", "1h"]));
        cluster.wait(|state| state.looks > 2);
        upstream.go_down();
        cluster.set(|state| state.tasks.clear());
        upstream.come_back();
        running.join().unwrap()
    });
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(done.stdout.starts_with("upgrade mode is on: acknowledged"), "{}", done.stdout);
}

#[test]
fn a_cluster_without_a_master_is_asked_again() {
    let failing = vec![("/set_upgrade_mode", 503), ("/set_upgrade_mode", 503)];
    let (cluster, upstream) = start(State { failing, ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let done = run(&upstream, folder.path(), &["upgrade-mode", "enable"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(done.stderr.contains("master_not_discovered_exception"), "{}", done.stderr);
    cluster.set(|state| assert_eq!(state.posts.len(), 3));
}

#[test]
fn an_answer_that_comes_when_the_time_is_over_is_no_acknowledgement() {
    let (cluster, upstream) = start(State { slow: Some("/set_upgrade_mode"), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let done = run(&upstream, folder.path(), &["upgrade-mode", "enable", "--timeout", "50ms"]);
    assert_eq!((done.status, done.stdout.as_str()), (1, ""));
    assert!(done.stderr.contains("Timed out when waiting for persistent tasks"), "{}", done.stderr);
    assert!(done.stderr.contains("the cluster says [off]"), "{}", done.stderr);
    cluster.set(|state| assert_eq!(state.posts.len(), 1));
}

#[test]
fn who_may_not_is_told_so() {
    for status in [401, 403] {
        let refused = [("/set_upgrade_mode", status)].into();
        let (_cluster, upstream) = start(State { refused, ..two_jobs() });
        let folder = tempfile::tempdir().unwrap();
        let done = run(&upstream, folder.path(), &["upgrade-mode", "enable"]);
        assert_eq!(done.status, 1);
        let said = format!("status [{status}]: refused by the test");
        assert!(done.stderr.contains(&said), "{}", done.stderr);
        assert!(done.stderr.contains("the cluster says [off]"), "{}", done.stderr);
    }
}

#[test]
fn disabling_waits_for_what_was_there_and_names_what_is_not_back() {
    let on = || State { upgrade_mode: true, ..two_jobs() };
    let folder = tempfile::tempdir().unwrap();
    let (cluster, upstream) = start(on());
    let done = run(&upstream, folder.path(), &["upgrade-mode", "disable"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    cluster.set(|state| assert!(!state.upgrade_mode));

    let (_cluster, upstream) = start(State { unassigned: true, ..on() });
    let done = run(&upstream, folder.path(), &["upgrade-mode", "disable", "--timeout", "50ms"]);
    assert_eq!(done.status, 1);
    assert!(done.stderr.contains("not back: job [db]: opened, no node is big enough"), "{}", done.stderr);
}

#[test]
fn what_ended_meanwhile_is_told_at_once() {
    let (cluster, upstream) = start(State { upgrade_mode: true, held: Some("/set_upgrade_mode"), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["upgrade-mode", "disable", "--json", "--timeout", "1h"];
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&upstream, folder.path(), &arguments));
        cluster.wait(|state| state.posts.len() == 1);
        cluster.set(|state| {
            state.jobs.insert("db", "failed");
            state.datafeeds.remove("web-feed");
            state.held = None;
        });
        running.join().unwrap()
    });
    assert_eq!(done.status, 1, "{}", done.stderr);
    let told: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&told["acknowledged"], &told["upgrade_mode"]), (&true.into(), &false.into()));
    let left = told["not_back"].as_array().unwrap().iter().map(|it| (it["id"].as_str(), it["state"].as_str()));
    assert_eq!(left.collect::<Vec<_>>(), [(Some("db"), Some("failed")), (Some("web-feed"), Some("deleted"))]);
}

#[test]
fn wrong_use_and_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let (_cluster, upstream) = start(two_jobs());
    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    for (arguments, status) in [
        (&["upgrade-mode", "status", "--user", "jane"][..], 2),
        (&["upgrade-mode", "status", "--user", "a:b", "--api-key", "c"], 2),
        (&["upgrade-mode", "enable", "--timeout", "30"], 2),
        (&["upgrade-mode", "toggle"], 2),
        (&["upgrade-mode", "enable", "--reason", "two\nlines"], 2),
        (&["upgrade-mode", "status", "--user", ""], 2),
        (&["upgrade-mode", "status", "--api-key", ""], 2),
        (&["upgrade-mode", "status", "--bearer-token-file", "empty"], 1),
        (&["upgrade-mode", "status", "--bearer-token-file", "missing"], 1),
        (&["upgrade-mode", "status", "--user", "a:b"], 0),
    ] {
        let done = run(&upstream, folder.path(), arguments);
        assert_eq!(done.status, status, "{arguments:?}: {}", done.stderr);
        assert_eq!(done.stdout.is_empty(), status != 0, "{arguments:?}");
    }
    // What a TLS server says to plain HTTP: an alert.
    let tls = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.send(b"\x15\x03\x03\0\x02\x02\x46");
    });
    let plain = Upstream::scripted(|exchange| {
        exchange.send(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        exchange.request();
    });
    for (arguments, status, said) in [
        (&["--url", "http://127.0.0.1:1"][..], 1, "cannot connect to [http://127.0.0.1:1]"),
        (&["--url", &format!("https://{}", plain.address), "--insecure"], 1, "does not speak TLS; is it [http://]?"),
        (&["--url", &format!("http://{}", tls.address)], 1, "does not speak plain HTTP; is it [https://]?"),
        (&["--url", "https://127.0.0.1:1", "--cacert", "empty"], 1, "[empty] has no certificate in it"),
        (&["--url", "http://127.0.0.1:1", "--poll-interval", "0s"], 2, "expected more than no time"),
    ] {
        let done = mlgate(folder.path(), &[&["upgrade-mode", "status"], arguments].concat(), "");
        assert_eq!(done.status, status, "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
    }
}
