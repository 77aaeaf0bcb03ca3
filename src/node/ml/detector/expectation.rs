//! What a model expects of a bucket, with the bounds that Elasticsearch draws around it.

use super::track::Noise;

/// Of a normal distribution, 95 of 100 values lie within so many deviations.
const NORMAL: f64 = 1.959_964;

/// The distribution of the value that is expected: Student's t, moved and stretched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Expectation {
    pub(crate) typical: f64,
    /// Above 0.
    pub(crate) variance: f64,
    /// At least 1.
    pub(crate) freedom: f64,
}

/// Where 95 of 100 values lie, and the middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Expectation {
    pub(crate) fn bounds(&self, noise: Noise) -> Bounds {
        let reach = half_width(self.freedom) * self.variance.sqrt();
        let held = |value: f64| match noise {
            // There is no negative count.
            Noise::Count => super::hold(value).max(0.0),
            Noise::Metric => super::hold(value),
        };
        Bounds { lower: held(self.typical - reach), median: held(self.typical), upper: held(self.typical + reach) }
    }
}

/// In deviations. Source: Abramowitz and Stegun, 26.7.5; good to 0.2 % from three degrees of freedom on.
fn half_width(freedom: f64) -> f64 {
    let (z, square, n) = (NORMAL, NORMAL * NORMAL, freedom.max(1.0));
    let first = (square + 1.0) / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0;
    z * (1.0 + (first + (second + third / n) / n) / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_printed_tables_of_t() {
        for (freedom, width) in [(3.0, 3.182), (5.0, 2.571), (10.0, 2.228), (20.0, 2.086), (60.0, 2.0)] {
            let found = half_width(freedom);
            assert!((found / width - 1.0).abs() < 0.01, "{freedom}: {found}");
        }
    }

    #[test]
    fn counts_have_no_negative_bounds() {
        let few = Expectation { typical: 1.0, variance: 9.0, freedom: 10.0 };
        assert_eq!(few.bounds(Noise::Count).lower, 0.0);
        assert!(few.bounds(Noise::Metric).lower < -5.0);
    }
}
