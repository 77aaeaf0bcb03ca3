//! From a probability to a score of 0 to 100.

/// A record is written only for what is less likely than this.
pub(crate) const SIGNIFICANT: f64 = 0.01;

/// Minus the decimal logarithm of the probability, and the score there; between the points it is linear.
const POINTS: [(f64, f64); 7] =
    [(2.0, 0.0), (3.5, 10.0), (5.0, 25.0), (8.0, 50.0), (12.0, 75.0), (20.0, 95.0), (30.0, 100.0)];

/// 0 for a probability of [`SIGNIFICANT`] and above, 100 from 1e-30 on; never NaN.
pub(crate) fn score(probability: f64) -> f64 {
    if probability.is_nan() {
        return 0.0;
    }
    let depth = -probability.clamp(f64::MIN_POSITIVE, 1.0).log10();
    let mut before = (0.0, 0.0);
    for point in POINTS {
        if depth < point.0 {
            let part = (depth - before.0) / (point.0 - before.0);
            return (before.1 + part * (point.1 - before.1)).clamp(0.0, 100.0);
        }
        before = point;
    }
    100.0
}

/// The probability that the least of `tests` independent probabilities is as small as `least` (Šidák).
pub(crate) fn least_of(least: f64, tests: u64) -> f64 {
    let joint = -((tests.max(1) as f64) * (-least.clamp(0.0, 1.0)).ln_1p()).exp_m1();
    joint.clamp(f64::MIN_POSITIVE, 1.0)
}
