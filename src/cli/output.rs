//! Results go to standard output, everything else to standard error.

use std::io::{self, ErrorKind, Write};

/// Writes a result. A reader that has gone away (`mlgate schema | head`) is no failure.
///
/// # Errors
/// Standard output cannot be written, such as on a full disk.
pub fn result(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to standard output"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a line for the person in front of the terminal. There is nowhere to report a failure to.
pub fn message(line: &str) {
    let mut stderr = io::stderr().lock();
    drop(writeln!(stderr, "{line}"));
}

/// Writes why a command failed: the error and its causes, in one line.
pub fn failure(error: &anyhow::Error) {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    message(&format!("mlgate: {}", causes.join(": ")));
}
