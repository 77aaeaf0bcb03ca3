//! What a person reads on standard error when the gateway starts.

use std::io::Write as _;
use std::path::Path;

use super::first_start::Made;
use crate::config::ConfigFile;

/// Tells what was made, or where it lies. Told before anything can fail: a password is told this once and kept nowhere.
pub(super) fn made(file: &ConfigFile, made: &Made) {
    let mut lines = Vec::new();
    match &made.config {
        Some(config) => lines.push(format!("made a config, to change as you like: {}", short(config))),
        None => lines.push(format!("config: {}", short(file.path()))),
    }
    let places = file.made_at_first_start();
    match (&made.ca, &places.certificate) {
        (Some(ca), _) => lines.push(format!("made a development certificate; clients verify it with {}", short(ca))),
        (None, Some(files)) => lines.push(format!("certificate: {}", short(&files.certificate))),
        (None, None) => {}
    }
    if !made.users.is_empty() {
        lines.push("made users; their passwords are told this once:".to_owned());
        lines.extend(made.users.iter().map(|user| format!("{} {}", user.name, user.password.expose())));
    } else if let Some(files) = &places.users {
        let users = short(&files.users);
        lines.push(format!("users: {users}; a new password: mlgate hash-password NAME, and put the line there"));
    }
    write(&lines);
}

/// Lines to copy, once the gateway listens for the first time.
pub(super) fn lines_to_copy(url: &str, made: &Made) {
    let (Some(user), Some(ca)) = (made.users.first(), &made.ca) else { return };
    let url = url.replace("0.0.0.0", "127.0.0.1");
    write(&[
        "try it (curl asks for the password):".to_owned(),
        format!("  curl --cacert {} -u {} '{url}/_ml/info?pretty'", short(ca), user.name),
    ]);
}

/// As a person in the current folder would write it.
fn short(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let below = std::env::current_dir().ok().and_then(|here| whole.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or(whole).display().to_string()
}

fn write(lines: &[String]) {
    // Nobody reads standard error: nothing can be told then.
    let _closed = std::io::stderr().lock().write_all(format!("{}\n", lines.join("\n")).as_bytes());
}
