//! The body of a request on its way to a node: never held, but for what has to be judged first.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::guard::Guard;
use super::source::{PolledFrame, Source, UploadEnd, UploadState};
use crate::gate::Admission;

/// A request body, as the pool sends it.
pub(super) struct Upload {
    source: Source,
    /// `None` for almost all.
    inspected: Option<Box<Inspected>>,
    /// Counted by the gate until all of it is sent, also when the node has answered before.
    admission: Option<Admission>,
}

/// What a body that is judged has beside its source.
#[derive(Default)]
struct Inspected {
    /// Read and judged before anything was sent: goes first.
    ahead: BytesMut,
    trailers: Option<HeaderMap>,
    /// Judges what comes.
    guard: Option<Guard>,
}

impl Upload {
    pub(super) fn new(source: Source) -> Self {
        Self { source, inspected: None, admission: None }
    }

    /// The same nothing again, for a request without a body that is sent once more.
    pub(super) fn empty_like(&self) -> Self {
        Self::new(self.source.empty_like())
    }

    /// Counts it at the gate for as long as there is more of it to send.
    pub(super) fn hold(&mut self, admission: &Admission) {
        self.admission = (!self.is_empty()).then(|| admission.again());
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.source.is_empty()
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

    /// From now on `guard` judges what comes before it goes on.
    pub(super) fn guard(&mut self, guard: Guard) {
        self.inspected.get_or_insert_default().guard = Some(guard);
    }

    /// Reads, and judges, before anything is sent, until the body is over (true) or more than `bytes_max` have come.
    ///
    /// # Errors
    /// How the body broke off, or that it is refused.
    pub(super) async fn read_ahead(&mut self, bytes_max: usize) -> Result<bool, UploadEnd> {
        let inspected = self.inspected.get_or_insert_default();
        while inspected.ahead.len() <= bytes_max {
            match std::future::poll_fn(|cx| inspected.poll_new(&mut self.source, cx)).await {
                None => return Ok(true),
                Some(frame) => match frame?.into_data() {
                    Ok(data) => inspected.ahead.extend_from_slice(&data),
                    Err(frame) => inspected.trailers = frame.into_trailers().ok(),
                },
            }
        }
        Ok(false)
    }

    /// Whether it says so by its length.
    pub(super) fn is_larger_than(&self, bytes_max: usize) -> bool {
        self.size_hint().lower() > bytes_max as u64
    }

    /// What [`Upload::read_ahead`] has read.
    pub(super) fn ahead(&self) -> &[u8] {
        self.inspected.as_ref().map_or(&[], |inspected| &inspected.ahead)
    }

    pub(super) const fn state(&self) -> &Rc<UploadState> {
        self.source.state()
    }
}

impl Inspected {
    fn poll_frame(&mut self, source: &mut Source, cx: &mut Context<'_>) -> PolledFrame {
        if !self.ahead.is_empty() {
            Poll::Ready(Some(Ok(Frame::data(self.ahead.split().freeze()))))
        } else if let Some(trailers) = self.trailers.take() {
            Poll::Ready(Some(Ok(Frame::trailers(trailers))))
        } else {
            self.poll_new(source, cx)
        }
    }

    fn poll_new(&mut self, source: &mut Source, cx: &mut Context<'_>) -> PolledFrame {
        match &mut self.guard {
            None => source.poll_frame(cx),
            Some(guard) => guard.poll_frame(source, cx),
        }
    }

    fn is_clear(&self) -> bool {
        self.ahead.is_empty() && self.trailers.is_none() && self.guard.as_ref().is_none_or(Guard::is_clear)
    }

    fn held_bytes(&self) -> usize {
        self.ahead.len() + self.guard.as_ref().map_or(0, Guard::held_bytes)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadEnd;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        let this = self.get_mut();
        let frame = ready!(match &mut this.inspected {
            None => this.source.poll_frame(cx),
            Some(inspected) => inspected.poll_frame(&mut this.source, cx),
        });
        if this.is_end_stream() {
            this.admission = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_over() && self.inspected.as_ref().is_none_or(|inspected| inspected.is_clear())
    }

    fn size_hint(&self) -> SizeHint {
        let here = self.inspected.as_ref().map_or(0, |inspected| inspected.held_bytes()) as u64;
        let coming = self.source.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(coming.lower().saturating_add(here));
        if let Some(upper) = coming.upper() {
            hint.set_upper(upper.saturating_add(here));
        }
        hint
    }
}
