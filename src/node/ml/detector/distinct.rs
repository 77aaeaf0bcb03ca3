//! How many different values there were, in bounded memory.
//!
//! Exact up to [`KEPT`]; beyond that estimated from the k-th least of uniform hashes (Bar-Yossef et al., 2002), to about 3 %.

use serde::{Deserialize, Serialize};

/// Hashes that are kept, the least ones.
const KEPT: usize = 1024;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distinct {
    /// Ascending.
    #[serde(with = "super::packed")]
    hashes: Vec<u64>,
}

impl Distinct {
    pub(crate) fn add(&mut self, hash: u64) {
        let Err(at) = self.hashes.binary_search(&hash) else { return };
        if at < KEPT {
            self.hashes.insert(at, hash);
            self.hashes.truncate(KEPT);
        }
    }

    pub(crate) fn count(&self) -> f64 {
        match self.hashes.get(KEPT - 1) {
            None => self.hashes.len() as f64,
            Some(greatest) => (KEPT - 1) as f64 / ((*greatest as f64 + 1.0) / (u64::MAX as f64 + 1.0)),
        }
    }

    /// Memory that one more value may take.
    pub(crate) fn growth(&self) -> u64 {
        if self.hashes.len() < KEPT { size_of::<u64>() as u64 } else { 0 }
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.hashes.len() * size_of::<u64>()) as u64
    }
}

/// FNV-1a with SplitMix64's finalizer, so that all bits depend on all bytes. The same on every machine.
pub(crate) fn hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = text.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_few_exactly_and_many_nearly() {
        for (values, tolerance) in [(0, 0.0), (1, 0.0), (1000, 0.0), (5000, 0.1), (50_000, 0.1)] {
            let mut distinct = Distinct::default();
            for value in (0..values).chain(0..values) {
                distinct.add(hash(&format!("value-{value}")));
            }
            assert!((distinct.count() - f64::from(values)).abs() <= f64::from(values) * tolerance, "{values}");
            assert!(distinct.bytes() <= 8 * KEPT as u64);
        }
    }
}
