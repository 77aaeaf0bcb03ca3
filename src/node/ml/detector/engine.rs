//! Takes records, finishes buckets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::filter::Filters;
use super::outcome::{BucketOutcome, InfluencerOutcome, RecordOutcome};
use super::record::Record;
use super::rule::{Actions, Rule, ScheduledEvent, Subject};
use super::running::Judgement;
use super::score::{SIGNIFICANT, least_of, score};
use super::series::{MemoryStatus, ModelSize, Models, SeriesKey};
use super::window::{Measured, OpenBucket, Slot, Window};
use super::{DetectorPlan, Plan};
use crate::node::ml::detector::function::Side;

/// A longer run of empty buckets is skipped instead of being finished one by one: a stray time stamp costs no hours.
const GAP_BUCKETS_MAX: i64 = 10_000;
/// Records and influencers kept of one bucket, the most unusual first.
const RECORDS_MAX: usize = 500;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    /// Counted; `missing_fields` of the detectors' fields were not in it.
    Taken { missing_fields: u64 },
    /// Older than the latest finished bucket: not counted.
    OutOfOrder,
}

/// The detector of one open job.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    plan: Plan,
    models: Models,
    window: Window,
    standing: Standing,
    filters: Filters,
    events: Vec<ScheduledEvent>,
}

/// What is counted for `model_size_stats`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Standing {
    status: MemoryStatus,
    allocation_failures: u64,
    failed_in_bucket: bool,
    over_values_max: u64,
}

/// What has been learned: written when a bucket was finished, and kept in model snapshots.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Learned {
    models: Models,
}

/// What is not finished: written with every batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    window: Window,
    standing: Standing,
}

impl Engine {
    pub(crate) fn new(plan: Plan) -> Self {
        Self::restore(plan, Learned::default(), Unfinished::default())
    }

    /// Without filters and events: they are not part of the state.
    pub(crate) fn restore(plan: Plan, learned: Learned, unfinished: Unfinished) -> Self {
        let Unfinished { window, standing } = unfinished;
        Self { plan, models: learned.models, window, standing, filters: Filters::new(), events: Vec::new() }
    }

    /// The filters that custom rules refer to, from the next bucket on.
    pub(crate) fn set_filters(&mut self, filters: Filters) {
        self.filters = filters;
    }

    /// The events of the job's calendars, from the next bucket on.
    pub(crate) fn set_events(&mut self, events: Vec<ScheduledEvent>) {
        self.events = events;
    }

    pub(crate) fn learned(&self) -> Learned {
        Learned { models: self.models.clone() }
    }

    pub(crate) fn unfinished(&self) -> Unfinished {
        Unfinished { window: self.window.clone(), standing: self.standing.clone() }
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
        let Some(weight) = self.weight(record) else { return Acceptance::Taken { missing_fields: 1 } };
        if weight <= 0.0 {
            return Acceptance::Taken { missing_fields: 0 };
        }
        let bucket = self.window.open.entry(start).or_default();
        bucket.event_count = bucket.event_count.saturating_add(weight as u64);
        let mut missing_fields = 0;
        for index in 0..self.plan.detectors.len() {
            let Some(detector) = self.plan.detectors.get(index) else { break };
            match measure(index, detector, record, weight) {
                Some((slot, measured)) => self.add(start, slot, measured),
                None => missing_fields += 1,
            }
        }
        Acceptance::Taken { missing_fields }
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
        let partial = |(start, bucket): (&i64, &OpenBucket)| {
            self.outcome(*start, bucket.event_count, &self.verdicts(*start, bucket, Completeness::Partial))
        };
        self.window.open.iter().map(partial).collect()
    }

    /// End of the newest finished bucket, milliseconds.
    pub(crate) fn finished_until_ms(&self) -> Option<i64> {
        self.window.next_start_ms.filter(|_| self.window.begun)
    }

    pub(crate) fn size(&self) -> ModelSize {
        let distinct = |pick: fn(&SeriesKey) -> Option<&String>| {
            self.models.keys().filter_map(|key| Some((key.detector, pick(key)?))).collect::<BTreeSet<_>>().len() as u64
        };
        ModelSize {
            bytes: self.models.bytes() + self.window.bytes(),
            memory_limit_bytes: self.plan.memory_limit_bytes,
            by_values: distinct(|key| key.by.as_ref()),
            over_values: self.standing.over_values_max,
            partition_values: distinct(|key| key.partition.as_ref()),
            allocation_failures: self.standing.allocation_failures,
            status: self.standing.status,
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

    fn add(&mut self, start_ms: i64, slot: Slot, measured: Measured) {
        let used = self.models.bytes() + self.window.bytes();
        let model = if self.models.knows(&slot.series) { 0 } else { Models::cost(&slot.series) };
        let room = self.plan.memory_limit_bytes.saturating_sub(used);
        if !self.window.add(start_ms, slot, measured, room, model) {
            self.standing.status = MemoryStatus::HardLimit;
            if !self.standing.failed_in_bucket {
                self.standing.failed_in_bucket = true;
                self.standing.allocation_failures += 1;
            }
        }
    }

    fn finish(&mut self, start_ms: i64, bucket: &OpenBucket) -> BucketOutcome {
        let verdicts = self.verdicts(start_ms, bucket, Completeness::Whole);
        let outcome = self.outcome(start_ms, bucket.event_count, &verdicts);
        for verdict in verdicts.iter().filter(|verdict| !verdict.actions.skip_model_update) {
            let counts = self.plan.detectors.get(verdict.slot.series.detector).is_some_and(counts);
            self.models.model_mut(&verdict.slot.series).learn(verdict.value, counts);
        }
        let members = bucket.slots.keys().filter(|slot| slot.over.is_some()).count() as u64;
        self.standing.over_values_max = self.standing.over_values_max.max(members);
        self.standing.failed_in_bucket = false;
        outcome
    }

    /// The values of a bucket: of every slot, and zero for series that were absent where absence means zero.
    fn values(&self, bucket: &OpenBucket, completeness: Completeness) -> Vec<(Slot, f64)> {
        let mut values: Vec<(Slot, f64)> =
            bucket.slots.iter().filter_map(|(slot, sum)| Some((slot.clone(), sum.value()?))).collect();
        if completeness == Completeness::Whole {
            for series in self.models.keys() {
                let plan = self.plan.detectors.get(series.detector);
                let zero = plan.is_some_and(|plan| plan.function.absence_is_zero() && plan.over.is_none());
                let slot = Slot { series: series.clone(), over: None };
                if zero && !bucket.slots.contains_key(&slot) {
                    values.push((slot, 0.0));
                }
            }
        }
        values
    }

    /// What the models and the rules say of every value of a bucket.
    fn verdicts(&self, start_ms: i64, bucket: &OpenBucket, completeness: Completeness) -> Vec<Verdict> {
        let scheduled = self.covering(start_ms).fold(Actions::default(), |actions, event| actions.and(event.actions));
        let verdict = |(slot, value): (Slot, f64)| {
            let plan = self.plan.detectors.get(slot.series.detector)?;
            let model = self.models.model(&slot.series);
            let known = model.and_then(|model| model.judge(value, plan.function.side, counts(plan)));
            let subject = Subject {
                by: slot.series.by.as_deref(),
                over: slot.over.as_deref(),
                partition: slot.series.partition.as_deref(),
                start_ms,
                actual: value,
                typical: known.map(|judgement| judgement.typical),
            };
            let actions = scheduled.and(Rule::actions(&plan.rules, &subject, &self.filters));
            // A partial bucket can be looked at from another side than a whole one.
            let side = side(plan, completeness);
            let judgement = side.and_then(|side| model.and_then(|model| model.judge(value, side, counts(plan))));
            Some(Verdict { slot, value, judgement, actions })
        };
        self.values(bucket, completeness).into_iter().filter_map(verdict).collect()
    }

    fn covering(&self, start_ms: i64) -> impl Iterator<Item = &ScheduledEvent> {
        self.events.iter().filter(move |event| event.covers(start_ms, self.plan.bucket_span_ms))
    }

    fn outcome(&self, start_ms: i64, event_count: u64, verdicts: &[Verdict]) -> BucketOutcome {
        let reported = verdicts.iter().filter(|verdict| !verdict.actions.skip_result);
        let judged: Vec<(&Verdict, Judgement)> =
            reported.filter_map(|verdict| Some((verdict, verdict.judgement?))).collect();
        let least = judged.iter().fold(1.0_f64, |least, (_, judgement)| least.min(judgement.probability));
        let significant = judged.iter().filter(|(_, judgement)| judgement.probability < SIGNIFICANT);
        let mut records: Vec<RecordOutcome> =
            significant.map(|(verdict, judgement)| record(verdict, judgement)).collect();
        records.sort_by(|left, right| left.probability.total_cmp(&right.probability));
        records.truncate(RECORDS_MAX);
        let probability = least_of(least, judged.len() as u64);
        BucketOutcome {
            start_ms,
            event_count,
            score: score(probability),
            probability,
            influencers: self.influencers(&records),
            records,
            scheduled_events: self.covering(start_ms).map(|event| event.description.clone()).collect(),
        }
    }

    /// Each influencer field's values among the records, with the least probability of each.
    fn influencers(&self, records: &[RecordOutcome]) -> Vec<InfluencerOutcome> {
        let mut found: Vec<InfluencerOutcome> = Vec::new();
        for record in records {
            let Some(plan) = self.plan.detectors.get(record.detector) else { continue };
            for (field, value) in
                [(&plan.by, &record.by), (&plan.over, &record.over), (&plan.partition, &record.partition)]
            {
                let (Some(field), Some(value)) = (field, value) else { continue };
                let known = found.iter().any(|other| other.field == *field && other.value == *value);
                if self.plan.influencers.contains(field) && !known {
                    let (probability, score) = (record.probability, record.score);
                    found.push(InfluencerOutcome { field: field.clone(), value: value.clone(), probability, score });
                }
            }
        }
        found
    }
}

/// What is said of one value of a bucket.
#[derive(Clone, Debug)]
struct Verdict {
    slot: Slot,
    value: f64,
    /// `None` while too little is known.
    judgement: Option<Judgement>,
    actions: Actions,
}

fn record(verdict: &Verdict, judgement: &Judgement) -> RecordOutcome {
    let Slot { series, over } = verdict.slot.clone();
    RecordOutcome {
        detector: series.detector,
        partition: series.partition,
        by: series.by,
        over,
        probability: judgement.probability,
        score: score(judgement.probability),
        typical: judgement.typical,
        actual: verdict.value,
    }
}

/// Whether all records of a bucket can be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Completeness {
    Whole,
    Partial,
}

fn counts(plan: &DetectorPlan) -> bool {
    plan.function.counts_events()
}

/// In a partial bucket a total can still grow, so only what is too much already says anything.
fn side(plan: &DetectorPlan, completeness: Completeness) -> Option<Side> {
    let side = plan.function.side;
    if completeness == Completeness::Whole || !plan.function.grows() {
        return Some(side);
    }
    (side != Side::Low).then_some(Side::High)
}

fn measure(index: usize, plan: &DetectorPlan, record: &Record<'_>, weight: f64) -> Option<(Slot, Measured)> {
    let text = |field: &Option<String>| match field {
        Some(field) => record.text(field).map(|value| Some(value.into_owned())),
        None => Some(None),
    };
    let value = match &plan.field {
        Some(field) => record.number(field)?,
        None => 0.0,
    };
    let series = SeriesKey { detector: index, partition: text(&plan.partition)?, by: text(&plan.by)? };
    let slot = Slot { series, over: text(&plan.over)? };
    Some((slot, Measured { quantity: plan.function.quantity, value, weight }))
}

/// The start of the bucket that holds a time; times before 1970 too.
pub(crate) fn floor(time_ms: i64, span_ms: i64) -> i64 {
    time_ms.saturating_sub(time_ms.rem_euclid(span_ms.max(1)))
}
