//! The operator commands on a terminal: questions, bars, the screen of `--watch`.

use std::path::Path;
use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::{State, start, two_jobs};
use crate::harness::{PATIENCE, Upstream};

/// The program on a terminal of its own.
fn on_terminal(upstream: &Upstream, folder: &Path, arguments: &[&str]) -> PtySession {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlgate"));
    command.args(arguments).args(["--url", &format!("http://{}", upstream.address), "--poll-interval", "5ms"]);
    command.current_dir(folder).env("TERM", "xterm");
    spawn_command(command, Some(u64::try_from(PATIENCE.as_millis()).unwrap())).unwrap()
}

/// The crate does not show its type of this.
fn assert_exit(session: &PtySession, status: i32) {
    let ended = format!("{:?}", session.process().wait().unwrap());
    assert!(ended.starts_with("Exited") && ended.ends_with(&format!(", {status})")), "{ended}");
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let (cluster, upstream) = start(two_jobs());
    let folder = tempfile::tempdir().unwrap();
    let mut session = on_terminal(&upstream, folder.path(), &["ml", "status", "--user", "jane"]);
    session.exp_string("Password of jane: ").unwrap();
    session.send_line("s3cret").unwrap();
    let shown = session.exp_eof().unwrap();
    assert!(shown.contains("upgrade mode: off") && !shown.contains("s3cret"), "{shown}");
    assert_exit(&session, 0);
    cluster.set(|state| assert_eq!(state.credentials.last().unwrap(), "Basic amFuZTpzM2NyZXQ="));
}

#[test]
fn force_is_asked_for_once_and_a_no_is_a_no() {
    for (answer, forced) in [("n", false), ("", false), ("y", true)] {
        let refused = [("/web/_close", 409)].into();
        let (cluster, upstream) = start(State { refused, ..two_jobs() });
        let folder = tempfile::tempdir().unwrap();
        let mut session = on_terminal(&upstream, folder.path(), &["ml", "stop", "--force"]);
        session.exp_string("jobs [web]. End them by force?").unwrap();
        session.exp_string("[y/N]").unwrap();
        session.send_line(answer).unwrap();
        session.exp_eof().unwrap();
        assert_exit(&session, 1);
        cluster.set(|state| assert_eq!(state.posts.iter().any(|post| post.contains("force=true")), forced, "{answer}"));
    }
}

#[test]
fn ctrl_c_ends_a_question() {
    let refused = [("/web/_close", 409)].into();
    let (cluster, upstream) = start(State { refused, ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let mut session = on_terminal(&upstream, folder.path(), &["ml", "stop", "--force"]);
    session.exp_string("[y/N]").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("mlgate: interrupted; ").unwrap();
    session.exp_eof().unwrap();
    assert_exit(&session, 1);
    cluster.set(|state| assert!(!state.posts.iter().any(|post| post.contains("force"))));
}

#[test]
fn a_wave_is_a_bar() {
    let (cluster, upstream) = start(State { held: Some("/web/_close"), ..two_jobs() });
    let folder = tempfile::tempdir().unwrap();
    let mut session = on_terminal(&upstream, folder.path(), &["ml", "stop"]);
    session.exp_string("closing jobs [").unwrap();
    session.exp_string("1/2 db").unwrap();
    cluster.set(|state| state.held = None);
    session.exp_string("plan: mlgate-plan.json").unwrap();
    assert_exit(&session, 0);
}

#[test]
fn watch_draws_anew_until_ctrl_c() {
    let (cluster, upstream) = start(two_jobs());
    let folder = tempfile::tempdir().unwrap();
    let mut session = on_terminal(&upstream, folder.path(), &["ml", "status", "--watch"]);
    session.exp_string("\u{1b}[H\u{1b}[J").unwrap();
    session.exp_string("upgrade mode: off").unwrap();
    cluster.set(|state| state.upgrade_mode = true);
    session.exp_string("upgrade mode: on").unwrap();
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    assert_exit(&session, 0);
}
