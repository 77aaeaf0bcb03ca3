//! A body as it comes, within the limits of one request and of all together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue};
use http_body::Body as _;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::ApiError;
use crate::elasticsearch::error_body::Exception;

/// A body over this is answered 413.
pub const BODY_BYTES_MAX: usize = 100 * 1024 * 1024;
/// KiB of request bodies, and of what `_bulk` is going to answer, in memory at one time; what goes beyond is refused with 429.
const ROOM_KIB: usize = 512 * 1024;
/// Between two parts of a body.
const PART_TIME_MAX: Duration = Duration::from_secs(60);

/// The memory that all bodies share; clones are the same.
#[derive(Clone, Debug)]
pub struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_KIB)))
    }
}

impl Room {
    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let wanted = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(wanted).map_err(|_| crowded(bytes))
    }
}

/// A body that is read part by part; what it holds of the room is given back when it is dropped.
#[derive(Debug)]
pub struct Body {
    frames: BoxBody<Bytes, hyper::Error>,
    room: Room,
    held: Option<OwnedSemaphorePermit>,
    read: usize,
}

impl Body {
    pub fn new(
        frames: impl http_body::Body<Data = Bytes, Error = hyper::Error> + Send + Sync + 'static,
        room: Room,
    ) -> Self {
        Self { frames: BoxBody::new(frames), room, held: None, read: 0 }
    }

    /// A body that is there already.
    pub fn of(bytes: Bytes, room: Room) -> Self {
        Self::new(Full::new(bytes).map_err(|never| match never {}), room)
    }

    /// The same request with another body.
    #[must_use]
    pub fn replaced(self, bytes: Bytes) -> Self {
        Self::of(bytes, self.room)
    }

    /// The next part; it counts as held.
    ///
    /// # Errors
    /// An empty 413, 429 when all bodies together are too many, 408, or 400 when the caller went away.
    pub async fn part(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            if self.frames.size_hint().lower() > (BODY_BYTES_MAX - self.read) as u64 {
                return Err(closing(ApiError::empty(StatusCode::PAYLOAD_TOO_LARGE)));
            }
            let frame = timeout(PART_TIME_MAX, self.frames.frame()).await;
            let frame = frame.map_err(|_| closing(ApiError::empty(StatusCode::REQUEST_TIMEOUT)))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| closing(ApiError::empty(StatusCode::BAD_REQUEST)))?;
            let Ok(part) = frame.into_data() else { continue };
            if part.len() > BODY_BYTES_MAX - self.read {
                return Err(closing(ApiError::empty(StatusCode::PAYLOAD_TOO_LARGE)));
            }
            self.read += part.len();
            self.add(self.room.take(part.len())?);
            return Ok(Some(part));
        }
    }

    /// All that is left; it counts as held.
    ///
    /// # Errors
    /// As [`Body::part`].
    pub async fn whole(&mut self) -> Result<Bytes, ApiError> {
        let mut bytes = BytesMut::new();
        while let Some(part) = self.part().await? {
            bytes.extend_from_slice(&part);
        }
        Ok(bytes.freeze())
    }

    /// What counts as held from now on.
    ///
    /// # Errors
    /// 429 when all bodies together are too many.
    pub fn hold(&mut self, bytes: usize) -> Result<(), ApiError> {
        // The old part goes first: what is held must not be counted twice.
        self.held = None;
        self.add(self.room.take(bytes)?);
        Ok(())
    }

    /// Reads the rest and forgets it: a caller who still sends would not hear the answer.
    pub async fn drain(&mut self) {
        while let Ok(Some(_)) = self.part().await {
            self.held = None;
        }
    }

    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
    }
}

fn crowded(wanted: usize) -> ApiError {
    let reason = "[parent] Data too large, data for [<http_request>] is larger than what is left for request bodies";
    let exception = Exception::new("circuit_breaking_exception", reason)
        .with("bytes_wanted", wanted.into())
        .with("bytes_limit", (ROOM_KIB * 1024).into())
        .with("durability", "TRANSIENT".into());
    closing(ApiError::new(429, exception))
}

/// The rest of the body is not read: the connection cannot go on.
fn closing(error: ApiError) -> ApiError {
    error.header(CONNECTION, HeaderValue::from_static("close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_held_is_given_back() {
        let room = Room::default();
        let mut body = Body::of(Bytes::from(vec![b'x'; 10_000]), room.clone());
        assert_eq!(body.whole().await.expect("a body").len(), 10_000);
        assert_eq!(room.0.available_permits(), ROOM_KIB - 10);
        body.hold(1).expect("room");
        assert_eq!(room.0.available_permits(), ROOM_KIB - 1);
        assert_eq!(body.hold(ROOM_KIB * 1024 + 1).expect_err("refused").status(), 429);
        drop(body);
        assert_eq!(room.0.available_permits(), ROOM_KIB);
    }

    #[tokio::test]
    async fn no_body_is_larger_than_one_may_be() {
        let mut body = Body::of(Bytes::from(vec![b'x'; BODY_BYTES_MAX + 1]), Room::default());
        assert_eq!(body.part().await.expect_err("refused").status(), 413);
    }
}
