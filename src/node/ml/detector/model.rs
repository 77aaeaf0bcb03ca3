//! The model of one series: tracks that compete to explain it.

use serde::{Deserialize, Serialize};

use super::aggregate::median;
use super::expectation::Expectation;
use super::function::Side;
use super::season::{DAY_MS, Season, WEEK_MS};
use super::tail;
use super::track::{Moment, Noise, Pace, Track};

/// Values kept whole at the start of a series.
const EARLY: usize = 16;
/// Makes the median absolute deviation of normal values equal to their standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// Values before the first probability.
const WARM_UP: usize = 4;
/// How much better, in mean log-density, a richer track must be.
const MARGIN: f64 = 0.1;

/// What has been learned of one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Model {
    /// The first values; empty once there are tracks.
    early: Vec<f64>,
    tracks: Vec<Track>,
    learned: u64,
    /// Start of the newest bucket with a record, milliseconds.
    pub(crate) seen_ms: i64,
    /// Buckets with a record.
    pub(crate) seen: u64,
}

/// How a value compares with what came before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judgement {
    /// What was expected.
    pub(crate) typical: f64,
    /// In deviations; positive above.
    distance: f64,
    freedom: f64,
}

impl Judgement {
    pub(crate) fn is_high(&self) -> bool {
        self.distance > 0.0
    }

    /// Above 0, at most 1.
    pub(crate) fn probability(&self, side: Side) -> f64 {
        let probability = match side {
            Side::Both => 2.0 * tail::student(self.distance.abs(), self.freedom),
            Side::High if self.distance > 0.0 => tail::student(self.distance, self.freedom),
            Side::Low if self.distance < 0.0 => tail::student(-self.distance, self.freedom),
            Side::High | Side::Low => 1.0,
        };
        probability.clamp(f64::MIN_POSITIVE, 1.0)
    }
}

impl Model {
    /// Memory of a series that has no season.
    pub(crate) const BYTES: u64 = 720;

    pub(crate) fn bytes(&self) -> u64 {
        Self::BYTES + self.tracks.iter().skip(2).map(Track::bytes).sum::<u64>()
    }

    /// Judges a value; `None` while too little is known.
    pub(crate) fn judge(&self, moment: Moment, value: f64, noise: Noise) -> Option<Judgement> {
        let Expectation { typical, variance, freedom } = self.expect(moment, noise)?;
        let distance = (super::hold(value) - typical) / variance.sqrt();
        Some(Judgement { typical, distance, freedom })
    }

    /// Learns a value. `room` is the memory that may be added, in bytes; gives whether a season did not fit.
    pub(crate) fn learn(&mut self, moment: Moment, value: f64, noise: Noise, room: u64) -> bool {
        let value = super::hold(value);
        self.learned = self.learned.saturating_add(1);
        if self.tracks.is_empty() {
            self.early.push(value);
            if self.early.len() >= EARLY {
                self.settle(moment, noise);
                return !self.add_seasons(moment, noise, room);
            }
            return false;
        }
        self.tracks.iter_mut().for_each(|track| track.learn(moment, value, noise));
        false
    }

    /// What the next value will be; `None` while too little is known.
    pub(crate) fn expect(&self, moment: Moment, noise: Noise) -> Option<Expectation> {
        let known = self.learned as f64;
        if let Some(track) = self.best() {
            let typical = track.prediction(moment);
            let variance = track.variance(typical, noise) * (1.0 + 1.0 / known);
            return Some(Expectation { typical, variance, freedom: track.freedom() });
        }
        if self.early.len() < WARM_UP {
            return None;
        }
        let (level, variance) = self.described();
        let track = Track::new(Pace::Steady, None, moment.start_ms, level, variance, known, noise);
        let variance = track.variance(level, noise) * (1.0 + 1.0 / known);
        Some(Expectation { typical: level, variance, freedom: known - 1.0 })
    }

    /// What the value will be, however far ahead; `None` until a track is settled.
    pub(crate) fn foresee(&self, moment: Moment, noise: Noise) -> Option<Expectation> {
        let track = self.best()?;
        let steps = track.steps(moment);
        let typical = track.ahead(moment.start_ms, steps);
        let variance = track.variance(typical, noise) * track.widening(moment.span_ms, steps);
        Some(Expectation { typical, variance, freedom: track.freedom() })
    }

    /// The simplest of the tracks that have explained the series best.
    fn best(&self) -> Option<&Track> {
        let mut best = self.tracks.first()?;
        for track in self.tracks.iter().skip(1).filter(|track| track.is_mature()) {
            if track.evidence() > best.evidence() + MARGIN {
                best = track;
            }
        }
        Some(best)
    }

    fn settle(&mut self, moment: Moment, noise: Noise) {
        let (level, variance) = self.described();
        let last = self.early.last().copied().unwrap_or(level);
        let age = self.early.len() as f64;
        self.early = Vec::new();
        for (pace, level) in [(Pace::Steady, level), (Pace::Drifting, last)] {
            self.tracks.push(Track::new(pace, None, moment.start_ms, level, variance, age, noise));
        }
    }

    fn add_seasons(&mut self, moment: Moment, noise: Noise, room: u64) -> bool {
        let (level, variance) = self.tracks.first().map_or((0.0, 0.0), |track| {
            let level = track.prediction(moment);
            (level, track.variance(level, noise))
        });
        let mut room = room;
        for period_ms in [DAY_MS, WEEK_MS] {
            let Some(season) = Season::new(period_ms, moment.span_ms) else { continue };
            let track = Track::new(Pace::Steady, Some(season), moment.start_ms, level, variance, EARLY as f64, noise);
            let Some(left) = room.checked_sub(track.bytes()) else { return false };
            room = left;
            self.tracks.push(track);
        }
        true
    }

    /// Median and squared deviation of the first values.
    fn described(&self) -> (f64, f64) {
        let level = median(&self.early).unwrap_or_default();
        let distances: Vec<f64> = self.early.iter().map(|value| (value - level).abs()).collect();
        (level, (median(&distances).unwrap_or_default() * MAD_TO_DEVIATION).powi(2))
    }
}
