//! Accepts connections until the node stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::{CONNECTIONS_MAX, DRAIN_TIME_MAX, connection};
use crate::node::http::Room;
use crate::node::router::Dispatcher;

/// After an error of `accept`, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is true, then waits for requests that run, for a limited time.
pub(in crate::node) async fn serve(
    listener: TcpListener,
    dispatcher: Arc<Dispatcher>,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let room = Room::default();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, slot)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        // Answers are small and written whole: waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let (dispatcher, room, stop) = (Arc::clone(&dispatcher), room.clone(), stop.clone());
        tokio::spawn(async move {
            connection::serve(stream, dispatcher, room, stop).await;
            drop(slot);
        });
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    // Who has not ended by then is cut off with the runtime.
    let _ = timeout(DRAIN_TIME_MAX, slots.acquire_many(all)).await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, slot))
}
