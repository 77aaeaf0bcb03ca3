//! From a probability to a score of 0 to 100, and how scores are renormalized.
//!
//! A depth is minus the decimal logarithm of a probability.

use serde::{Deserialize, Serialize};

/// A record is written only for what is less likely than this.
pub(crate) const SIGNIFICANT: f64 = 0.01;

/// Depth, and the score there; between the points it is linear.
const POINTS: [(f64, f64); 7] =
    [(2.0, 0.0), (3.5, 10.0), (5.0, 25.0), (8.0, 50.0), (12.0, 75.0), (20.0, 95.0), (30.0, 100.0)];
/// Depth of the share of a job's buckets that are as deep, and the highest score that is left for them.
const CEILINGS: [(f64, f64); 6] = [(0.0, 0.0), (0.5, 2.0), (1.0, 10.0), (1.5, 40.0), (2.0, 75.0), (2.3, 100.0)];
/// Buckets before anything is renormalized.
const HISTORY_MIN: u64 = 200;
/// Bins of the history, of a quarter each; the last holds all that is deeper.
const BINS: usize = 96;
const BINS_PER_DEPTH: f64 = 4.0;

/// Never NaN, never infinite.
pub(crate) fn depth(probability: f64) -> f64 {
    if probability.is_nan() { 0.0 } else { -probability.clamp(f64::MIN_POSITIVE, 1.0).log10() }
}

/// The probability of a depth. Above 0, at most 1.
pub(crate) fn probability(depth: f64) -> f64 {
    10_f64.powf(-depth).clamp(f64::MIN_POSITIVE, 1.0)
}

/// The probability that the least of `tests` independent probabilities is as small as `least` (Šidák).
pub(crate) fn least_of(least: f64, tests: u64) -> f64 {
    let joint = -((tests.max(1) as f64) * (-least.clamp(0.0, 1.0)).ln_1p()).exp_m1();
    joint.clamp(f64::MIN_POSITIVE, 1.0)
}

/// How deep the buckets of a job have been.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scale {
    buckets: u64,
    /// Buckets by depth.
    bins: Vec<u64>,
}

impl Scale {
    /// 0 for a probability of [`SIGNIFICANT`] and above, 100 from 1e-30 on, and less where many buckets of the job are as deep.
    pub(crate) fn score(&self, depth: f64) -> f64 {
        interpolated(&POINTS, depth).min(self.ceiling(depth))
    }

    pub(crate) fn note(&mut self, depth: f64) {
        self.bins.resize(BINS, 0);
        self.buckets = self.buckets.saturating_add(1);
        if let Some(bin) = self.bins.get_mut(bin(depth)) {
            *bin = bin.saturating_add(1);
        }
    }

    fn ceiling(&self, depth: f64) -> f64 {
        if self.buckets < HISTORY_MIN {
            return 100.0;
        }
        let as_deep: u64 = self.bins.iter().skip(bin(depth)).sum();
        interpolated(&CEILINGS, self::depth(as_deep as f64 / self.buckets as f64))
    }
}

fn bin(depth: f64) -> usize {
    ((depth * BINS_PER_DEPTH) as usize).min(BINS - 1)
}

fn interpolated(points: &[(f64, f64)], at: f64) -> f64 {
    let mut before = (0.0, 0.0);
    for point in points {
        if at < point.0 {
            let part = (at - before.0) / (point.0 - before.0);
            return (before.1 + part * (point.1 - before.1)).clamp(0.0, 100.0);
        }
        before = *point;
    }
    before.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_depth_keeps_its_score_and_a_common_one_loses_it() {
        let mut scale = Scale::default();
        assert!((scale.score(12.0) - 75.0).abs() < 1e-9);
        for bucket in 0..1000 {
            scale.note(if bucket % 10 == 0 { 8.0 } else { 0.3 });
        }
        scale.note(20.0);
        assert!(scale.score(8.0) <= 10.1, "a tenth of all buckets is as deep");
        assert!((scale.score(20.0) - 95.0).abs() < 1e-9);
    }

    #[test]
    fn the_least_of_many_is_less_unusual() {
        assert!((least_of(0.01, 1) - 0.01).abs() < 1e-12);
        assert!(least_of(0.01, 100) > 0.6);
        assert!(depth(f64::NAN).abs() < f64::EPSILON && depth(0.0).is_finite());
    }
}
