//! `--watch`: the status again and again, until Ctrl-C.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use super::exit::Exit;
use super::interrupt::unless_interrupted;
use super::output;
use super::status_table::{self, Lag};
use crate::elasticsearch::client::Client;
use crate::maintenance::Status;

/// Home, and nothing below it.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Draws anew on a terminal; elsewhere writes what has changed. A cluster that does not answer, as in its upgrade, is a
/// line and not the end.
///
/// # Errors
/// Standard output cannot be written.
pub(super) async fn watch(client: &Client, interval: Duration, json: bool) -> anyhow::Result<Exit> {
    let mut screen = Screen { redraws: io::stdout().is_terminal() && !json, json, last: String::new() };
    let endless = async {
        loop {
            let shown = Status::read(client).await.map_err(anyhow::Error::from);
            if let Err(unwritable) = screen.show(&shown) {
                return unwritable;
            }
            tokio::time::sleep(interval).await;
        }
    };
    match unless_interrupted(endless).await {
        Some(unwritable) => Err(unwritable),
        None => Ok(Exit::Done),
    }
}

struct Screen {
    redraws: bool,
    json: bool,
    /// What was written last, without what changes with every look.
    last: String,
}

impl Screen {
    fn show(&mut self, status: &anyhow::Result<Status>) -> anyhow::Result<()> {
        let (steady, whole) = match status {
            Ok(status) => (status_table::text(status, Lag::Hidden), self.written(status)),
            Err(failure) => {
                let line = format!("no status: {failure:#}\n");
                (
                    line.clone(),
                    if self.json { format!("{}\n", serde_json::json!({"error": line.trim_end()})) } else { line },
                )
            }
        };
        if self.redraws {
            return output::result(&format!("{CLEAR}{whole}"));
        }
        if steady == self.last {
            return Ok(());
        }
        self.last = steady;
        output::result(&whole)
    }

    /// A block for people, one line for programs.
    fn written(&self, status: &Status) -> String {
        if self.json { format!("{}\n", status.json()) } else { status_table::text(status, Lag::Shown) + "\n" }
    }
}
