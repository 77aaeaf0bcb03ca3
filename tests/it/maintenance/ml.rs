//! `mlgate ml` against a scripted cluster.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::{Value, json};

use super::{State, run, start, two_jobs};
use crate::harness::Process;

fn plan(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn ids(plan: &Value, member: &str) -> Vec<String> {
    plan[member].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn stop_and_resume_touch_what_ran_and_nothing_else() {
    let (cluster, upstream) = start(two_jobs());
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let stopped = run(&upstream, here, &["ml", "stop", "--json"]);
    assert_eq!(stopped.status, 0, "{}", stopped.stderr);
    let told: Value = serde_json::from_str(&stopped.stdout).unwrap();
    let web = &told["jobs"][1];
    assert_eq!((&web["closed"], &web["datafeed_stopped"], &web["flushed"]), (&json!(true), &json!(true), &json!(true)));
    assert_eq!((&web["snapshot_id"], &told["left"]), (&json!("s1"), &json!([])));
    let written = plan(here, "mlgate-plan.json");
    assert_eq!(written["version"], 1);
    assert_eq!(ids(&written, "jobs"), ["db", "web"]);
    assert_eq!(written["datafeeds"][0]["job_id"], "web");
    cluster.set(|state| {
        let order: Vec<&str> = state.posts.iter().map(|post| post.split('?').next().unwrap()).collect();
        assert_eq!(order[0], "/_ml/datafeeds/web-feed/_stop");
        assert_eq!(order.len(), 3);
    });

    // Stopped again before it is resumed: nothing to do, nothing forgotten.
    assert_eq!(run(&upstream, here, &["ml", "stop"]).status, 0);
    assert_eq!(ids(&plan(here, "mlgate-plan.json"), "jobs"), ["db", "web"]);

    assert_eq!(run(&upstream, here, &["ml", "resume"]).status, 0);
    cluster.set(|state| {
        assert_eq!((state.jobs["db"], state.jobs["web"], state.jobs["idle"]), ("opened", "opened", "closed"));
        assert_eq!((state.datafeeds["web-feed"].1, state.datafeeds["idle-feed"].1), ("started", "stopped"));
        state.jobs.insert("db", "closed");
        state.posts.clear();
    });
    let again = run(&upstream, here, &["ml", "resume"]);
    assert_eq!((again.status, again.stdout.contains("done already")), (0, true));
    cluster.set(|state| assert!(state.posts.is_empty(), "{:?}", state.posts));
    assert_eq!(run(&upstream, here, &["ml", "stop"]).status, 0);
    assert_eq!(ids(&plan(here, "mlgate-plan-2.json"), "jobs"), ["web"]);
    assert_eq!(plan(here, "mlgate-plan.json")["status"], "done");
}

#[test]
fn one_bad_job_does_not_stop_the_rest_and_force_is_recorded() {
    let refused = [("/web/_close", 409)].into();
    let (cluster, upstream) = start(State { refused, ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let half = run(&upstream, here, &["ml", "stop"]);
    assert_eq!(half.status, 1);
    assert!(half.stderr.contains("job [web]: [POST /_ml/anomaly_detectors/web/_close"), "{}", half.stderr);
    cluster.set(|state| {
        assert_eq!((state.jobs["db"], state.jobs["web"]), ("closed", "opened"));
        assert!(!state.posts.iter().any(|post| post.contains("force")), "{:?}", state.posts);
    });
    let nobody = run(&upstream, here, &["ml", "stop", "--force"]);
    assert_eq!((nobody.status, nobody.stdout.as_str()), (2, ""));

    let forced = run(&upstream, here, &["ml", "stop", "--force", "--yes"]);
    assert_eq!(forced.status, 1, "the test refuses that too");
    let written = plan(here, "mlgate-plan.json");
    assert_eq!((&written["jobs"][0]["forced"], &written["jobs"][1]["forced"]), (&json!(false), &json!(true)));
    cluster.set(|state| {
        assert!(state.posts.last().unwrap().contains("force=true"), "{:?}", state.posts);
        state.refused.clear();
    });
    assert_eq!(run(&upstream, here, &["ml", "stop"]).status, 0);
}

#[test]
fn what_is_left_is_not_closed_and_what_is_closed_is_not_left() {
    for looks in 1..=8 {
        let refused = [("/web/_close", 409), ("/db/_close", 409)].into();
        let (_cluster, upstream) = start(State { refused, looks_until_closed: Some(looks), ..two_jobs() });
        let stopped = run(&upstream, tempfile::tempdir().unwrap().path(), &["ml", "stop", "--json"]);
        let told: Value = serde_json::from_str(&stopped.stdout).unwrap();
        let closed = told["jobs"].as_array().unwrap().iter().filter(|job| job["closed"] == json!(true)).count();
        let left = told["left"].as_array().unwrap().len();
        assert_eq!((closed + left, stopped.status == 0), (2, left == 0), "after {looks} looks: {told}");
    }
}

#[test]
fn a_datafeed_with_an_end_gets_it_back_where_the_cluster_tells_it() {
    let end = 1_767_225_600_000;
    for (shown, status) in [(Some(end), 0), (None, 1)] {
        let (cluster, upstream) = start(State { ends: [("web-feed", shown)].into(), ..two_jobs() });
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        assert_eq!(run(&upstream, here, &["ml", "stop"]).status, 0);
        assert_eq!(plan(here, "mlgate-plan.json")["datafeeds"][0]["end"], json!(shown));
        let resumed = run(&upstream, here, &["ml", "resume"]);
        assert_eq!(resumed.status, status, "{}", resumed.stderr);
        assert_eq!(resumed.stderr.contains("datafeed [web-feed]: was started with an end"), status == 1);
        cluster.set(|state| {
            let started: Vec<&String> = state.posts.iter().filter(|post| post.contains("_start")).collect();
            assert_eq!(started.len(), usize::from(status == 0));
            assert!(started.iter().all(|post| post.ends_with(&format!("&start=0&end={end}"))), "{started:?}");
        });
    }
}

#[test]
fn watch_on_a_pipe_writes_what_has_changed() {
    let (cluster, upstream) = start(two_jobs());
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", upstream.address);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mlgate"))
        .args(["ml", "status", "--watch", "--json", "--poll-interval", "2ms", "--url", &url])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["upgrade_mode"], false);
    let looked = cluster.set(|state| state.looks);
    cluster.wait(|state| state.looks > looked + 3);
    cluster.set(|state| state.failing.push(("/_ml/info", 503)));
    assert!(next()["error"].as_str().unwrap().contains("status [503]"));
    assert_eq!(next()["upgrade_mode"], false);
    cluster.set(|state| state.upgrade_mode = true);
    assert_eq!(next()["upgrade_mode"], true);
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn in_upgrade_mode_nothing_is_changed() {
    let (cluster, upstream) = start(State { upgrade_mode: true, ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let refused = run(&upstream, folder.path(), &["ml", "stop"]);
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("mlgate upgrade-mode disable"), "{}", refused.stderr);
    assert!(!folder.path().join("mlgate-plan.json").exists());
    cluster.set(|state| assert!(state.posts.is_empty()));
}

#[test]
fn nothing_to_do_is_done_and_can_be_resumed() {
    let (cluster, upstream) = start(State::default());
    let folder = tempfile::tempdir().unwrap();
    for command in ["stop", "resume", "status"] {
        let done = run(&upstream, folder.path(), &["ml", command]);
        assert_eq!(done.status, 0, "{command}: {}", done.stderr);
    }
    cluster.set(|state| assert!(state.posts.is_empty()));
}

#[test]
fn a_plan_that_cannot_be_read_stops_nothing() {
    let (cluster, upstream) = start(two_jobs());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mlgate-plan.json"), "{\"version\": 1, ").unwrap();
    for (arguments, said) in [
        (&["ml", "stop"][..], "is damaged"),
        (&["ml", "resume"], "is damaged"),
        (&["ml", "resume", "--plan", "none.json"], "there is no plan [none.json]"),
        (&["ml", "stop", "--plan", "missing/plan.json"], "cannot be written"),
    ] {
        let refused = run(&upstream, folder.path(), arguments);
        assert_eq!(refused.status, 1, "{arguments:?}");
        assert!(refused.stderr.contains(said), "{arguments:?}: {}", refused.stderr);
    }
    cluster.set(|state| assert!(state.posts.is_empty(), "{:?}", state.posts));
}

#[test]
fn killed_between_two_steps_and_run_again() {
    let (cluster, upstream) = start(State { held: Some("/web/_close"), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let url = format!("http://{}", upstream.address);
    let first = Process::start(&["ml", "stop", "--url", &url], here);
    cluster.wait(|state| state.jobs["db"] == "closed" && state.posts.iter().any(|post| post.contains("/web/_close")));
    first.kill();
    assert_eq!(plan(here, "mlgate-plan.json")["status"], "stopping");
    cluster.set(|state| state.held = None);
    assert_eq!(run(&upstream, here, &["ml", "stop"]).status, 0);
    let written = plan(here, "mlgate-plan.json");
    assert_eq!(
        (ids(&written, "jobs"), ids(&written, "datafeeds")),
        (vec!["db".to_owned(), "web".to_owned()], vec!["web-feed".to_owned()])
    );

    cluster.set(|state| state.held = Some("/web-feed/_start"));
    let second = Process::start(&["ml", "resume", "--url", &url], here);
    cluster.wait(|state| state.posts.iter().any(|post| post.contains("_start")));
    second.kill();
    assert_eq!(plan(here, "mlgate-plan.json")["status"], "resuming");
    cluster.set(|state| state.held = None);
    assert_eq!(run(&upstream, here, &["ml", "resume"]).status, 0);
    assert_eq!(plan(here, "mlgate-plan.json")["status"], "done");
    cluster.set(|state| assert_eq!(state.datafeeds["web-feed"].1, "started"));
}

#[test]
fn a_connection_that_breaks_is_not_the_end() {
    for path in ["/web-feed/_stop", "/db/_close"] {
        let (_cluster, upstream) = start(State { dropped: Some(path), ..two_jobs() });
        let folder = tempfile::tempdir().unwrap();
        let stopped = run(&upstream, folder.path(), &["ml", "stop"]);
        assert_eq!(stopped.status, 0, "{path}: {}", stopped.stderr);
    }
}

#[test]
fn a_plan_of_another_cluster_is_refused() {
    let (cluster, upstream) = start(two_jobs());
    let folder = tempfile::tempdir().unwrap();
    let plan = json!({"version": 1, "created": "", "cluster": {"uuid": "other", "url": ""}, "status": "stopped",
        "jobs": [{"id": "idle", "state": "opened"}], "datafeeds": []});
    std::fs::write(folder.path().join("mlgate-plan.json"), plan.to_string()).unwrap();
    for command in ["stop", "resume"] {
        let refused = run(&upstream, folder.path(), &["ml", command]);
        assert_eq!(refused.status, 1, "{command}");
        assert!(refused.stderr.contains("is of cluster [other], not of [u]"), "{}", refused.stderr);
    }
    cluster.set(|state| assert!(state.posts.is_empty()));
}
