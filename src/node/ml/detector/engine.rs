//! Takes records, finishes buckets.

mod forecast;
mod memory;

use super::aggregate::Measured;
use super::distinct::hash;
use super::filter::Filters;
use super::function::Quantity;
use super::judge::{Completeness, Judge, Verdict};
use super::outcome::BucketOutcome;
use super::record::Record;
use super::rule::ScheduledEvent;
use super::score::{Scale, depth};
use super::series::{MemoryStatus, Models, SeriesKey};
use super::stored::{Body, Learned, OpenBody, Standing, Unfinished};
use super::window::{OpenBucket, Room, Slot, Window};
use super::{DetectorPlan, Plan};

pub(crate) use forecast::{Outlook, Unforeseeable};

/// A longer run of empty buckets is skipped instead of being finished one by one: a stray time stamp costs no hours.
const GAP_BUCKETS_MAX: i64 = 10_000;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Taken,
    /// Older than the latest finished bucket: not counted.
    OutOfOrder,
}

/// The detector of one open job.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    plan: Plan,
    models: Models,
    scale: Scale,
    finished: u64,
    window: Window,
    standing: Standing,
    filters: Filters,
    events: Vec<ScheduledEvent>,
}

impl Engine {
    pub(crate) fn new(plan: Plan) -> Self {
        Self::restore(plan, Learned::default(), Unfinished::default())
    }

    /// Without filters and events: they are not part of the state.
    pub(crate) fn restore(plan: Plan, learned: Learned, unfinished: Unfinished) -> Self {
        let Body { models, scale, finished } = learned.0;
        let OpenBody { window, standing } = unfinished.0;
        Self { plan, models, scale, finished, window, standing, filters: Filters::new(), events: Vec::new() }
    }

    pub(crate) fn learned(&self) -> Learned {
        Learned(Body { models: self.models.clone(), scale: self.scale.clone(), finished: self.finished })
    }

    pub(crate) fn unfinished(&self) -> Unfinished {
        Unfinished(OpenBody { window: self.window.clone(), standing: self.standing.clone() })
    }

    /// The filters that custom rules refer to, from the next bucket on.
    pub(crate) fn set_filters(&mut self, filters: Filters) {
        self.filters = filters;
    }

    /// The events of the job's calendars, from the next bucket on.
    pub(crate) fn set_events(&mut self, events: Vec<ScheduledEvent>) {
        self.events = events;
    }

    /// The newest time seen, milliseconds.
    pub(crate) fn latest_ms(&self) -> Option<i64> {
        self.window.latest_ms
    }

    /// Finishes the next bucket that ends before records at `time_ms` can matter; `None` when there is none left.
    /// To be called until it gives `None` before [`Engine::accept`] with a record of that time.
    pub(crate) fn finish_before(&mut self, time_ms: i64) -> Option<BucketOutcome> {
        let span = self.plan.bucket_span_ms;
        let horizon = time_ms.max(self.window.latest_ms.unwrap_or(i64::MIN)).saturating_sub(self.plan.latency_ms);
        let mut start = self.window.next_start_ms?;
        let first_open = self.window.open.keys().next().copied().unwrap_or(i64::MAX);
        let empty_until = first_open.min(floor(horizon, span));
        if empty_until.saturating_sub(start) / span > GAP_BUCKETS_MAX {
            start = empty_until;
            self.window.next_start_ms = Some(start);
        }
        if start.checked_add(span)? > horizon {
            return None;
        }
        self.window.next_start_ms = Some(start + span);
        self.window.begun = true;
        let bucket = self.window.take(start);
        Some(self.finish(start, &bucket))
    }

    /// Finishes the next bucket that ends by the newest record's time, latency or not; `None` when only the bucket that
    /// time stands in is left. For the close of a job.
    pub(crate) fn finish_complete(&mut self) -> Option<BucketOutcome> {
        let latest = self.window.latest_ms?;
        self.finish_before(latest.saturating_add(self.plan.latency_ms))
    }

    /// Takes a record into its bucket.
    pub(crate) fn accept(&mut self, record: &Record<'_>) -> Acceptance {
        let start = floor(record.time_ms, self.plan.bucket_span_ms);
        if !self.admits(record.time_ms, start) {
            return Acceptance::OutOfOrder;
        }
        self.move_to(record.time_ms);
        // A record without a count stands for nothing.
        let Some(weight) = self.weight(record).filter(|weight| *weight > 0.0) else { return Acceptance::Taken };
        let bucket = self.window.open.entry(start).or_default();
        bucket.event_count = bucket.event_count.saturating_add(weight as u64);
        for index in 0..self.plan.detectors.len() {
            let Some(detector) = self.plan.detectors.get(index) else { break };
            let Some((slot, measured)) = measure(index, detector, record, weight) else { continue };
            for (feature, quantity) in detector.function.quantities.iter().enumerate() {
                let mut slot = slot.clone();
                slot.series.feature = feature;
                self.add(start, slot, Measured { quantity: *quantity, ..measured }, record);
            }
        }
        Acceptance::Taken
    }

    /// Moves time on, as a record would; buckets are finished by [`Engine::finish_before`].
    ///
    /// Without effect before the first record: results begin there, whenever somebody began to look for it.
    pub(crate) fn advance(&mut self, time_ms: i64) {
        if self.window.next_start_ms.is_some() {
            self.move_to(time_ms);
        }
    }

    fn move_to(&mut self, time_ms: i64) {
        let start = floor(time_ms, self.plan.bucket_span_ms);
        let next = self.window.next_start_ms;
        self.window.next_start_ms =
            Some(if self.window.begun { next.unwrap_or(start) } else { next.unwrap_or(start).min(start) });
        self.window.latest_ms = Some(self.window.latest_ms.map_or(time_ms, |latest| latest.max(time_ms)));
    }

    /// Leaves out everything before `time_ms`: no results for it, and older records are out of order.
    pub(crate) fn skip(&mut self, time_ms: i64) {
        let start = floor(time_ms, self.plan.bucket_span_ms);
        if self.window.next_start_ms.is_some_and(|next| next >= start) {
            return;
        }
        while let Some(oldest) = self.window.open.keys().next().copied().filter(|oldest| *oldest < start) {
            self.window.take(oldest);
        }
        self.window.next_start_ms = Some(start);
        self.window.begun = true;
        self.window.latest_ms = Some(self.window.latest_ms.map_or(time_ms, |latest| latest.max(time_ms)));
    }

    /// What the open buckets look like so far. Nothing is learned; too few records are not held against a partial bucket.
    pub(crate) fn interim(&self) -> Vec<BucketOutcome> {
        let judge = self.judge();
        let partial = |(start, bucket): (&i64, &OpenBucket)| {
            let verdicts = judge.verdicts(*start, bucket, Completeness::Partial);
            judge.outcome(*start, bucket.event_count, &verdicts)
        };
        self.window.open.iter().map(partial).collect()
    }

    /// End of the newest finished bucket, milliseconds.
    pub(crate) fn finished_until_ms(&self) -> Option<i64> {
        self.window.next_start_ms.filter(|_| self.window.begun)
    }

    fn judge(&self) -> Judge<'_> {
        Judge {
            plan: &self.plan,
            models: &self.models,
            filters: &self.filters,
            events: &self.events,
            scale: &self.scale,
            finished: self.finished,
        }
    }

    fn admits(&self, time_ms: i64, start_ms: i64) -> bool {
        let Some(next) = self.window.next_start_ms else { return true };
        let latest = self.window.latest_ms.unwrap_or(i64::MIN);
        let in_time = time_ms >= floor(latest.saturating_sub(self.plan.latency_ms), self.plan.bucket_span_ms);
        start_ms >= next || (!self.window.begun && in_time)
    }

    /// How many events the record stands for; `None` if the field that says so is missing or no count.
    fn weight(&self, record: &Record<'_>) -> Option<f64> {
        let Some(field) = &self.plan.summary_count_field else { return Some(1.0) };
        record.number(field).filter(|count| *count >= 0.0 && count.fract() == 0.0)
    }

    fn add(&mut self, start_ms: i64, slot: Slot, measured: Measured, record: &Record<'_>) {
        let Some(detector) = self.plan.detectors.get(slot.series.detector) else { return };
        let cost = if detector.function.is_rare() { Models::cost_of_category } else { Models::cost };
        let model_bytes = if self.models.knows(&slot.series) { 0 } else { cost(&slot.series) };
        let room = Room { bytes: self.plan.memory_limit_bytes.saturating_sub(self.used()), model_bytes };
        let own = [&detector.by, &detector.over, &detector.partition];
        let influencers: Vec<_> = (self.plan.influencers.iter().enumerate())
            .filter(|(_, field)| !own.contains(&&Some((*field).clone())))
            .filter_map(|(index, field)| Some((index, record.text(field)?)))
            .collect();
        let influencers: Vec<(usize, &str)> = influencers.iter().map(|(index, value)| (*index, &**value)).collect();
        if !self.window.add(start_ms, slot, measured, &influencers, room) {
            self.standing.status = MemoryStatus::HardLimit;
            if !self.standing.failed_in_bucket {
                self.standing.failed_in_bucket = true;
                self.standing.allocation_failures += 1;
            }
        }
    }

    fn finish(&mut self, start_ms: i64, bucket: &OpenBucket) -> BucketOutcome {
        let judge = self.judge();
        let verdicts = judge.verdicts(start_ms, bucket, Completeness::Whole);
        let mut outcome = judge.outcome(start_ms, bucket.event_count, &verdicts);
        outcome.expected = judge.expected(start_ms, &verdicts);
        self.finished = self.finished.saturating_add(1);
        self.scale.note(depth(outcome.probability));
        for verdict in verdicts.iter().filter(|verdict| !verdict.actions.skip_model_update) {
            self.learn(verdict);
        }
        let members = bucket.slots.keys().filter(|slot| slot.over.is_some()).count() as u64;
        self.standing.over_values_max = self.standing.over_values_max.max(members);
        self.stand(start_ms);
        outcome
    }

    fn learn(&mut self, verdict: &Verdict<'_>) {
        let series = &verdict.slot.series;
        let Some(plan) = self.plan.detectors.get(series.detector) else { return };
        if plan.function.is_rare() {
            self.models.occurred(series);
        } else {
            let room = self.soft_limit().saturating_sub(self.used());
            let noise = plan.function.noise();
            if self.models.learn(series, verdict.value, verdict.moment, noise, room) {
                self.standing.status = self.standing.status.max(MemoryStatus::SoftLimit);
            }
        }
        let start_ms = verdict.moment.start_ms;
        if verdict.tally.is_some() {
            self.models.seen(series, start_ms);
        }
        let counted = matches!(plan.exclude_frequent, super::ExcludeFrequent::All | super::ExcludeFrequent::Over);
        if let Some(member) = verdict.slot.member().filter(|_| counted && series.feature == 0) {
            let fits =
                self.models.knows(&member) || self.used() + Models::cost_of_category(&member) <= self.soft_limit();
            if fits {
                self.models.occurred(&member);
                self.models.seen(&member, start_ms);
            }
        }
    }
}

fn measure(index: usize, plan: &DetectorPlan, record: &Record<'_>, weight: f64) -> Option<(Slot, Measured)> {
    let text = |field: &Option<String>| match field {
        Some(field) => record.text(field).map(|value| Some(value.into_owned())),
        None => Some(None),
    };
    let split = |field: &Option<String>| text(field).or_else(|| plan.use_null.then(|| Some(String::new())));
    let quantity = *plan.function.quantities.first()?;
    let (value, hash) = match &plan.field {
        Some(field) if quantity == Quantity::Distinct => (0.0, hash(&record.text(field)?)),
        Some(field) => (record.number(field)?, 0),
        None => (0.0, 0),
    };
    let series = SeriesKey { detector: index, feature: 0, partition: split(&plan.partition)?, by: split(&plan.by)? };
    let slot = Slot { series, over: text(&plan.over)? };
    Some((slot, Measured { quantity, value, hash, weight }))
}

/// The start of the bucket that holds a time; times before 1970 too.
pub(crate) fn floor(time_ms: i64, span_ms: i64) -> i64 {
    time_ms.saturating_sub(time_ms.rem_euclid(span_ms.max(1)))
}
