//! One downstream connection: HTTP over it, its timeouts, its end.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::{Instant, Sleep};

use super::drain::Listed;
use super::peer::Peer;
use super::pipeline::Pipeline;
use super::watch::Watch;
use super::wire::{Socket, Wire};
use super::{Limits, Timeouts};

/// A new connection whose first request may still be on its way is given this long when the worker stops.
const FRESH_GRACE: Duration = Duration::from_secs(1);
const STREAMS_MAX: u32 = 256;
const STREAM_WINDOW_BYTES: u32 = 512 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// Streams that a caller may open and reset before we have looked at them; and that we reset for its errors.
const RESETS_MAX: usize = 32;
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Serves requests over `socket` until either side ends it.
pub(super) async fn serve(socket: Socket, peer: Peer, pipeline: Rc<Pipeline>) {
    let view = pipeline.view();
    let (limits, timeouts) = (view.snapshot.limits, view.snapshot.timeouts);
    drop(view);
    let peer = Rc::new(peer);
    let watch = Rc::new(Watch::new(Instant::now()));
    let wire = Wire::new(socket, Rc::clone(&watch), peer.http2);
    // Boxed apart, so that a connection takes the memory of its own protocol only.
    if peer.http2 {
        Box::pin(serve_http2(wire, peer, watch, pipeline, limits, timeouts)).await;
    } else {
        Box::pin(serve_http1(wire, peer, watch, pipeline, limits, timeouts)).await;
    }
}

async fn serve_http1(
    wire: Wire,
    peer: Rc<Peer>,
    watch: Rc<Watch>,
    pipeline: Rc<Pipeline>,
    limits: Limits,
    timeouts: Timeouts,
) {
    let listed = pipeline.drain.enlist();
    let service = service_fn(|request| {
        let (pipeline, peer, watch) = (Rc::clone(&pipeline), Rc::clone(&peer), Rc::clone(&watch));
        async move { Ok::<_, Infallible>(pipeline.handle(request, &peer, &watch).await) }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_header_size(limits.max_header_bytes);
    let mut connection = builder.serve_connection(TokioIo::new(wire), service);
    let ended = guard(&watch, &listed, &timeouts, |turn| match turn {
        Turn::Poll(cx) => Pin::new(&mut connection).poll(cx).map(told),
        Turn::Finish => {
            Pin::new(&mut connection).graceful_shutdown();
            Poll::Pending
        }
    })
    .await;
    if let Some(status) = watch.unparsed() {
        pipeline.recorder.unparsed(status);
    }
    if ended && watch.has_unread() {
        connection.into_parts().io.into_inner().linger().await;
    }
}

async fn serve_http2(
    wire: Wire,
    peer: Rc<Peer>,
    watch: Rc<Watch>,
    pipeline: Rc<Pipeline>,
    limits: Limits,
    timeouts: Timeouts,
) {
    let listed = pipeline.drain.enlist();
    watch.read_leftovers();
    let service = service_fn(|request| {
        let (pipeline, peer, watch) = (Rc::clone(&pipeline), Rc::clone(&peer), Rc::clone(&watch));
        // Boxed: a stream's state is moved several times on its way into a task.
        Box::pin(async move { Ok::<_, Infallible>(pipeline.handle(request, &peer, &watch).await) })
    });
    let mut builder = http2::Builder::new(OnThisThread);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(RESETS_MAX)
        .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(wire), service));
    guard(&watch, &listed, &timeouts, |turn| match turn {
        Turn::Poll(cx) => connection.as_mut().poll(cx).map(told),
        Turn::Finish => {
            connection.as_mut().graceful_shutdown();
            Poll::Pending
        }
    })
    .await;
}

fn told(result: Result<(), hyper::Error>) {
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
}

/// Runs the tasks of HTTP/2 streams where their connection runs.
#[derive(Clone, Copy)]
struct OnThisThread;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for OnThisThread {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// What [`guard`] wants of a connection.
enum Turn<'a, 'b> {
    Poll(&'a mut Context<'b>),
    /// Take no more requests, and end when those in flight are answered.
    Finish,
}

/// Turns a connection until it ends (true), or does nothing for too long (false).
async fn guard(
    watch: &Watch,
    listed: &Listed,
    timeouts: &Timeouts,
    mut turn: impl FnMut(Turn<'_, '_>) -> Poll<()>,
) -> bool {
    let mut timer: Pin<Box<Sleep>> = Box::pin(tokio::time::sleep(timeouts.header.min(timeouts.idle)));
    let mut end = End { finishing: false, grace: None };
    let mut first = true;
    std::future::poll_fn(|cx| {
        if std::mem::take(&mut first) {
            listed.wake_by(cx.waker());
        }
        loop {
            watch.poll_leftovers(cx);
            // First what has come, then whether to end: a request that is there is answered.
            if turn(Turn::Poll(cx)).is_ready() {
                return Poll::Ready(true);
            }
            if listed.is_draining() && end.should_finish(watch) {
                let _ = turn(Turn::Finish);
                continue;
            }
            match end.due(watch, timeouts, timer.as_mut(), cx) {
                Due::Later => return Poll::Pending,
                Due::Finish => _ = turn(Turn::Finish),
                Due::Close => return Poll::Ready(false),
            }
        }
    })
    .await
}

/// How far the end of a connection has come.
struct End {
    finishing: bool,
    /// Until then a connection that has had no request yet is left open although the worker stops.
    grace: Option<Instant>,
}

enum Due {
    Later,
    Finish,
    Close,
}

impl End {
    /// True once, when a draining connection has to be told.
    fn should_finish(&mut self, watch: &Watch) -> bool {
        if self.finishing {
            return false;
        }
        let grace = *self.grace.get_or_insert_with(|| Instant::now() + FRESH_GRACE);
        self.finishing = watch.has_served() || grace <= Instant::now();
        self.finishing
    }

    /// What the passing of time asks for. The timer is moved only when it would ring too late, or has rung.
    fn due(&mut self, watch: &Watch, timeouts: &Timeouts, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Due {
        let grace = self.grace.filter(|_| !self.finishing);
        let deadline = [watch.deadline(timeouts), grace].into_iter().flatten().min();
        if let Some(deadline) = deadline
            && deadline < timer.deadline()
        {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            match deadline {
                Some(deadline) if deadline > now => timer.as_mut().reset(deadline),
                None => timer.as_mut().reset(now + timeouts.idle),
                Some(_) if self.finishing || !watch.is_idle() && grace.is_none() => return Due::Close,
                Some(_) => {
                    self.finishing = true;
                    timer.as_mut().reset(now + FRESH_GRACE);
                    return Due::Finish;
                }
            }
        }
        Due::Later
    }
}
