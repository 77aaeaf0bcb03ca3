//! Stage 10: the reply, streamed to the caller; what it holds ends with it.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::body::Upload;
use super::stall::Stall;
use super::trail::{Outcome, Trail};
use super::watch::Watch;
use crate::gate::Admission;
use crate::rejection::Cause;
use crate::upstream::pool::Lease;

/// The answer to a request before it is bound to its trail.
pub(super) struct Reply {
    pub(super) response: Response<Content>,
    pub(super) outcome: Outcome,
}

/// Where the bytes of a reply come from.
pub(super) enum Content {
    /// Ours, whole.
    Whole(Option<Bytes>),
    /// A node's, as they come.
    Stream(Download),
}

/// The body of a node's answer, with what has to be held until it has ended.
pub(super) struct Download {
    incoming: Incoming,
    stall: Stall,
    /// Given back at the end; dropped before it, it closes the connection.
    lease: Option<Lease<Upload>>,
    /// Counted by the gate until the answer has ended.
    admission: Option<Admission>,
}

/// A reply body that breaks off, so that the caller sees that it is not whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplyBroken {
    #[error("the answer of the node broke off")]
    Upstream(#[source] hyper::Error),
    #[error("the node sent nothing for too long")]
    Stalled,
}

/// The body that hyper sends. Dropped before its end it tells the trail that the caller left.
pub(super) struct ReplyBody {
    content: Content,
    outcome: Outcome,
    trail: Trail,
    in_flight: InFlight,
}

/// A request counts as in flight until this is dropped.
pub(super) struct InFlight {
    watch: Rc<Watch>,
    /// Its place among the readers of an HTTP/2 connection.
    reader: Option<usize>,
}

impl InFlight {
    pub(super) fn begin(watch: &Rc<Watch>, http2: bool) -> Self {
        watch.request_begins();
        Self { watch: Rc::clone(watch), reader: http2.then(|| watch.readers.enter()) }
    }

    fn handed_over(&self) {
        if let Some(reader) = self.reader {
            self.watch.readers.handed_over(reader);
        }
    }

    fn asked(&self) {
        if let Some(reader) = self.reader {
            self.watch.readers.asked(reader);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(reader) = self.reader {
            self.watch.readers.leave(reader);
        }
        self.watch.request_ends();
    }
}

impl Reply {
    pub(super) fn whole(response: Response<Bytes>, outcome: Outcome) -> Self {
        let response = response.map(|bytes| Content::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())));
        Self { response, outcome }
    }

    pub(super) fn refused(response: Response<Bytes>, cause: Cause) -> Self {
        Self::whole(response, Outcome::Refused(cause))
    }

    pub(super) fn into_response(self, mut trail: Trail, in_flight: InFlight) -> Response<ReplyBody> {
        in_flight.watch.answer_begins();
        in_flight.handed_over();
        trail.record().status = Some(self.response.status());
        let outcome = self.outcome;
        self.response.map(|content| ReplyBody { content, outcome, trail, in_flight })
    }
}

impl Download {
    pub(super) fn new(incoming: Incoming, lease: Lease<Upload>, admission: Admission, stall: Duration) -> Self {
        let mut this =
            Self { incoming, stall: Stall::new(stall, Instant::now()), lease: Some(lease), admission: Some(admission) };
        if this.incoming.is_end_stream() {
            this.finish();
        }
        this
    }

    /// The answer is whole: the connection is free again, the gate need not wait for it.
    fn finish(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
        self.admission = None;
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReplyBroken>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Pending if self.stall.is_over(cx) => Poll::Ready(Some(Err(ReplyBroken::Stalled))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.stall.progress();
                if self.incoming.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(ReplyBroken::Upstream(error)))),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = ReplyBroken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReplyBroken>>> {
        let this = self.get_mut();
        let polled = match &mut this.content {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Stream(download) => download.poll_frame(cx),
        };
        match &polled {
            Poll::Pending => this.in_flight.asked(),
            Poll::Ready(None) => this.trail.close(this.outcome),
            Poll::Ready(Some(Ok(frame))) => {
                let count = frame.data_ref().map_or(0, Bytes::len) as u64;
                this.trail.record().response_bytes += count;
                this.in_flight.handed_over();
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "reply broke off");
                this.trail.close(Outcome::Broken);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_none(),
            Content::Stream(download) => download.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Content::Stream(download) => download.incoming.size_hint(),
        }
    }
}

impl Drop for ReplyBody {
    fn drop(&mut self) {
        // hyper does not ask for the end of a body that says that it has ended.
        if self.is_end_stream() {
            self.trail.close(self.outcome);
        }
    }
}
