//! Robust running level and spread of a series.
//!
//! The first values are kept whole and described by median and median absolute deviation. After that level and variance
//! are exponentially weighted, and each new value is pulled to within three spreads of the level before it counts
//! (Huber's winsorizing), so that one spike does not widen what is usual.

use serde::{Deserialize, Serialize};

use super::aggregate::median;
use super::function::Side;
use super::tail;

/// Values kept whole at the start of a series.
const EARLY: usize = 16;
/// The weight of a new value never falls below one in so many buckets, so that the level follows a shift.
const WINDOW: f64 = 300.0;
const WINSOR: f64 = 3.0;
/// Makes the median absolute deviation of normal values equal to their standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// Values before the first probability.
const WARM_UP: u64 = 4;
const FREEDOM_MAX: f64 = 60.0;
/// A spread smaller than this part of the level is noise of representation, not knowledge.
const RELATIVE_FLOOR: f64 = 0.01;
/// Values are held within this, so that squares and sums stay finite.
const MAGNITUDE_MAX: f64 = 1e100;

/// What has been learned of one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    observations: u64,
    early: Vec<f64>,
    level: f64,
    variance: f64,
}

/// How unusual a value is against what came before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judgement {
    /// Above 0, at most 1.
    pub(crate) probability: f64,
    /// What was expected.
    pub(crate) typical: f64,
}

impl Running {
    /// Judges a value; `None` while too little is known. `counts` puts a Poisson floor under the variance.
    pub(crate) fn judge(&self, value: f64, side: Side, counts: bool) -> Option<Judgement> {
        if self.observations < WARM_UP {
            return None;
        }
        let known = self.observations as f64;
        let deviation = (self.floored(counts) * (1.0 + 1.0 / known)).sqrt();
        let distance = (hold(value) - self.level) / deviation;
        let freedom = (known - 1.0).clamp(1.0, FREEDOM_MAX);
        let probability = match side {
            Side::Both => 2.0 * tail::student(distance.abs(), freedom),
            Side::High if distance > 0.0 => tail::student(distance, freedom),
            Side::Low if distance < 0.0 => tail::student(-distance, freedom),
            Side::High | Side::Low => 1.0,
        };
        Some(Judgement { probability: probability.clamp(f64::MIN_POSITIVE, 1.0), typical: self.level })
    }

    /// Learns a value.
    pub(crate) fn learn(&mut self, value: f64, counts: bool) {
        let value = hold(value);
        self.observations = self.observations.saturating_add(1);
        if self.early.len() < EARLY && self.observations <= EARLY as u64 {
            self.early.push(value);
            self.describe_early();
            if self.early.len() == EARLY {
                self.early = Vec::new();
            }
            return;
        }
        let weight = (1.0 / self.observations as f64).max(1.0 / WINDOW);
        let reach = WINSOR * self.floored(counts).sqrt();
        let distance = (value - self.level).clamp(-reach, reach);
        self.level += weight * distance;
        self.variance = (1.0 - weight) * (self.variance + weight * distance * distance);
    }

    fn describe_early(&mut self) {
        self.level = median(&self.early).unwrap_or_default();
        let distances: Vec<f64> = self.early.iter().map(|value| (value - self.level).abs()).collect();
        self.variance = (median(&distances).unwrap_or_default() * MAD_TO_DEVIATION).powi(2);
    }

    fn floored(&self, counts: bool) -> f64 {
        let floor = if counts { self.level.max(1.0) } else { (RELATIVE_FLOOR * self.level).powi(2).max(1e-12) };
        self.variance.max(floor)
    }
}

fn hold(value: f64) -> f64 {
    value.clamp(-MAGNITUDE_MAX, MAGNITUDE_MAX)
}
