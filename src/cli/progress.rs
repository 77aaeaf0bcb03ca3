//! Progress of operations on standard error: a bar on a terminal, one line per event elsewhere.

use std::cell::RefCell;
use std::io::{self, BufRead as _, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::maintenance::{Event, Progress};

/// Draws what an operation tells, and asks.
pub struct Drawn {
    /// Bars and lines are left out: `--json` on a terminal.
    quiet: bool,
    yes: bool,
    bar: RefCell<Option<ProgressBar>>,
    running: RefCell<Vec<String>>,
}

impl Drawn {
    /// `yes`: questions are answered without being asked.
    pub const fn new(quiet: bool, yes: bool) -> Self {
        Self { quiet, yes, bar: RefCell::new(None), running: RefCell::new(Vec::new()) }
    }

    fn line(&self, line: &str) {
        match &*self.bar.borrow() {
            Some(bar) => bar.suspend(|| output::message(line)),
            None => output::message(line),
        }
    }

    fn begin(&self, name: &'static str, items: usize) {
        if !io::stderr().is_terminal() {
            return output::message(&format!("{name}: {items}"));
        }
        let bar = ProgressBar::new(u64::try_from(items).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        *self.bar.borrow_mut() = Some(bar);
    }

    fn item(&self, id: &str, outcome: &str) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.inc(1);
            bar.set_message(id.to_owned());
        }
        if outcome != "done" || !io::stderr().is_terminal() {
            self.line(&format!("  {id}: {outcome}"));
        }
    }

    /// The same list is not told twice.
    fn running(&self, tasks: &[String], seconds: u64) {
        if *self.running.borrow() != tasks {
            self.running.borrow_mut().clear();
            self.running.borrow_mut().extend_from_slice(tasks);
            self.line(&format!("{seconds}s: still waiting for [{}]: {}", tasks.len(), tasks.join(", ")));
        }
    }
}

impl Progress for Drawn {
    fn tell(&self, event: Event<'_>) {
        if self.quiet {
            return;
        }
        match event {
            Event::Wave { name, items } => self.begin(name, items),
            Event::Item { id, outcome } => self.item(id, outcome),
            Event::Late { id } => self.line(&format!("  {id}: takes long; the others go first")),
            Event::WaveEnded => {
                if let Some(bar) = self.bar.borrow_mut().take() {
                    bar.finish_and_clear();
                }
            }
            Event::Running { tasks, seconds } => self.running(tasks, seconds),
            Event::Note(text) => self.line(text),
        }
    }

    async fn confirm(&self, question: &str) -> Option<bool> {
        if self.yes {
            return Some(true);
        }
        if !io::stdin().is_terminal() {
            return None;
        }
        output::message(&format!("{question} [y/N]"));
        // On a thread that nobody waits for, so that Ctrl-C ends the question.
        let (answer, answered) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || answer.send(read_answer()));
        answered.await.ok()?
    }
}

fn read_answer() -> Option<bool> {
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}
