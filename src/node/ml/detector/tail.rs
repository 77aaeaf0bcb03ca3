//! The tail of Student's t distribution, by the continued fraction of the incomplete beta function.
//!
//! Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.5.8 and 26.7.1; evaluation by Lentz's method.

const ITERATIONS: u32 = 300;
const TINY: f64 = 1e-300;

/// The probability that a t-distributed value exceeds `distance`. `distance` at least 0, `freedom` at least 1.
pub(crate) fn student(distance: f64, freedom: f64) -> f64 {
    if !distance.is_finite() {
        return f64::MIN_POSITIVE;
    }
    let x = freedom / (freedom + distance * distance);
    let tail = 0.5 * incomplete_beta(freedom / 2.0, 0.5, x);
    if tail.is_finite() { tail.clamp(f64::MIN_POSITIVE, 0.5) } else { f64::MIN_POSITIVE }
}

/// The regularized incomplete beta function for `x` in 0..=1.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() - ln_beta(a, b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(a, b, x) / a
    } else {
        1.0 - front * continued_fraction(b, a, 1.0 - x) / b
    }
}

fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..=ITERATIONS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        fraction *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-12 {
            break;
        }
    }
    fraction
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// Stirling's series after the argument is raised above 10; good to 1e-12 for the positive arguments used here.
fn ln_gamma(argument: f64) -> f64 {
    let mut x = argument;
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::student;

    #[test]
    fn agrees_with_printed_tables_of_t() {
        for (distance, freedom, tail) in [
            (0.0, 5.0, 0.5),
            (1.0, 1.0, 0.25),
            (2.015, 5.0, 0.05),
            (3.365, 5.0, 0.01),
            (1.671, 60.0, 0.05),
            (3.460, 60.0, 0.0005),
        ] {
            assert!((student(distance, freedom) / tail - 1.0).abs() < 2e-3, "{distance} {freedom}");
        }
    }

    #[test]
    fn falls_all_the_way_and_stays_positive() {
        let mut before = 0.5;
        for step in 1..2000 {
            let now = student(f64::from(step) * 0.5, 60.0);
            assert!(now > 0.0 && now <= before);
            before = now;
        }
        assert!(student(f64::INFINITY, 3.0) > 0.0);
    }
}
