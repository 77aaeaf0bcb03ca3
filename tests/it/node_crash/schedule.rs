//! When the node is killed: drawn from a seed, which a failure shows.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

const ROUNDS_DEFAULT: u64 = 8;
const SEED_DEFAULT: u64 = 1;
/// Rounds on one data folder: what they write fits one page of a search.
const CHAIN_MAX: u64 = 40;

/// One data folder, killed so often.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) rounds: u64,
    numbers: Numbers,
}

/// One kill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kill {
    /// It comes after so many acknowledgements,
    pub(super) acknowledgements: u64,
    /// and so much later: in the middle of whatever is done then.
    pub(super) later: Duration,
    /// The next process is killed too, so long after it was started; it may not listen by then.
    pub(super) starting: Option<Duration>,
}

/// What draws all kills of a run again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    rounds: u64,
    seed: u64,
}

impl Schedule {
    /// Reads `MLGATE_CRASH_ROUNDS` and `MLGATE_CRASH_SEED`; with rounds and no seed, each run has a seed of its own.
    pub(super) fn wanted() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let rounds = number("MLGATE_CRASH_ROUNDS");
        let unseeded = || if rounds.is_some() { RandomState::new().hash_one("seed") } else { SEED_DEFAULT };
        let seed = number("MLGATE_CRASH_SEED").unwrap_or_else(unseeded);
        Self { rounds: rounds.unwrap_or(ROUNDS_DEFAULT), seed }
    }

    pub(super) fn chains(self) -> Vec<Chain> {
        let mut seeds = Numbers(self.seed);
        let starts = (0..self.rounds).step_by(CHAIN_MAX as usize);
        let chain = |start| Chain { rounds: CHAIN_MAX.min(self.rounds - start), numbers: Numbers(seeds.next()) };
        starts.map(chain).collect()
    }
}

impl std::fmt::Display for Schedule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "MLGATE_CRASH_ROUNDS={} MLGATE_CRASH_SEED={}", self.rounds, self.seed)
    }
}

impl Chain {
    pub(super) fn kills(self) -> impl Iterator<Item = Kill> {
        let mut numbers = self.numbers;
        (0..self.rounds).map(move |_| Kill {
            acknowledgements: 20 + numbers.next() % 80,
            later: Duration::from_micros(numbers.next() % 4000),
            starting: numbers.next().is_multiple_of(4).then(|| Duration::from_micros(numbers.next() % 80_000)),
        })
    }
}

/// SplitMix64.
#[derive(Clone, Debug)]
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
