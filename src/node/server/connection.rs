//! One connection: requests one after another.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{HEAD_BYTES_MAX, HEAD_TIME_MAX};
use crate::node::http::{Body, Room};
use crate::node::router::{Dispatcher, Head};

/// Serves a connection until its end, or until the node stops and its request is answered.
pub(super) async fn serve(stream: TcpStream, dispatcher: Arc<Dispatcher>, room: Room, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&dispatcher), room.clone()));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX).max_buf_size(HEAD_BYTES_MAX).half_close(true);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    // Errors of a connection are its peer's: it went away, or sent what is no HTTP and got 400 for it.
    let stopping = async {
        // The sender that is gone has stopped too.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let ended = tokio::select! {
        _ = connection.as_mut() => true,
        () = stopping => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn answer(
    request: Request<Incoming>,
    dispatcher: Arc<Dispatcher>,
    room: Room,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, incoming) = request.into_parts();
    let uri = parts.uri.to_string();
    let absolute = parts.uri.scheme().is_some() || parts.uri.authority().is_some();
    let head = Head {
        path: if absolute { uri.clone() } else { parts.uri.path().to_owned() },
        query: parts.uri.query().unwrap_or_default().to_owned(),
        uri,
        method: parts.method,
        headers: parts.headers,
        has_body: !incoming.is_end_stream(),
    };
    let response = dispatcher.handle(head, Body::new(incoming, room)).await;
    Ok(response.map(Full::new))
}
