//! Reads a body whole, within the limits of one request and of all together.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::BODY_TIME_MAX;
use crate::elasticsearch::error_body::Exception;
use crate::node::http::{ApiError, BODY_BYTES_MAX, Reply};

/// A body, and its part of the memory for bodies.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    pub(super) permits: Vec<OwnedSemaphorePermit>,
}

/// Reads a body.
///
/// # Errors
/// The reply: an empty 413, 429 when all bodies together are too many, 408, or 400 when the caller went away.
pub(super) async fn read(mut body: Incoming, room: &Arc<Semaphore>) -> Result<Held, Reply> {
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    let mut permits = Vec::new();
    loop {
        let frame = timeout(BODY_TIME_MAX, body.frame()).await;
        let Ok(frame) = frame else { return Err(closing(Reply::empty(StatusCode::REQUEST_TIMEOUT))) };
        let Some(frame) = frame else { break };
        let Ok(frame) = frame else { return Err(closing(Reply::empty(StatusCode::BAD_REQUEST))) };
        let Ok(part) = frame.into_data() else { continue };
        if bytes.len() + part.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        let kib = u32::try_from(part.len() / 1024 + 1).unwrap_or(u32::MAX);
        permits.push(Arc::clone(room).try_acquire_many_owned(kib).map_err(|_| crowded(part.len()))?);
        bytes.extend_from_slice(&part);
    }
    Ok(Held { bytes: bytes.freeze(), permits })
}

fn too_large() -> Reply {
    closing(Reply::empty(StatusCode::PAYLOAD_TOO_LARGE))
}

fn crowded(wanted: usize) -> Reply {
    let reason = "[parent] Data too large, data for [<http_request>] is larger than what is left for request bodies";
    let exception = Exception::new("circuit_breaking_exception", reason)
        .with("bytes_wanted", wanted.into())
        .with("bytes_limit", (super::BODIES_KIB_MAX * 1024).into())
        .with("durability", "TRANSIENT".into());
    closing(ApiError::new(429, exception).into_reply())
}

/// The rest of the body is not read: the connection cannot go on.
fn closing(reply: Reply) -> Reply {
    reply.header(CONNECTION, HeaderValue::from_static("close"))
}
