//! How many connections there may be, altogether and from one address.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 16;

/// Open connections of all workers. Touched when one is accepted or ends, never by a request.
#[derive(Debug)]
pub struct Connections {
    total: AtomicUsize,
    by_peer: [Mutex<HashMap<IpAddr, usize>>; SHARDS],
    hasher: RandomState,
}

/// One counted connection, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    connections: Arc<Connections>,
    peer: IpAddr,
}

impl Connections {
    pub fn new() -> Arc<Self> {
        let by_peer = std::array::from_fn(|_| Mutex::default());
        Arc::new(Self { total: AtomicUsize::new(0), by_peer, hasher: RandomState::new() })
    }

    /// All connections now open.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// `None` when there are `max` already, or `max_per_peer` from that address (IPv6: from its /64 network).
    pub fn admit(self: &Arc<Self>, peer: IpAddr, max: usize, max_per_peer: usize) -> Option<Permit> {
        let peer = counted_as(peer);
        if self.total.fetch_add(1, Ordering::Relaxed) >= max {
            self.total.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        if !self.count_peer(peer, max_per_peer) {
            self.total.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Permit { connections: Arc::clone(self), peer })
    }

    fn count_peer(&self, peer: IpAddr, max: usize) -> bool {
        let Some(shard) = self.shard(peer) else { return false };
        let mut counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_insert(0);
        let free = *count < max;
        if free {
            *count += 1;
        } else if *count == 0 {
            counts.remove(&peer);
        }
        free
    }

    fn forget_peer(&self, peer: IpAddr) {
        let Some(shard) = self.shard(peer) else { return };
        let mut counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&peer);
            }
        }
    }

    fn shard(&self, peer: IpAddr) -> Option<&Mutex<HashMap<IpAddr, usize>>> {
        let index = usize::try_from(self.hasher.hash_one(peer) % SHARDS as u64).ok()?;
        self.by_peer.get(index)
    }
}

impl Permit {
    /// Counts the connection as one from another address, if there are fewer than `max_per_peer` from that.
    pub fn pass_to(&mut self, peer: IpAddr, max_per_peer: usize) -> bool {
        let peer = counted_as(peer);
        let free = self.connections.count_peer(peer, max_per_peer);
        if free {
            self.connections.forget_peer(self.peer);
            self.peer = peer;
        }
        free
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.connections.total.fetch_sub(1, Ordering::Relaxed);
        self.connections.forget_peer(self.peer);
    }
}

/// A host has a whole /64 of IPv6 addresses to itself.
fn counted_as(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn counts_until_the_permit_is_dropped() {
        let connections = Connections::new();
        let first = connections.admit(peer("10.0.0.1"), 2, 1);
        assert!(first.is_some());
        assert!(connections.admit(peer("10.0.0.1"), 2, 1).is_none(), "one a peer");
        let second = connections.admit(peer("10.0.0.2"), 2, 1);
        assert!(second.is_some());
        assert!(connections.admit(peer("10.0.0.3"), 2, 1).is_none(), "two altogether");
        drop(first);
        assert!(connections.admit(peer("10.0.0.1"), 2, 1).is_some());
        drop(second);
        assert_eq!(connections.total(), 0);
        assert!(connections.by_peer.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }

    #[test]
    fn a_connection_passes_to_whom_it_is_for() {
        let connections = Connections::new();
        let mut first = connections.admit(peer("10.0.0.1"), 9, 1).unwrap();
        assert!(first.pass_to(peer("203.0.113.7"), 1));
        let mut second = connections.admit(peer("10.0.0.1"), 9, 1).expect("no longer counted as the proxy's");
        assert!(!second.pass_to(peer("203.0.113.7"), 1));
        drop(first);
        assert!(second.pass_to(peer("203.0.113.7"), 1));
        drop(second);
        assert_eq!(connections.total(), 0);
        assert!(connections.by_peer.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }

    #[test]
    fn one_ipv6_network_is_one_peer() {
        let connections = Connections::new();
        let _held = connections.admit(peer("2001:db8::1"), 9, 1);
        assert!(connections.admit(peer("2001:db8::ffff:2"), 9, 1).is_none());
        assert!(connections.admit(peer("2001:db8:0:1::1"), 9, 1).is_some());
        let _mapped = connections.admit(peer("::ffff:10.0.0.1"), 9, 1);
        assert!(connections.admit(peer("10.0.0.1"), 9, 1).is_none());
    }
}
