//! What was expected of each series of a bucket, for those who draw it beside what came.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Judge, Verdict};
use super::outcome::ExpectedValue;
use super::track::Moment;
use super::window::Slot;

/// Expectations of one bucket; the others are left out.
const PLOTTED_MAX: usize = 10_000;

/// Which series are plotted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plot {
    pub(crate) enabled: bool,
    /// Only series whose partition and by values, as far as they have them, are among these; none: all.
    pub(crate) terms: BTreeSet<String>,
}

impl Plot {
    fn shows(&self, slot: &Slot) -> bool {
        let mut values = slot.series.partition.iter().chain(&slot.series.by);
        self.terms.is_empty() || values.all(|value| self.terms.contains(value))
    }
}

impl Judge<'_> {
    /// What the models expected of a bucket before they learn it: of every value that came, and of every series without one.
    pub(crate) fn expected(&self, start_ms: i64, verdicts: &[Verdict<'_>]) -> Vec<ExpectedValue> {
        if !self.plan.plot.enabled {
            return Vec::new();
        }
        let came = verdicts.iter().map(|verdict| (verdict.slot.clone(), Some(verdict.value)));
        let mut values: BTreeMap<Slot, Option<f64>> = came.collect();
        for series in self.models.keys() {
            values.entry(Slot { series: series.clone(), over: None }).or_insert(None);
        }
        let shown = values.into_iter().filter(|(slot, _)| self.plan.plot.shows(slot));
        shown.filter_map(|(slot, actual)| self.expected_of(slot, actual, start_ms)).take(PLOTTED_MAX).collect()
    }

    /// `None` while too little is known, for rarity, and for the model of a population apart from its members.
    fn expected_of(&self, slot: Slot, actual: Option<f64>, start_ms: i64) -> Option<ExpectedValue> {
        let plan = self.plan.detectors.get(slot.series.detector)?;
        if plan.over.is_some() != slot.over.is_some() {
            return None;
        }
        let noise = plan.function.noise();
        let moment = Moment { start_ms, span_ms: self.plan.bucket_span_ms, share: 1.0 };
        let expectation = self.models.model(&slot.series)?.expect(moment, noise)?;
        let Slot { series, over } = slot;
        Some(ExpectedValue {
            detector: series.detector,
            feature: series.feature,
            partition: series.partition,
            by: series.by,
            over,
            start_ms,
            bounds: expectation.bounds(noise),
            actual,
        })
    }
}
