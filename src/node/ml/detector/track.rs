//! One explanation of a series: a level, its trend, and a season or none.
//!
//! Level and trend are the discounted least-squares line through what the season leaves over, updated by fixed gains (Brown's
//! double exponential smoothing; while a series is young the gains of the growing regression). An error is pulled to within
//! three deviations before it counts (Huber's winsorizing). Where many errors in a row lie on one side the level moves there
//! at once. The track keeps how likely it made what came, which is what tracks compete by (Dawid's prequential principle).

use serde::{Deserialize, Serialize};

use super::season::Season;

/// Buckets of a settled level's memory.
const WINDOW: f64 = 300.0;
/// Periods of a settled seasonal level's memory.
const PERIODS: f64 = 2.0;
/// Buckets before a trend is trusted.
const TREND_AFTER: f64 = 64.0;
/// Part of an error that the level of a drifting track takes over.
const DRIFT_GAIN: f64 = 0.3;
const WINSOR: f64 = 3.0;
/// Errors beyond this many deviations, that many in a row and on one side, are a new level.
const SHIFT_DISTANCE: f64 = 2.0;
const SHIFT_RUN: usize = 12;
/// Buckets that a level is taken to rest on after it has moved.
const AFTER_SHIFT: f64 = 24.0;
/// Squared deviations beyond this say no more about which track is better.
const EVIDENCE_CLIP: f64 = 16.0;
/// Buckets over which evidence is averaged: few, so that another track takes over soon when a pattern is broken.
const EVIDENCE_WINDOW: f64 = 24.0;
/// Buckets over which the weight of the tails is averaged.
const TAIL_WINDOW: f64 = 1000.0;
/// A spread smaller than this part of the level is noise of representation, not knowledge.
const RELATIVE_FLOOR: f64 = 0.01;
const STEPS_MAX: f64 = 50.0;
/// How often a t-distributed value of so many degrees of freedom lies beyond three.
const TAILS: [(f64, f64); 7] =
    [(0.0040, 60.0), (0.0054, 30.0), (0.0071, 20.0), (0.0133, 10.0), (0.0200, 7.0), (0.0300, 5.0), (0.0580, 3.0)];

/// How the spread of a series depends on its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noise {
    /// The variance grows with the level and is at least that of a Poisson process.
    Count,
    /// The deviation does not depend on the level, and is at least one per cent of it.
    Metric,
}

/// When a value was seen, and how many other values the bucket has for the same model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    pub(crate) start_ms: i64,
    pub(crate) span_ms: i64,
    /// One, or less for a population: its members share the weight of the bucket.
    pub(crate) share: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pace {
    /// Holds on to its level.
    Steady,
    /// Goes along with every value, as a random walk does.
    Drifting,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Track {
    pace: Pace,
    season: Option<Season>,
    first_ms: i64,
    at_ms: i64,
    level: f64,
    /// Per bucket.
    slope: f64,
    /// Mean squared error, in units of the level for counts.
    dispersion: f64,
    /// Buckets that level and trend rest on.
    age: f64,
    /// Mean log-density of what came.
    evidence: f64,
    judged: f64,
    /// How often an error lay beyond three deviations; the later ones of a run do not count.
    beyond: f64,
    was_beyond: bool,
    run: Vec<f64>,
}

impl Track {
    /// A track that starts at a level after `age` values.
    pub(crate) fn new(
        pace: Pace,
        season: Option<Season>,
        at_ms: i64,
        level: f64,
        variance: f64,
        age: f64,
        noise: Noise,
    ) -> Self {
        let unit = unit(level, noise);
        Self {
            pace,
            season,
            first_ms: at_ms,
            at_ms,
            level,
            slope: 0.0,
            dispersion: variance / unit,
            age,
            evidence: 0.0,
            judged: 0.0,
            beyond: 0.0027,
            was_beyond: false,
            run: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.season.as_ref().map_or(0, Season::bytes) + (SHIFT_RUN * size_of::<f64>() + size_of::<Self>()) as u64
    }

    /// Whether the track has been tried long enough to be compared: a seasonal one for two periods, the first of which only teaches.
    pub(crate) fn is_mature(&self) -> bool {
        let periods = self.season.as_ref().map_or(0, |season| 2 * season.period_ms());
        self.at_ms.saturating_sub(self.first_ms) >= periods
    }

    pub(crate) fn evidence(&self) -> f64 {
        self.evidence
    }

    pub(crate) fn prediction(&self, moment: Moment) -> f64 {
        self.ahead(moment.start_ms, self.steps(moment).min(STEPS_MAX))
    }

    /// Buckets since the newest value.
    pub(crate) fn steps(&self, moment: Moment) -> f64 {
        (moment.start_ms.saturating_sub(self.at_ms) as f64 / moment.span_ms.max(1) as f64).max(0.0)
    }

    /// The prediction `steps` buckets after the newest value.
    pub(crate) fn ahead(&self, time_ms: i64, steps: f64) -> f64 {
        let offset = self.season.as_ref().map_or(0.0, |season| season.offset(time_ms));
        super::hold(self.level + self.slope * steps + offset)
    }

    /// Variance of a value around a prediction.
    pub(crate) fn variance(&self, prediction: f64, noise: Noise) -> f64 {
        match noise {
            Noise::Count => self.dispersion.max(1.0) * unit(prediction, noise),
            Noise::Metric => self.dispersion.max((RELATIVE_FLOOR * prediction).powi(2)).max(1e-12),
        }
    }

    /// How many times the variance of the next value is that of the value `steps` buckets ahead: what errors of level and
    /// trend add, of a random walk's level and of a regression on the buckets that the track rests on.
    pub(crate) fn widening(&self, span_ms: i64, steps: f64) -> f64 {
        if self.pace == Pace::Drifting {
            return 1.0 + (steps - 1.0).max(0.0) * DRIFT_GAIN * DRIFT_GAIN;
        }
        let known = self.age.min(self.memory(span_ms)).max(2.0);
        let lever = if self.age < TREND_AFTER { 0.0 } else { steps + (known - 1.0) / 2.0 };
        1.0 + 1.0 / known + 12.0 * lever * lever / (known * (known * known - 1.0))
    }

    /// Degrees of freedom of the tails.
    pub(crate) fn freedom(&self) -> f64 {
        let mut before = (0.0, 60.0);
        for (often, freedom) in TAILS {
            if self.beyond <= often {
                return before.1 + (freedom - before.1) * (self.beyond - before.0) / (often - before.0);
            }
            before = (often, freedom);
        }
        before.1
    }

    pub(crate) fn learn(&mut self, moment: Moment, value: f64, noise: Noise) {
        let prediction = self.prediction(moment);
        let error = super::hold(value - prediction);
        if self.is_taught(moment, value) {
            return;
        }
        let unit = unit(prediction, noise);
        let deviation = self.variance(prediction, noise).sqrt();
        let held = error.clamp(-WINSOR * deviation, WINSOR * deviation);
        self.weigh(error / deviation, deviation, moment.share);
        let (level_gain, slope_gain) = self.gains(moment.share, moment.span_ms);
        let steps = if moment.start_ms > self.at_ms { 1.0 } else { 0.0 };
        self.level = super::hold(self.level + self.slope * steps + level_gain * held);
        self.slope = super::hold(self.slope + slope_gain * held);
        let weight = (1.0 / (self.age + 1.0)).max(moment.share / WINDOW);
        self.dispersion = (1.0 - weight) * (self.dispersion + weight * held * held / unit);
        if let Some(season) = &mut self.season {
            season.learn(moment.start_ms, moment.span_ms, held, moment.share);
        }
        self.at_ms = moment.start_ms;
        self.age = (self.age + 1.0).min(1e9);
        self.follow_shift(error, deviation, moment.share);
    }

    /// In its first period a season is filled in around a level that stays, so that the second period is predicted by the first.
    fn is_taught(&mut self, moment: Moment, value: f64) -> bool {
        let Some(season) = &mut self.season else { return false };
        if moment.start_ms.saturating_sub(self.first_ms) >= season.period_ms() {
            return false;
        }
        let error = super::hold(value - self.level - season.offset(moment.start_ms));
        season.learn(moment.start_ms, moment.span_ms, error, moment.share);
        self.at_ms = moment.start_ms;
        true
    }

    /// Notes how well the value was predicted.
    fn weigh(&mut self, distance: f64, deviation: f64, share: f64) {
        self.judged = (self.judged + 1.0).min(EVIDENCE_WINDOW / share);
        let density = -deviation.ln() - 0.5 * (distance * distance).min(EVIDENCE_CLIP);
        self.evidence += (density - self.evidence) / self.judged;
        let is_beyond = distance.abs() > WINSOR;
        let counted = if is_beyond && !self.was_beyond { 1.0 } else { 0.0 };
        self.beyond += (counted - self.beyond) * share / TAIL_WINDOW;
        self.was_beyond = is_beyond;
    }

    /// What part of an error level and trend take over.
    fn gains(&self, share: f64, span_ms: i64) -> (f64, f64) {
        if self.pace == Pace::Drifting {
            return (DRIFT_GAIN * share, 0.0);
        }
        let age = (self.age + 1.0).min(self.memory(span_ms) / share);
        if age < TREND_AFTER || share < 1.0 {
            return (1.0 / age, 0.0);
        }
        (2.0 * (2.0 * age - 1.0) / (age * (age + 1.0)), 6.0 / (age * (age + 1.0)))
    }

    /// Buckets that a settled level and trend rest on.
    fn memory(&self, span_ms: i64) -> f64 {
        let period = self.season.as_ref().map_or(0.0, |season| season.period_ms() as f64 / span_ms.max(1) as f64);
        WINDOW.max(PERIODS * period)
    }

    /// Moves the level where a run of errors has been. Members of a population are no run.
    fn follow_shift(&mut self, error: f64, deviation: f64, share: f64) {
        if share < 1.0 || self.pace == Pace::Drifting {
            return;
        }
        if error.abs() < SHIFT_DISTANCE * deviation
            || self.run.first().is_some_and(|first| (*first > 0.0) != (error > 0.0))
        {
            self.run.clear();
            return;
        }
        self.run.push(error);
        if self.run.len() >= SHIFT_RUN {
            self.level = super::hold(self.level + super::aggregate::median(&self.run).unwrap_or_default());
            self.slope = 0.0;
            self.age = self.age.min(AFTER_SHIFT);
            self.run.clear();
        }
    }
}

/// What a variance is counted in.
fn unit(level: f64, noise: Noise) -> f64 {
    match noise {
        Noise::Count => level.max(1.0),
        Noise::Metric => 1.0,
    }
}
