//! Threads that check passwords, so that no worker waits for a hash.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::file::password::PasswordHash;

/// Of so many checks two are strangers' and one is a suspect's, while all queues have some.
const TURNS: u8 = 8;

/// Checks passwords on threads of its own. Outlives reloads; dropped, it ends its threads.
///
/// Three queues, each of a bounded length: credentials that were verified before and are only renewed go first, and
/// those from where there were wrong ones lately go last, so that somebody who guesses passwords does not shut out those
/// who know theirs.
pub struct Verifier {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// A password and the hash that it should have.
pub(super) struct Job {
    pub(super) password: Zeroizing<Vec<u8>>,
    pub(super) hash: Arc<PasswordHash>,
    /// After it nobody waits any more.
    pub(super) deadline: Instant,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The credential was good before.
    Known,
    Stranger,
    /// Attempts from there failed lately.
    Suspect,
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

struct Shared {
    queues: Mutex<Queues>,
    wake: Condvar,
    queue_length: usize,
}

#[derive(Default)]
struct Queues {
    known: VecDeque<Waiting>,
    strangers: VecDeque<Waiting>,
    suspects: VecDeque<Waiting>,
    taken: u8,
    stopped: bool,
}

struct Waiting {
    job: Job,
    answer: oneshot::Sender<bool>,
}

impl Verifier {
    /// Starts `threads` threads (at least one) over queues of `queue_length` each (at least one).
    ///
    /// # Errors
    /// What the system says when it starts no thread.
    pub fn start(threads: usize, queue_length: usize) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { queues: Mutex::default(), wake: Condvar::new(), queue_length: queue_length.max(1) });
        let mut verifier = Self { shared, threads: Vec::new() };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&verifier.shared);
            let thread = Builder::new().name(format!("verify-{number}")).spawn(move || shared.work())?;
            verifier.threads.push(thread);
        }
        Ok(verifier)
    }

    /// How many may wait in each queue.
    pub(super) fn queue_length(&self) -> usize {
        self.shared.queue_length
    }

    /// Puts a job in a queue; never waits. The receiver gets whether the password is right, or an error if it came to
    /// no check in time. Dropping it takes the job back.
    pub(super) fn submit(&self, job: Job, lane: Lane) -> Result<oneshot::Receiver<bool>, Full> {
        let (answer, receiver) = oneshot::channel();
        let mut queues = self.shared.lock();
        let queue = queues.of(lane);
        if queue.len() >= self.shared.queue_length {
            queue.retain(|waiting| !waiting.answer.is_closed());
        }
        if queue.len() >= self.shared.queue_length {
            return Err(Full);
        }
        queue.push_back(Waiting { job, answer });
        drop(queues);
        self.shared.wake.notify_one();
        Ok(receiver)
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // a thread that panicked has nothing left to end
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(Waiting { job, answer }) = self.next() {
            if answer.is_closed() || job.deadline <= Instant::now() {
                continue;
            }
            let _ = answer.send(job.hash.verify(&job.password)); // whoever asked may be gone
        }
    }

    /// The next job, or `None` at the end.
    fn next(&self) -> Option<Waiting> {
        let mut queues = self.lock();
        loop {
            if queues.stopped {
                return None;
            }
            if let Some(waiting) = queues.take() {
                return Some(waiting);
            }
            queues = self.wake.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Queues {
    fn take(&mut self) -> Option<Waiting> {
        self.taken = (self.taken + 1) % TURNS;
        let order = match self.taken {
            0 => [Lane::Suspect, Lane::Known, Lane::Stranger],
            3 | 6 => [Lane::Stranger, Lane::Known, Lane::Suspect],
            _ => [Lane::Known, Lane::Stranger, Lane::Suspect],
        };
        order.into_iter().find_map(|lane| self.of(lane).pop_front())
    }

    const fn of(&mut self, lane: Lane) -> &mut VecDeque<Waiting> {
        match lane {
            Lane::Known => &mut self.known,
            Lane::Stranger => &mut self.strangers,
            Lane::Suspect => &mut self.suspects,
        }
    }
}

#[cfg(test)]
mod tests;
