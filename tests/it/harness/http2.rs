//! A caller that speaks HTTP/2.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::{Certificates, Gateway, PATIENCE};

pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// Runs `work` with an HTTP/2 connection to the gateway.
pub(crate) fn with_http2<F: Future<Output = ()>>(
    gateway: &Gateway,
    certificates: &Certificates,
    work: impl FnOnce(SendRequest<Body>, tokio::task::JoinHandle<hyper::Result<()>>) -> F,
) {
    with_window(gateway, certificates, 64 * 1024, work);
}

/// The same for a caller that takes so much of an answer before it has to say that it wants more.
pub(crate) fn with_window<F: Future<Output = ()>>(
    gateway: &Gateway,
    certificates: &Certificates,
    window_bytes: u32,
    work: impl FnOnce(SendRequest<Body>, tokio::task::JoinHandle<hyper::Result<()>>) -> F,
) {
    let config = certificates.client(&["h2"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(config).connect(name, tcp).await.unwrap();
        assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(window_bytes);
        let (sender, connection) = builder.handshake(TokioIo::new(tls)).await.unwrap();
        let connection = tokio::spawn(connection);
        tokio::time::timeout(PATIENCE, work(sender, connection)).await.unwrap();
    });
}

pub(crate) fn empty() -> Body {
    Empty::new().boxed()
}

pub(crate) fn get(target: &str) -> Request<Body> {
    Request::get(format!("https://localhost{target}")).version(Version::HTTP_2).body(empty()).unwrap()
}

pub(crate) fn frames(frames: Vec<Frame<Bytes>>) -> Body {
    StreamBody::new(futures_util::stream::iter(frames.into_iter().map(Ok))).boxed()
}

#[expect(clippy::disallowed_methods, reason = "the tests' own nodes send little")]
pub(crate) async fn whole(body: Incoming) -> (Bytes, Option<HeaderMap>) {
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned();
    (collected.to_bytes(), trailers)
}
