//! What the operating system asks of the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listened to from before the first `listening` line on: nothing that comes later ends the process unasked.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Inside of a runtime.
    ///
    /// # Errors
    /// A system that gives no signals.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Until SIGTERM or SIGINT; SIGHUP is left to `hang_up`.
    pub(super) fn split(self) -> (impl Future<Output = ()>, Signal) {
        let Self { mut terminate, mut interrupt, hang_up } = self;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        (stop, hang_up)
    }
}
