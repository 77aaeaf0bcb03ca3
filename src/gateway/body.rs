//! The body of a request on its way to a node: counted, timed, never held.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Duration, Instant};

use super::identity;
use super::stall::Stall;
use super::watch::Watch;
use crate::gate::Admission;

/// A request body, as the pool sends it.
pub(super) struct Upload {
    /// `None`: there is no body.
    incoming: Option<Incoming>,
    left: u64,
    stall: Stall,
    state: Rc<UploadState>,
    watch: Rc<Watch>,
    /// Counted by the gate until all of it is sent, also when the node has answered before.
    admission: Option<Admission>,
}

/// What became of a body; outlives it.
pub(super) struct UploadState {
    end: Cell<Option<UploadEnd>>,
    bytes: Cell<u64>,
    moved: Cell<Instant>,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UploadEnd {
    #[error("complete")]
    Complete,
    #[error("the body is larger than allowed")]
    TooLarge,
    #[error("the caller sent nothing for too long")]
    Stalled,
    /// The connection broke, or its framing did.
    #[error("the body broke off")]
    Broken,
}

impl Upload {
    /// `bytes_max`: more than that ends it; `idle`: so long may the caller send nothing.
    pub(super) fn new(incoming: Incoming, bytes_max: u64, idle: Duration, watch: Rc<Watch>, now: Instant) -> Self {
        let incoming = Some(incoming).filter(|incoming| !incoming.is_end_stream());
        let ended = incoming.is_none().then_some(UploadEnd::Complete);
        let state = UploadState { end: Cell::new(ended), bytes: Cell::new(0), moved: Cell::new(now) };
        Self { incoming, left: bytes_max, stall: Stall::new(idle, now), state: Rc::new(state), watch, admission: None }
    }

    /// The same nothing again, for a request without a body that is sent once more.
    pub(super) fn empty_like(&self) -> Self {
        let (state, watch) = (Rc::clone(&self.state), Rc::clone(&self.watch));
        Self {
            incoming: None,
            left: 0,
            stall: Stall::new(Duration::ZERO, self.state.moved()),
            state,
            watch,
            admission: None,
        }
    }

    /// Counts it at the gate for as long as there is more of it to send.
    pub(super) fn hold(&mut self, admission: &Admission) {
        self.admission = (!self.is_empty()).then(|| admission.again());
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.incoming.is_none()
    }

    /// Waits for the first byte of data.
    ///
    /// # Errors
    /// How the body broke off.
    pub(super) async fn has_data(&mut self) -> Result<bool, UploadEnd> {
        loop {
            match std::future::poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await {
                None => return Ok(false),
                Some(Ok(frame)) if frame.data_ref().is_some_and(|data| !data.is_empty()) => return Ok(true),
                Some(Ok(_)) => {}
                Some(Err(end)) => return Err(end),
            }
        }
    }

    pub(super) const fn state(&self) -> &Rc<UploadState> {
        &self.state
    }

    fn complete(&mut self) {
        self.state.end.set(Some(UploadEnd::Complete));
        self.admission = None;
    }

    fn end(&self, end: UploadEnd) -> UploadEnd {
        self.state.end.set(Some(end));
        end
    }
}

impl UploadState {
    pub(super) fn end(&self) -> Option<UploadEnd> {
        self.end.get()
    }

    /// Bytes of data that went on.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// When the last part of the body went on; when it began, for none.
    pub(super) fn moved(&self) -> Instant {
        self.moved.get()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadEnd;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadEnd>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *incoming).poll_frame(cx);
        if polled.is_pending() && this.stall.is_over(cx) {
            return Poll::Ready(Some(Err(this.end(UploadEnd::Stalled))));
        }
        let frame = match ready!(polled) {
            None => {
                this.complete();
                return Poll::Ready(None);
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "request body broke off");
                return Poll::Ready(Some(Err(this.end(UploadEnd::Broken))));
            }
            Some(Ok(mut frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    identity::strip_trailers(trailers);
                }
                frame
            }
        };
        this.stall.progress();
        this.state.moved.set(Instant::now());
        if let Some(data) = frame.data_ref() {
            let count = data.len() as u64;
            let Some(left) = this.left.checked_sub(count) else {
                return Poll::Ready(Some(Err(this.end(UploadEnd::TooLarge))));
            };
            this.left = left;
            this.state.bytes.set(this.state.bytes.get() + count);
        }
        if this.incoming.as_ref().is_none_or(Body::is_end_stream) {
            this.complete();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.state.end.get() == Some(UploadEnd::Complete) {
            return;
        }
        self.watch.leave_unread();
        // Of a body that was refused itself, nothing more is read.
        if self.state.end.get().is_none()
            && let Some(incoming) = self.incoming.take()
        {
            self.watch.keep_leftover(incoming);
        }
    }
}
