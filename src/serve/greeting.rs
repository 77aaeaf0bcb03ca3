//! What a person reads on standard error at the first start.

use std::io::Write as _;

use super::first_start::Made;
use crate::config::ConfigFile;

/// Tells what was made and where it lies, or where it lay already. Passwords are told this once.
pub(super) fn made(file: &ConfigFile, made: &Made) {
    let mut text = String::new();
    if let Some(ca) = &made.ca {
        text.push_str(&format!("made a development certificate; clients verify it with {}\n", ca.display()));
    }
    if !made.users.is_empty() {
        text.push_str("made these users; each password is told only here:\n");
        for user in &made.users {
            text.push_str(&format!("{} {}\n", user.name, user.password.expose()));
        }
    }
    if made.ca.is_none() && made.users.is_empty() {
        text.push_str(&format!("config: {}\n", file.path().display()));
    }
    write(&text);
}

/// Lines to copy after the first start.
pub(super) fn lines_to_copy(url: &str, made: &Made) {
    let Some(user) = made.users.first() else { return };
    let ca = made.ca.as_ref().map_or_else(|| "certs/ca.crt".to_owned(), |ca| ca.display().to_string());
    let url = url.replace("0.0.0.0", "127.0.0.1");
    write(&format!(
        "try:\n  curl --cacert {ca} -u {}:{} {url}/_ml/info?pretty\nset a new password: mlgate hash-password NAME, into the users file\n",
        user.name,
        user.password.expose(),
    ));
}

fn write(text: &str) {
    // Nobody reads standard error: nothing can be told then.
    let _closed = std::io::stderr().lock().write_all(text.as_bytes());
}
