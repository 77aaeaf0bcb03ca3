//! The program from outside: commands, what they print and where, exit status.

mod explain;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run of the program came to.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `mlgate` in `folder` with no variable of our own.
pub(crate) fn mlgate(folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mlgate"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("MLGATE_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input closes it.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Run {
        status: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

#[test]
fn wrong_use_is_2_and_help_is_0() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["check", "--configuration", "x"],
        &["explain", "GET", "/"],
        &["hash-password", "a:b"],
        &["hash-password", "#a"],
    ] {
        let run = mlgate(here, arguments, "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    for arguments in [["--help"], ["--version"]] {
        let run = mlgate(here, &arguments, "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(run.stdout.contains("mlgate"), "{arguments:?}");
    }
}

#[test]
fn schema_is_json_schema_and_completions_are_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let run = mlgate(folder.path(), &["schema"], "");
    assert_eq!(run.status, 0);
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["listeners"]["type"], "array");
    assert_eq!(schema["additionalProperties"], false);
    for shell in ["bash", "zsh", "fish"] {
        let run = mlgate(folder.path(), &["completions", shell], "");
        assert_eq!(run.status, 0, "{shell}");
        assert!(run.stdout.contains("hash-password"), "{shell}");
    }
    assert_eq!(mlgate(folder.path(), &["completions", "abacus"], "").status, 2);
}

#[test]
fn hash_password_makes_a_line_that_the_users_file_takes() {
    let folder = tempfile::tempdir().unwrap();
    let run = mlgate(folder.path(), &["hash-password", "jane"], "correct horse\n");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let hash = run.stdout.strip_prefix("jane:").unwrap().strip_suffix('\n').unwrap();
    let hash = mlgate::realm::file::password::PasswordHash::parse(hash).unwrap();
    assert!(hash.verify(b"correct horse"));
    assert!(!hash.verify(b"correct horse\n"));

    let run = mlgate(folder.path(), &["hash-password"], "correct horse");
    assert!(run.stdout.starts_with("$2a$10$"), "{}", run.stdout);
    for (input, expected) in [
        ("short\n", "mlgate: passwords must be at least [6] characters long\n"),
        ("two\nlines\n", "mlgate: expected one line on standard input: the password\n"),
    ] {
        let run = mlgate(folder.path(), &["hash-password"], input);
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (1, "", expected), "{input:?}");
    }
}
