//! What the models expect of the buckets to come.

use thiserror::Error;

use super::super::outcome::ExpectedValue;
use super::super::series::{MemoryStatus, SeriesKey};
use super::super::track::Moment;
use super::Engine;

/// Why a job cannot be forecast. Source of the texts: ml-cpp, `CForecastRunner.cc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Unforeseeable {
    #[error("Forecast cannot be executed as job requires data to have been processed and modeled")]
    NothingLearned,
    #[error("Forecast cannot be executed as model memory status is not OK")]
    MemoryShort,
    #[error("Forecast is not supported for population analysis")]
    Population,
    #[error("Forecast is not supported for the used functions")]
    Functions,
}

/// The series that can be forecast, and from where on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outlook {
    /// Start of the first bucket that is not finished, milliseconds.
    pub(crate) start_ms: i64,
    /// Those that have been learned for long enough; populations and rarity are left out.
    pub(crate) series: Vec<SeriesKey>,
}

impl Engine {
    /// What a forecast that is made now is of.
    ///
    /// # Errors
    /// [`Unforeseeable`].
    pub(crate) fn outlook(&self) -> Result<Outlook, Unforeseeable> {
        let start_ms = self.finished_until_ms().ok_or(Unforeseeable::NothingLearned)?;
        if self.size().status != MemoryStatus::Ok {
            return Err(Unforeseeable::MemoryShort);
        }
        let mut alone = self.plan.detectors.iter().filter(|detector| detector.over.is_none()).peekable();
        if alone.peek().is_none() {
            return Err(Unforeseeable::Population);
        }
        if alone.all(|detector| detector.function.is_rare()) {
            return Err(Unforeseeable::Functions);
        }
        let foreseen = |key: &&SeriesKey| self.foresee(key, start_ms, 0).is_some();
        Ok(Outlook { start_ms, series: self.models.keys().filter(foreseen).cloned().collect() })
    }

    /// What is expected `ahead` buckets after the one that starts at `start_ms`; `None` for what is not forecast.
    pub(crate) fn foresee(&self, key: &SeriesKey, start_ms: i64, ahead: u64) -> Option<ExpectedValue> {
        let plan = &self.plan;
        let detector = plan.detectors.get(key.detector).filter(|detector| detector.over.is_none())?;
        let distance_ms = i64::try_from(ahead).ok()?.checked_mul(plan.bucket_span_ms)?;
        let moment = Moment { start_ms: start_ms.checked_add(distance_ms)?, span_ms: plan.bucket_span_ms, share: 1.0 };
        let noise = detector.function.noise();
        let expectation = self.models.model(key)?.foresee(moment, noise)?;
        Some(ExpectedValue {
            detector: key.detector,
            feature: key.feature,
            partition: key.partition.clone(),
            by: key.by.clone(),
            over: None,
            start_ms: moment.start_ms,
            bounds: expectation.bounds(noise),
            actual: None,
        })
    }
}
