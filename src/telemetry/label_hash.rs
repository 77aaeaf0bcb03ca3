//! A quick hash for the labels of metrics, of which there are few, all from the settings or the source: nobody outside
//! can choose them, so that nothing has to be kept from guessing collisions.

use std::hash::{BuildHasherDefault, Hasher};

/// Makes a [`LabelHasher`].
pub(super) type LabelHash = BuildHasherDefault<LabelHasher>;

/// Eight bytes at a time: turn, mix in, multiply.
#[derive(Default)]
pub(super) struct LabelHasher(u64);

/// 2^64 divided by the golden ratio, odd.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl LabelHasher {
    const fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER);
    }
}

impl Hasher for LabelHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.mix(rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(byte.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }

    /// The best bits of a product are the upper ones; a table takes the lower.
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher as _;

    use super::*;

    #[test]
    fn labels_that_differ_little_have_other_hashes() {
        let names: Vec<String> = (0..2000).map(|number| format!("cluster:admin/xpack/ml/{number}")).collect();
        let low: HashSet<u64> = names.iter().map(|name| LabelHash::default().hash_one(name) & 0xffff_ffff).collect();
        assert_eq!(low.len(), names.len());
        assert_ne!(LabelHash::default().hash_one(("a", "bc")), LabelHash::default().hash_one(("ab", "c")));
    }
}
