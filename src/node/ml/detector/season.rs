//! What a series adds to its level at each time of a day or a week.
//!
//! A profile of evenly spaced knots, linear between them, learned online by normalized least mean squares (Widrow, Hoff):
//! the error of a prediction goes to the two knots that it was made from.

use serde::{Deserialize, Serialize};

/// Milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;
pub(crate) const WEEK_MS: i64 = 7 * DAY_MS;
/// A period that is shorter than this many buckets is no season.
const BUCKETS_MIN: i64 = 4;
const KNOTS_DAY: i64 = 48;
const KNOTS_WEEK: i64 = 168;
/// How much of an error a knot takes over in each period once it is settled.
const SETTLED_GAIN: f64 = 0.2;

/// Offsets from the level at the knots of a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Season {
    period_ms: i64,
    #[serde(with = "super::packed")]
    knots: Vec<f32>,
    /// How often each knot was the nearest; stops counting at 255.
    #[serde(with = "super::packed")]
    visits: Vec<u8>,
}

/// The knots around a time, and their weights.
struct Place {
    left: usize,
    right: usize,
    part: f64,
}

impl Season {
    /// A profile of zeros; `None` where buckets are too long for the period.
    pub(crate) fn new(period_ms: i64, span_ms: i64) -> Option<Self> {
        let buckets = period_ms / span_ms.max(1);
        if buckets < BUCKETS_MIN {
            return None;
        }
        let finest = if period_ms == DAY_MS { KNOTS_DAY } else { KNOTS_WEEK };
        let knots = usize::try_from(buckets.min(finest)).ok()?;
        Some(Self { period_ms, knots: vec![0.0; knots], visits: vec![0; knots] })
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.knots.len() * (size_of::<f32>() + size_of::<u8>()) + size_of::<Self>()) as u64
    }

    pub(crate) fn period_ms(&self) -> i64 {
        self.period_ms
    }

    pub(crate) fn offset(&self, time_ms: i64) -> f64 {
        let place = self.place(time_ms);
        let knot = |at: usize| f64::from(self.knots.get(at).copied().unwrap_or_default());
        knot(place.left) * (1.0 - place.part) + knot(place.right) * place.part
    }

    /// Takes over part of an error, all of it where nothing is known yet. `share` is below 1 where a bucket has several errors.
    pub(crate) fn learn(&mut self, time_ms: i64, span_ms: i64, error: f64, share: f64) {
        let place = self.place(time_ms);
        let weights = [(place.left, 1.0 - place.part), (place.right, place.part)];
        let norm: f64 = weights.iter().map(|(_, weight)| weight * weight).sum();
        let each = (self.period_ms / span_ms.max(1)) as f64 / self.knots.len().max(1) as f64;
        let floor = SETTLED_GAIN / each.max(1.0);
        for (at, weight) in weights {
            let (Some(knot), Some(visits)) = (self.knots.get_mut(at), self.visits.get_mut(at)) else { continue };
            let gain = (1.0 / (f64::from(*visits) + 1.0)).max(floor * share);
            *knot = (f64::from(*knot) + gain * weight / norm * error).clamp(-super::MAGNITUDE_MAX, super::MAGNITUDE_MAX)
                as f32;
            if weight >= 0.5 {
                *visits = visits.saturating_add(1);
            }
        }
    }

    fn place(&self, time_ms: i64) -> Place {
        let knots = self.knots.len().max(1);
        let phase = time_ms.rem_euclid(self.period_ms) as f64 / self.period_ms as f64 * knots as f64;
        let left = phase.floor() as usize % knots;
        Place { left, right: (left + 1) % knots, part: phase - phase.floor() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_a_wave_between_its_knots() {
        let span = 300_000;
        let mut season = Season::new(DAY_MS, span).unwrap();
        let wave = |time: i64| 50.0 * (time as f64 / DAY_MS as f64 * std::f64::consts::TAU).sin();
        for bucket in 0..(5 * DAY_MS / span) {
            let time = bucket * span;
            season.learn(time, span, wave(time) - season.offset(time), 1.0);
        }
        for bucket in 0..288 {
            assert!((season.offset(bucket * span) - wave(bucket * span)).abs() < 2.0);
        }
    }

    #[test]
    fn long_buckets_have_no_daily_season() {
        assert!(Season::new(DAY_MS, DAY_MS / 3).is_none());
        assert_eq!(Season::new(WEEK_MS, DAY_MS).unwrap().knots.len(), 7);
        assert_eq!(Season::new(DAY_MS, 1000).unwrap().knots.len(), 48);
    }
}
