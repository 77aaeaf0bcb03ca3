//! The body of a request as its caller sends it: counted and timed.

use std::cell::{Cell, RefCell};
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
use crate::policy::Perimeter;
use crate::rejection::Rejection;

/// What asking a body for its next frame gives.
pub(super) type PolledFrame = Poll<Option<Result<Frame<Bytes>, UploadEnd>>>;

/// What the caller sends.
pub(super) struct Source {
    /// `None`: there is no body.
    incoming: Option<Incoming>,
    /// All of it has come; a chunked body does not tell by itself.
    over: bool,
    left: u64,
    stall: Stall,
    state: Rc<UploadState>,
    watch: Rc<Watch>,
}

/// What became of a body; outlives it.
pub(super) struct UploadState {
    end: Cell<Option<UploadEnd>>,
    bytes: Cell<u64>,
    moved: Cell<Instant>,
    refusal: RefCell<Option<(Perimeter, Rejection)>>,
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
    /// [`UploadState::rejection`] says why.
    #[error("what the body asks for is refused")]
    Refused,
}

impl Source {
    /// `bytes_max`: more than that ends it; `idle`: so long may the caller send nothing.
    pub(super) fn new(incoming: Incoming, bytes_max: u64, idle: Duration, watch: Rc<Watch>, now: Instant) -> Self {
        let incoming = Some(incoming).filter(|incoming| !incoming.is_end_stream());
        let ended = incoming.is_none().then_some(UploadEnd::Complete);
        let state = UploadState {
            end: Cell::new(ended),
            bytes: Cell::new(0),
            moved: Cell::new(now),
            refusal: RefCell::default(),
        };
        Self {
            incoming,
            over: ended.is_some(),
            left: bytes_max,
            stall: Stall::new(idle, now),
            state: Rc::new(state),
            watch,
        }
    }

    /// The same nothing again.
    pub(super) fn empty_like(&self) -> Self {
        let (state, watch) = (Rc::clone(&self.state), Rc::clone(&self.watch));
        let stall = Stall::new(Duration::ZERO, self.state.moved());
        Self { incoming: None, over: true, left: 0, stall, state, watch }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.incoming.is_none()
    }

    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }

    pub(super) const fn state(&self) -> &Rc<UploadState> {
        &self.state
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> PolledFrame {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *incoming).poll_frame(cx);
        if polled.is_pending() && self.stall.is_over(cx) {
            return Poll::Ready(Some(Err(self.state.end_as(UploadEnd::Stalled))));
        }
        let frame = match ready!(polled) {
            None => {
                self.complete();
                return Poll::Ready(None);
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "request body broke off");
                return Poll::Ready(Some(Err(self.state.end_as(UploadEnd::Broken))));
            }
            Some(Ok(mut frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    identity::strip_trailers(trailers);
                }
                frame
            }
        };
        self.stall.progress();
        self.state.moved.set(Instant::now());
        if let Some(data) = frame.data_ref() {
            let count = data.len() as u64;
            let Some(left) = self.left.checked_sub(count) else {
                return Poll::Ready(Some(Err(self.state.end_as(UploadEnd::TooLarge))));
            };
            self.left = left;
            self.state.bytes.set(self.state.bytes.get() + count);
        }
        if self.incoming.as_ref().is_none_or(Body::is_end_stream) {
            self.complete();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn complete(&mut self) {
        self.over = true;
        self.state.end_as(UploadEnd::Complete);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // A body that is refused for what is in it may have come whole.
        if self.is_over() && matches!(self.state.end(), Some(UploadEnd::Complete | UploadEnd::Refused)) {
            return;
        }
        self.watch.leave_unread();
        // Of a body that was refused for its form, nothing more is read.
        if matches!(self.state.end(), None | Some(UploadEnd::Refused))
            && let Some(incoming) = self.incoming.take()
        {
            self.watch.keep_leftover(incoming);
        }
    }
}

impl UploadState {
    pub(super) fn end(&self) -> Option<UploadEnd> {
        self.end.get()
    }

    /// Bytes of data that came.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// When the last part of the body came; when it began, for none.
    pub(super) fn moved(&self) -> Instant {
        self.moved.get()
    }

    /// Ends the body by what is in it; `rule` is what that falls under.
    pub(super) fn refuse(&self, rule: Perimeter, rejection: Rejection) -> UploadEnd {
        self.refusal.replace(Some((rule, rejection)));
        self.end_as(UploadEnd::Refused)
    }

    /// The rule by which the body was refused.
    pub(super) fn refused_by(&self) -> Option<Perimeter> {
        self.refusal.borrow().as_ref().map(|(rule, _)| *rule)
    }

    /// What is said to the caller whose body ended so.
    pub(super) fn rejection(&self, end: UploadEnd) -> Rejection {
        match end {
            UploadEnd::TooLarge => Rejection::TooLarge,
            UploadEnd::Stalled => Rejection::BodyTimeout,
            UploadEnd::Broken | UploadEnd::Complete => Rejection::BodyBroken,
            UploadEnd::Refused => self.refusal.take().map_or(Rejection::BodyBroken, |(_, rejection)| rejection),
        }
    }

    fn end_as(&self, end: UploadEnd) -> UploadEnd {
        self.end.set(Some(end));
        end
    }
}
