//! Judges a bulk body while it streams: a line that is not judged yet is not sent.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::Frame;

use super::refusal::Refusal;
use super::source::{PolledFrame, Source};
use crate::inspection::{BulkReader, Finding, Unread};

/// Stands between the caller's body and the node.
pub(super) struct Guard {
    reader: BulkReader,
    refusal: Refusal,
    /// A piece that the reader works on, and the line that was open before it.
    working: Option<(Bytes, Option<u64>)>,
    /// What belongs to an action line that is not over.
    held: BytesMut,
    held_bytes_max: usize,
    /// Judged, to be sent.
    clear: VecDeque<Frame<Bytes>>,
    trailers: Option<Frame<Bytes>>,
    over: bool,
}

impl Guard {
    pub(super) fn new(reader: BulkReader, refusal: Refusal, held_bytes_max: usize) -> Self {
        Self {
            reader,
            refusal,
            working: None,
            held: BytesMut::new(),
            held_bytes_max,
            clear: VecDeque::new(),
            trailers: None,
            over: false,
        }
    }

    /// Nothing has come that is not sent.
    pub(super) fn is_clear(&self) -> bool {
        self.held_bytes() == 0 && self.clear.is_empty() && self.trailers.is_none()
    }

    pub(super) fn held_bytes(&self) -> usize {
        let clear = self.clear.iter().filter_map(Frame::data_ref).map(Bytes::len).sum::<usize>();
        self.held.len() + clear + self.working.as_ref().map_or(0, |(piece, _)| piece.len())
    }

    /// What may go on next.
    pub(super) fn poll_frame(&mut self, source: &mut Source, cx: &mut Context<'_>) -> PolledFrame {
        loop {
            if let Some(frame) = self.clear.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if self.over {
                return Poll::Ready(None);
            }
            if self.working.is_none() {
                match ready!(source.poll_frame(cx)) {
                    Some(Err(end)) => return Poll::Ready(Some(Err(end))),
                    Some(Ok(frame)) => self.take(frame),
                    None => self.over = true,
                }
            }
            match self.judge() {
                Ok(true) => {}
                Ok(false) => {
                    // More to do than others should wait for.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(finding) => {
                    let end = source.state().refuse(self.refusal.rule(), self.refusal.of(finding));
                    return Poll::Ready(Some(Err(end)));
                }
            }
        }
    }

    fn take(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(piece) => {
                self.working = Some((piece.clone(), self.reader.open_line()));
                self.reader.give(piece);
            }
            Err(trailers) => self.trailers = Some(trailers),
        }
    }

    /// True when there is nothing more to judge for now.
    fn judge(&mut self) -> Result<bool, Finding> {
        if self.over {
            self.reader.end()?;
            self.release();
            self.clear.extend(self.trailers.take());
        } else if let Some((piece, open)) = self.working.take() {
            if !self.reader.work()? {
                self.working = Some((piece, open));
                return Ok(false);
            }
            self.settle(piece, open)?;
        }
        Ok(true)
    }

    /// Puts a piece that is read where it belongs: before `piece` came, the line `open` was.
    fn settle(&mut self, mut piece: Bytes, open: Option<u64>) -> Result<(), Finding> {
        let now = self.reader.open_line();
        if now.is_some() && now == open {
            if self.held.len() + piece.len() > self.held_bytes_max {
                return Err(Unread::TooLarge.into());
            }
        } else {
            self.release();
            let clear = piece.split_to(piece.len() - self.reader.open_bytes_of(&piece));
            if !clear.is_empty() {
                self.clear.push_back(Frame::data(clear));
            }
        }
        self.held.extend_from_slice(&piece);
        Ok(())
    }

    fn release(&mut self) {
        if !self.held.is_empty() {
            self.clear.push_back(Frame::data(self.held.split().freeze()));
        }
    }
}
