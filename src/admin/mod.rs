//! The admin address: health, readiness, metrics, status. Never reachable from a data listener.
//!
//! What it shows comes in as functions: it knows neither workers nor clusters.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What the admin address shows, asked anew for each request.
#[derive(Clone)]
pub struct Sources {
    pub readiness: Arc<dyn Fn() -> Readiness + Send + Sync>,
    /// A page in the text format of Prometheus.
    pub metrics: Arc<dyn Fn() -> Answer<String> + Send + Sync>,
    /// What becomes of a request for the status: it says itself who may look. The address is the sender's.
    pub status: Arc<dyn Fn(Parts, IpAddr) -> Answer<Response<Bytes>> + Send + Sync>,
}

/// What comes later.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Whether the process can serve, and why not.
#[derive(Clone, Debug, PartialEq)]
pub struct Readiness {
    pub ready: bool,
    /// One member a part, for people.
    pub detail: Value,
}

const STATUS_PATH: &str = "/api/v1/status";
const CONNECTIONS_MAX: usize = 64;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Afterwards a connection is closed, whatever it does: no scrape takes that long.
const CONNECTION_MAX: Duration = Duration::from_secs(300);

/// Serves until it is dropped.
pub async fn run(listener: TcpListener, sources: Sources) -> Infallible {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let sources = sources.clone();
                tokio::spawn(async move {
                    // A peer that breaks off is no news.
                    let _ended = tokio::time::timeout(CONNECTION_MAX, serve(stream, peer.ip(), sources)).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin address cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, address: IpAddr, sources: Sources) -> Result<(), hyper::Error> {
    let service = service_fn(move |request| {
        let sources = sources.clone();
        async move { Ok::<_, Infallible>(answer(request, address, &sources).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer(request: Request<Incoming>, address: IpAddr, sources: &Sources) -> Response<Full<Bytes>> {
    let known = matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics" | STATUS_PATH);
    if known && !matches!(*request.method(), Method::GET | Method::HEAD) {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    }
    match request.uri().path() {
        "/healthz" => json_reply(StatusCode::OK, &json!({ "status": "alive" })),
        "/readyz" => {
            let Readiness { ready, detail } = (sources.readiness)();
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            json_reply(status, &json!({ "ready": ready, "detail": detail }))
        }
        "/metrics" => {
            let page = (sources.metrics)().await;
            reply(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page)
        }
        STATUS_PATH => {
            let mut response = (sources.status)(request.into_parts().0, address).await.map(Full::new);
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        _ => {
            let has = "not found: the admin address has /healthz, /readyz, /metrics and /api/v1/status";
            refused(StatusCode::NOT_FOUND, has)
        }
    }
}

fn refused(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    json_reply(status, &json!({ "error": why, "status": status.as_u16() }))
}

fn json_reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    reply(status, "application/json", body.to_string())
}

fn reply(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
