//! What one worker remembers of verified credentials: bounded, found by a keyed hash.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;

use super::basis::Basis;
use super::jwt::Key;
use crate::policy::Principal;

/// Slots that are looked at for a victim; then the last one is taken, used or not.
const PROBES_MAX: usize = 8;

/// A keyed hash of a whole credential.
pub(super) type Digest = [u8; 32];

/// Turns credentials into [`Digest`]s: HMAC-SHA256 under a random key that never leaves the worker.
///
/// A hash table over plain credentials would keep passwords in memory and compare them byte by byte. Nobody who lacks
/// the key can find two credentials with one digest, or learn from the time of a comparison of digests.
/// `docs/authentication.md` has the measured cost beside the alternatives.
pub(super) struct DigestKey(hmac::Key);

impl DigestKey {
    /// `None` if the system gives no random numbers: then nothing can be remembered.
    pub(super) fn random() -> Option<Self> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok().map(Self)
    }

    /// The digest of a header value, and of what else counts beside it; what is missing differs from what is empty.
    pub(super) fn digest(&self, credential: &[u8], beside: &[Option<&[u8]>]) -> Digest {
        let first = self.sign(credential);
        if beside.is_empty() {
            return first;
        }
        // Digests have one length each, so that no two lists of parts look alike.
        let parts = beside.iter().flat_map(|part| part.map_or([0; 32], |part| self.sign(part)));
        let all: Vec<u8> = first.into_iter().chain(parts).collect();
        self.sign(&all)
    }

    fn sign(&self, data: &[u8]) -> Digest {
        let mut digest = [0; 32];
        let tag = hmac::sign(&self.0, data);
        digest.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        digest
    }
}

/// A verified credential.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) principal: Rc<Principal>,
    /// From then on it has to be verified again.
    pub(super) renew_at: Instant,
    /// From then on it is worth nothing: the end of a token, by the wall clock.
    pub(super) ends_at: Option<SystemTime>,
    /// What a token is signed by.
    pub(super) key: Option<Arc<Key>>,
    pub(super) basis: Basis,
}

impl Entry {
    fn is_good(&self, instant: Instant, now: SystemTime) -> bool {
        let ended = self.ends_at.is_some_and(|end| end <= now);
        let withdrawn = self.key.as_ref().is_some_and(|key| key.is_withdrawn());
        instant < self.renew_at && !ended && !withdrawn
    }
}

/// What the cache knows of a credential.
pub(super) enum Known {
    Fresh(Rc<Principal>),
    /// It was good before a reload, and would be still if that has changed nothing.
    Earlier(Entry),
    /// It was good once, and has to be verified again.
    Stale,
    Nothing,
}

/// Entries under their digests, of a bounded number. The victim of a full cache is one that was not used since the
/// clock's hand passed it last: constant time, whatever is thrown at it.
pub(super) struct Cache {
    slots: Vec<Slot>,
    index: HashMap<Digest, usize, BuildHasherDefault<DigestHasher>>,
    capacity: usize,
    hand: usize,
}

struct Slot {
    digest: Digest,
    entry: Entry,
    used: bool,
    /// There was a reload since: it may not be so any more.
    withdrawn: bool,
}

impl Cache {
    /// Holds `capacity` entries at most; memory grows with use.
    pub(super) fn new(capacity: usize) -> Self {
        Self { slots: Vec::new(), index: HashMap::default(), capacity, hand: 0 }
    }

    /// Looks a credential up at a moment, given by both clocks.
    pub(super) fn find(&mut self, digest: &Digest, instant: Instant, now: SystemTime) -> Known {
        let slot = self.index.get(digest).and_then(|index| self.slots.get_mut(*index));
        let Some(slot) = slot else { return Known::Nothing };
        if !slot.entry.is_good(instant, now) {
            return Known::Stale;
        }
        if slot.withdrawn {
            return Known::Earlier(slot.entry.clone());
        }
        slot.used = true;
        Known::Fresh(Rc::clone(&slot.entry.principal))
    }

    /// An answer from before a reload holds, until `renew_at` at most.
    pub(super) fn confirm(&mut self, digest: &Digest, renew_at: Instant) {
        if let Some(slot) = self.index.get(digest).and_then(|index| self.slots.get_mut(*index)) {
            slot.entry.renew_at = slot.entry.renew_at.min(renew_at);
            (slot.used, slot.withdrawn) = (true, false);
        }
    }

    /// Everything has to be verified or confirmed; what was good once stays known to have been.
    pub(super) fn withdraw_all(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.withdrawn = true);
    }

    /// It is not good any more.
    pub(super) fn forget(&mut self, digest: &Digest) {
        let Some(index) = self.index.remove(digest) else { return };
        if index < self.slots.len() {
            self.slots.swap_remove(index);
        }
        if let Some(moved) = self.slots.get(index) {
            self.index.insert(moved.digest, index);
        }
        self.hand = self.hand.min(self.slots.len().saturating_sub(1));
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Remembers a verified credential; another may be forgotten for it.
    pub(super) fn insert(&mut self, digest: Digest, entry: Entry) {
        if let Some(slot) = self.index.get(&digest).and_then(|index| self.slots.get_mut(*index)) {
            slot.entry = entry;
            slot.withdrawn = false;
            return;
        }
        let slot = Slot { digest, entry, used: false, withdrawn: false };
        if self.slots.len() < self.capacity {
            self.index.insert(digest, self.slots.len());
            self.slots.push(slot);
            return;
        }
        let victim = self.victim();
        if let Some(old) = self.slots.get_mut(victim) {
            self.index.remove(&old.digest);
            *old = slot;
            self.index.insert(digest, victim);
        }
    }

    fn victim(&mut self) -> usize {
        for _ in 1..PROBES_MAX {
            match self.slots.get_mut(self.hand) {
                Some(slot) if slot.used => slot.used = false,
                _ => break,
            }
            self.advance();
        }
        let victim = self.hand;
        self.advance();
        victim
    }

    fn advance(&mut self) {
        self.hand = if self.hand + 1 < self.slots.len() { self.hand + 1 } else { 0 };
    }
}

/// The first bytes of a digest: it is random already.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length that a slice or array writes before its bytes says nothing.
    fn write_usize(&mut self, _length: usize) {}
}

#[cfg(test)]
mod tests;
