//! What is left of a request body when the answer did not wait for it.
//!
//! An HTTP/2 stream that is dropped with some of its body unread is reset. Callers that are still sending then lose the
//! answer (curl up to 8: "Stream error in the HTTP/2 framing layer"). So the rest is read and thrown away by the
//! connection's own task, within limits; its time is bounded by the connection's.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::Body as _;
use hyper::body::Incoming;

/// Of one body; what is longer is reset after all.
const BYTES_MAX: usize = 256 * 1024;

/// The bodies that one connection still has to read.
#[derive(Default)]
pub(super) struct Leftovers(RefCell<Vec<Leftover>>);

struct Leftover {
    body: Incoming,
    left: usize,
}

impl Leftovers {
    pub(super) fn keep(&self, body: Incoming) {
        self.0.borrow_mut().push(Leftover { body, left: BYTES_MAX });
    }

    /// Reads what has come. The task is woken when there is more.
    pub(super) fn poll(&self, cx: &mut Context<'_>) {
        self.0.borrow_mut().retain_mut(|leftover| leftover.goes_on(cx));
    }
}

impl Leftover {
    fn goes_on(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return true,
                Poll::Ready(None | Some(Err(_))) => return false,
                Poll::Ready(Some(Ok(frame))) => {
                    let bytes = frame.data_ref().map_or(0, bytes::Bytes::len);
                    let Some(left) = self.left.checked_sub(bytes) else { return false };
                    self.left = left;
                }
            }
        }
    }
}
