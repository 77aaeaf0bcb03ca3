//! What a connection is doing and since when: the base of its timeouts.

use std::cell::{Cell, OnceCell};
use std::task::Context;

use hyper::body::Incoming;
use tokio::time::Instant;

use super::Timeouts;
use super::leftover::Leftovers;
use super::readers::Readers;

/// Shared by the socket, the requests and the timer of one connection; all of them in one task (HTTP/1.1) or one
/// thread (HTTP/2).
pub(super) struct Watch {
    phase: Cell<Phase>,
    in_flight: Cell<u32>,
    served: Cell<u64>,
    /// An answer has been handed over, and its bytes may not all be written.
    unflushed: Cell<bool>,
    /// The end of the request line has been read.
    line_ended: Cell<bool>,
    /// A `#` stood in the request line: hyper cuts it off, so that nobody else can see it.
    fragment: Cell<bool>,
    blocked_since: Cell<Option<Instant>>,
    /// A request was answered before all of it was read: what is left must be read before closing, or the caller's
    /// system throws the answer away.
    unread: Cell<bool>,
    /// Of an HTTP/2 connection.
    leftovers: OnceCell<Leftovers>,
    /// The status of hyper's own answer to what it could not parse.
    unparsed: Cell<Option<u16>>,
    /// Of HTTP/2; empty for HTTP/1.1, where the socket tells.
    pub(super) readers: Readers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between two requests.
    Idle(Instant),
    /// Some of a head has come.
    Head(Instant),
    /// A request is being answered.
    Busy,
}

impl Watch {
    /// A new connection has to send its first head as if a byte of it had come.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Cell::new(Phase::Head(now)),
            in_flight: Cell::new(0),
            served: Cell::new(0),
            unflushed: Cell::new(false),
            line_ended: Cell::new(false),
            fragment: Cell::new(false),
            blocked_since: Cell::new(None),
            unread: Cell::new(false),
            leftovers: OnceCell::new(),
            unparsed: Cell::new(None),
            readers: Readers::default(),
        }
    }

    /// Bytes have come. Cheap while a request is being answered.
    pub(super) fn read(&self, bytes: &[u8]) {
        match self.phase.get() {
            Phase::Busy => return,
            Phase::Idle(_) => {
                self.phase.set(Phase::Head(Instant::now()));
                self.line_ended.set(false);
            }
            Phase::Head(_) => {}
        }
        if self.line_ended.get() {
            return;
        }
        for position in memchr::memchr2_iter(b'#', b'\n', bytes) {
            if bytes.get(position) == Some(&b'\n') {
                self.line_ended.set(true);
                return;
            }
            self.fragment.set(true);
        }
    }

    pub(super) fn request_begins(&self) {
        self.phase.set(Phase::Busy);
        self.in_flight.set(self.in_flight.get() + 1);
        self.served.set(self.served.get() + 1);
    }

    /// The answer of a request is over, whole or not.
    pub(super) fn request_ends(&self) {
        let left = self.in_flight.get().saturating_sub(1);
        self.in_flight.set(left);
        if left == 0 {
            self.phase.set(Phase::Idle(Instant::now()));
            self.line_ended.set(false);
        }
    }

    pub(super) fn answer_begins(&self) {
        self.unflushed.set(true);
    }

    pub(super) fn flushed(&self) {
        self.blocked_since.set(None);
        if self.in_flight.get() == 0 {
            self.unflushed.set(false);
        }
    }

    /// Whether bytes that are written now are hyper's own answer to a head that it could not parse: there is no request.
    pub(super) fn nothing_to_answer(&self) -> bool {
        self.in_flight.get() == 0 && !self.unflushed.get()
    }

    pub(super) fn write_blocked(&self) {
        if self.blocked_since.get().is_none() {
            self.blocked_since.set(Some(Instant::now()));
        }
    }

    pub(super) fn wrote(&self) {
        self.blocked_since.set(None);
    }

    /// True once when the request line had a `#`.
    pub(super) fn take_fragment(&self) -> bool {
        self.fragment.replace(false)
    }

    pub(super) fn request_line_ended(&self) -> bool {
        self.line_ended.get()
    }

    pub(super) fn leave_unread(&self) {
        self.unread.set(true);
    }

    /// From now on the connection reads what is left of bodies.
    pub(super) fn read_leftovers(&self) {
        self.leftovers.get_or_init(Leftovers::default);
    }

    pub(super) fn keep_leftover(&self, body: Incoming) {
        if let Some(leftovers) = self.leftovers.get() {
            leftovers.keep(body);
        }
    }

    pub(super) fn poll_leftovers(&self, cx: &mut Context<'_>) {
        if let Some(leftovers) = self.leftovers.get() {
            leftovers.poll(cx);
        }
    }

    pub(super) fn has_unread(&self) -> bool {
        self.unread.get()
    }

    pub(super) fn set_unparsed(&self, status: u16) {
        self.unparsed.set(Some(status));
        self.unread.set(true);
    }

    pub(super) fn unparsed(&self) -> Option<u16> {
        self.unparsed.get()
    }

    /// Whether it has had a request.
    pub(super) fn has_served(&self) -> bool {
        self.served.get() > 0
    }

    /// Between two requests, with nothing of the next one there.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase.get(), Phase::Idle(_))
    }

    /// When the connection has to be closed if nothing happens; `None` while a request is being answered and the caller
    /// takes what is sent.
    pub(super) fn deadline(&self, timeouts: &Timeouts) -> Option<Instant> {
        let untaken = [self.blocked_since.get(), self.readers.oldest()].into_iter().flatten().min();
        if let Some(since) = untaken {
            return Some(since + timeouts.idle);
        }
        match self.phase.get() {
            Phase::Idle(since) => Some(since + timeouts.idle),
            Phase::Head(since) => Some(since + timeouts.header),
            Phase::Busy => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn timeouts() -> Timeouts {
        let second = Duration::from_secs(1);
        Timeouts { header: second, body: second * 2, idle: second * 3, drain: second * 4 }
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_follows_what_the_connection_does() {
        let begin = Instant::now();
        let watch = Watch::new(begin);
        assert_eq!(watch.deadline(&timeouts()), Some(begin + timeouts().header));
        watch.read(b"GET / HTTP/1.1\r\n\r\n");
        watch.request_begins();
        assert_eq!(watch.deadline(&timeouts()), None);
        watch.answer_begins();
        tokio::time::advance(Duration::from_secs(9)).await;
        watch.write_blocked();
        assert_eq!(watch.deadline(&timeouts()), Some(Instant::now() + timeouts().idle));
        watch.wrote();
        watch.request_ends();
        assert!(!watch.nothing_to_answer());
        watch.flushed();
        assert!(watch.nothing_to_answer());
        assert_eq!(watch.deadline(&timeouts()), Some(Instant::now() + timeouts().idle));
        tokio::time::advance(Duration::from_secs(1)).await;
        watch.read(b"G");
        assert_eq!(watch.deadline(&timeouts()), Some(Instant::now() + timeouts().header));
    }

    #[test]
    fn a_fragment_is_seen_in_the_request_line_only() {
        let watch = Watch::new(Instant::now());
        watch.read(b"GET /a#b HT");
        assert!(!watch.request_line_ended());
        watch.read(b"TP/1.1\r\nx: #\r\n\r\n");
        assert!(watch.request_line_ended());
        assert!(watch.take_fragment());
        assert!(!watch.take_fragment());
        watch.request_begins();
        watch.request_ends();
        watch.read(b"GET / HTTP/1.1\r\nx: #\r\n\r\n");
        assert!(!watch.take_fragment());
    }
}
