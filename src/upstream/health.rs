//! Which nodes answer. One task a cluster asks them; workers only read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use tokio::time::Instant;

use super::control::{self, ControlClient};
use super::{Credentials, HealthSettings, Node};

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Not asked yet: requests may go there.
    Unknown,
    Up,
    Down,
}

/// The last news of every node of a cluster. Written by [`watch`] only; readers see a line of memory that rarely changes.
#[derive(Debug)]
pub struct Health {
    nodes: Vec<AtomicU8>,
    round: AtomicU64,
}

impl Health {
    pub fn new(node_count: usize) -> Arc<Self> {
        Arc::new(Self { nodes: (0..node_count).map(|_| AtomicU8::new(0)).collect(), round: AtomicU64::new(1) })
    }

    /// `Down` for an index that does not exist.
    pub fn state(&self, index: usize) -> NodeState {
        match self.nodes.get(index).map(|state| state.load(Ordering::Relaxed)) {
            Some(0) => NodeState::Unknown,
            Some(1) => NodeState::Up,
            _ => NodeState::Down,
        }
    }

    /// Whether at least one node has answered in the last round, for `/readyz`.
    pub fn any_up(&self) -> bool {
        (0..self.nodes.len()).any(|index| self.state(index) == NodeState::Up)
    }

    /// Grows with every finished round: what a worker noticed by itself counts until then.
    pub fn round(&self) -> u64 {
        self.round.load(Ordering::Relaxed)
    }

    /// Sets what is known of a node. True when that is new.
    pub fn set(&self, index: usize, up: bool) -> bool {
        let new = if up { 1 } else { 2 };
        self.nodes.get(index).is_some_and(|state| state.swap(new, Ordering::Relaxed) != new)
    }

    pub fn finish_round(&self) {
        self.round.fetch_add(1, Ordering::Relaxed);
    }
}

/// Asks every node of a cluster again and again; runs until it is dropped.
///
/// Any answer but 502, 503 and 504 means that the node is alive: a 401 does too.
pub async fn watch(
    client: ControlClient,
    settings: HealthSettings,
    credentials: Option<Credentials>,
    cluster: String,
) -> std::convert::Infallible {
    let health = Arc::clone(client.health());
    loop {
        let answers =
            join_all(client.nodes().iter().map(|node| is_alive(&client, node, &settings, credentials.as_ref()))).await;
        for (index, (node, up)) in client.nodes().iter().zip(answers).enumerate() {
            if health.set(index, up) {
                report(&cluster, node.name(), up);
            }
        }
        health.finish_round();
        tokio::time::sleep(jittered(settings.interval)).await;
    }
}

fn report(cluster: &str, node: &str, up: bool) {
    if up {
        tracing::info!(cluster, node, "node is healthy");
    } else {
        tracing::warn!(cluster, node, "node is not healthy");
    }
}

async fn is_alive(
    client: &ControlClient,
    node: &Node,
    settings: &HealthSettings,
    credentials: Option<&Credentials>,
) -> bool {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::GET;
    let Ok(uri) = settings.path.parse() else { return false };
    *request.uri_mut() = uri;
    if let Some(credentials) = credentials {
        credentials.authorize(request.headers_mut());
    }
    let deadline = Instant::now() + settings.timeout;
    match client.request_to(node, request, deadline).await {
        Ok(response) => !matches!(
            response.status(),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(error) => {
            tracing::debug!(node = node.name(), error = %control::chain(&error), "health check failed");
            false
        }
    }
}

/// Up to a tenth more or less, so that several gateways do not ask in step.
fn jittered(interval: Duration) -> Duration {
    let mut byte = [0_u8; 1];
    // Without random bytes there is no jitter; nothing depends on it.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    let [byte] = byte;
    interval.mul_f64(0.9 + f64::from(byte) / 255.0 * 0.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_unknown_until_it_was_asked() {
        let health = Health::new(2);
        assert_eq!(health.state(0), NodeState::Unknown);
        assert!(!health.any_up());
        assert!(health.set(0, true));
        assert!(!health.set(0, true));
        assert_eq!(health.state(0), NodeState::Up);
        assert!(health.any_up());
        assert!(health.set(0, false));
        assert_eq!(health.state(0), NodeState::Down);
        assert_eq!(health.state(7), NodeState::Down);
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        for _ in 0..100 {
            let interval = jittered(Duration::from_secs(10));
            assert!(interval >= Duration::from_secs(9) && interval <= Duration::from_secs(11), "{interval:?}");
        }
    }
}
