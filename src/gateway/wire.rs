//! The caller's socket under hyper: tells the watch what happens, and puts the gateway's own answer in the place of
//! hyper's bare one where a head could not be parsed.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Duration;
use tokio_rustls::server::TlsStream;

use super::watch::Watch;
use crate::rejection;

/// What is read and thrown away at most after an early answer, so that the caller gets to see it.
const LINGER_BYTES_MAX: usize = 1024 * 1024;
const LINGER_TIME_MAX: Duration = Duration::from_secs(2);

/// A connection from a caller.
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A socket that is watched. HTTP/2 has its own framing: there only blocked writes are told.
pub(super) struct Wire {
    socket: Socket,
    watch: Rc<Watch>,
    http2: bool,
    /// What goes out instead of hyper's answer; empty when it is out.
    substitute: Option<Bytes>,
}

impl Wire {
    pub(super) const fn new(socket: Socket, watch: Rc<Watch>, http2: bool) -> Self {
        Self { socket, watch, http2, substitute: None }
    }

    /// Closes the sending side and reads on for a while: a socket that is closed with unread bytes in it takes the
    /// answer with it.
    pub(super) async fn linger(mut self) {
        let _ = self.socket.shutdown().await;
        let discard = async {
            let mut buffer = vec![0_u8; 16 * 1024];
            let mut left = LINGER_BYTES_MAX;
            while let Ok(count) = self.socket.raw().read(&mut buffer).await {
                left = left.saturating_sub(count);
                if count == 0 || left == 0 {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(LINGER_TIME_MAX, discard).await;
    }

    fn poll_substitute(&mut self, cx: &mut Context<'_>, replaced: &[u8]) -> Poll<io::Result<usize>> {
        if self.substitute.is_none() {
            self.substitute = Some(self.own_answer(replaced));
        }
        while let Some(left) = self.substitute.as_mut().filter(|left| left.has_remaining()) {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, left))?;
            left.advance(written);
        }
        Poll::Ready(Ok(replaced.len()))
    }

    /// `replaced` is hyper's: a status line of 400, 414 or 431 with nothing behind it.
    fn own_answer(&self, replaced: &[u8]) -> Bytes {
        let status = replaced
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse::<u16>().ok());
        let status = match status {
            // Too large before the first line was over: it is the line that is too long.
            Some(431) if !self.watch.request_line_ended() => 414,
            Some(status @ (414 | 431)) => status,
            _ => 400,
        };
        self.watch.set_unparsed(status);
        rejection::unparsed(status)
    }

    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Pending => self.watch.write_blocked(),
            Poll::Ready(_) => self.watch.wrote(),
        }
        result
    }
}

impl Socket {
    fn raw(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_mut().0,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buffer))?;
        if !this.http2
            && let Some(new) = buffer.filled().get(before..)
            && !new.is_empty()
        {
            this.watch.read(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = if !this.http2 && this.watch.nothing_to_answer() {
            this.poll_substitute(cx, bytes)
        } else {
            Pin::new(&mut this.socket).poll_write(cx, bytes)
        };
        this.written(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = if !this.http2 && this.watch.nothing_to_answer() {
            let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
            this.poll_substitute(cx, first)
        } else {
            Pin::new(&mut this.socket).poll_write_vectored(cx, slices)
        };
        this.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.socket {
            Socket::Plain(stream) => stream.is_write_vectored(),
            Socket::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_flush(cx);
        match result {
            Poll::Pending => this.watch.write_blocked(),
            Poll::Ready(_) => this.watch.flushed(),
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
