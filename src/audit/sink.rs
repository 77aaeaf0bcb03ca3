//! Where audit events go: from each worker by a channel of its own to one writing thread.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::event::{Event, EventClass};

#[derive(Clone, Debug)]
pub struct Settings {
    pub output: Output,
    /// Events of other classes are not written.
    pub events: Vec<EventClass>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Stdout,
    Stderr,
    /// Appended to.
    File(PathBuf),
}

/// Events that wait for the writer, a worker; with more waiting, the oldest stay and new ones are counted as lost.
const QUEUE: usize = 16_384;
const BATCH: usize = 256;

/// The writing thread.
pub struct Auditor {
    thread: JoinHandle<()>,
    lost: Arc<AtomicU64>,
    control: Arc<Sender>,
}

/// The way to the writer of what runs beside the workers. It keeps no writer waiting: after the end nothing is written.
#[derive(Clone, Default)]
pub struct ControlSender(Weak<Sender>);

impl ControlSender {
    /// Queues the event if its class is wanted.
    pub fn send(&self, event: Event) {
        if let Some(sender) = self.0.upgrade() {
            sender.send(event);
        }
    }
}

/// One worker's way to the writer. Sending never waits.
pub struct Sender {
    events: mpsc::Sender<Event>,
    classes: Vec<EventClass>,
    lost: Arc<AtomicU64>,
}

impl Auditor {
    /// Starts the thread, and makes a sender for each of `workers`. It ends when all senders and the auditor are gone.
    ///
    /// # Errors
    /// A file that cannot be opened, a thread that cannot be started.
    pub fn start(settings: &Settings, workers: usize) -> io::Result<(Self, Vec<Sender>)> {
        let output = open(&settings.output)?;
        let lost = Arc::new(AtomicU64::new(0));
        let (mut senders, receivers): (Vec<_>, Vec<_>) = (0..=workers)
            .map(|_| {
                let (events, receiver) = mpsc::channel(QUEUE);
                (Sender { events, classes: settings.events.clone(), lost: Arc::clone(&lost) }, receiver)
            })
            .unzip();
        let control = Arc::new(senders.pop().unwrap_or_else(Sender::muted));
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let thread = thread::Builder::new().name("mlgate-audit".to_owned()).spawn(move || {
            let tasks = LocalSet::new();
            let output = Rc::new(RefCell::new(output));
            for receiver in receivers {
                tasks.spawn_local(write_all(receiver, Rc::clone(&output)));
            }
            runtime.block_on(tasks);
        })?;
        Ok((Self { thread, lost, control }, senders))
    }

    /// For the control plane.
    pub fn control(&self) -> ControlSender {
        ControlSender(Arc::downgrade(&self.control))
    }

    /// Events that could not be queued since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything sent is written; all senders must be gone.
    pub fn finish(self) {
        drop(self.control);
        // A panic of the writer has been reported by the panic hook.
        let _panicked = self.thread.join();
    }
}

impl Sender {
    /// A sender whose events nobody wants.
    pub fn muted() -> Self {
        Self { events: mpsc::channel(1).0, classes: Vec::new(), lost: Arc::default() }
    }

    /// Whether events of this class are written: ask before an event is built.
    pub fn wants(&self, class: EventClass) -> bool {
        let among = |class| self.classes.contains(&class);
        among(class) || (class == EventClass::MlChange && among(EventClass::AccessGranted))
    }

    /// Queues the event if its class is wanted.
    pub fn send(&self, event: Event) {
        if self.wants(event.action.class()) && self.events.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn write_all(mut events: mpsc::Receiver<Event>, output: Rc<RefCell<Box<dyn Write + Send>>>) {
    let mut batch = Vec::with_capacity(BATCH);
    while events.recv_many(&mut batch, BATCH).await > 0 {
        let mut lines = String::new();
        for event in batch.drain(..) {
            lines.push_str(&event.line());
            lines.push('\n');
        }
        let mut output = output.borrow_mut();
        if let Err(error) = output.write_all(lines.as_bytes()).and_then(|()| output.flush()) {
            tracing::error!(%error, "audit events cannot be written");
        }
    }
}

fn open(output: &Output) -> io::Result<Box<dyn Write + Send>> {
    Ok(match output {
        Output::Stdout => Box::new(io::stdout()),
        Output::Stderr => Box::new(io::stderr()),
        Output::File(path) => Box::new(append(path)?),
    })
}

fn append(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::super::event::{Action, Outcome};
    use super::*;

    fn event(action: Action) -> Event {
        Event {
            time: std::time::UNIX_EPOCH,
            action,
            outcome: Outcome::Failure,
            reason: None,
            cluster: "main".to_owned(),
            user: None,
            source_ip: None,
            request: None,
            elasticsearch_action: None,
            rule: None,
            privileges: Vec::new(),
            trace_id: None,
        }
    }

    #[test]
    fn all_wanted_events_of_all_workers_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.json");
        let settings = Settings { output: Output::File(path.clone()), events: vec![EventClass::AccessDenied] };
        let (auditor, senders) = Auditor::start(&settings, 3).unwrap();
        for sender in &senders {
            for _ in 0..400 {
                sender.send(event(Action::AccessDenied));
                sender.send(event(Action::AuthenticationFailed));
            }
        }
        let control = auditor.control();
        control.send(event(Action::AccessDenied));
        drop(senders);
        assert_eq!(auditor.lost(), 0);
        auditor.finish();
        control.send(event(Action::AccessDenied));
        let written = std::fs::read_to_string(path).unwrap();
        assert_eq!(written.lines().count(), 1201, "nothing after the end, and nobody waits for it");
        assert!(written.lines().all(|line| line.contains("access_denied")));
    }
}
