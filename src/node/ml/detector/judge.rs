//! What models, rules and events say of the values of a bucket, and the results that follow.

use std::collections::BTreeMap;

use super::filter::Filters;
use super::function::Side;
use super::influences::Influences;
use super::model::Judgement;
use super::outcome::{BucketOutcome, RecordOutcome};
use super::rarity::Rarity;
use super::rule::{Actions, Rule, ScheduledEvent, Subject};
use super::score::{self, SIGNIFICANT, Scale, depth, least_of};
use super::series::{Models, SeriesKey};
use super::track::{Moment, Noise};
use super::window::{OpenBucket, Slot, Tally};
use super::{DetectorPlan, ExcludeFrequent, Plan};

/// Records kept of one bucket, the most unusual first.
const RECORDS_MAX: usize = 500;
/// How much of a record's depth an influencer value must be the reason of.
const INFLUENCE_MIN: f64 = 0.5;
/// What occurs in more than one of so many buckets is frequent.
const FREQUENT: u64 = 10;

/// Whether all records of a bucket can be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completeness {
    Whole,
    Partial,
}

/// Everything that a bucket is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) models: &'a Models,
    pub(crate) filters: &'a Filters,
    pub(crate) events: &'a [ScheduledEvent],
    pub(crate) scale: &'a Scale,
    /// Buckets that have been learned.
    pub(crate) finished: u64,
}

/// What is said of one value of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Verdict<'a> {
    pub(crate) slot: Slot,
    pub(crate) value: f64,
    /// `None` for the zero of a series that had no record.
    pub(crate) tally: Option<&'a Tally>,
    pub(crate) actions: Actions,
    pub(crate) moment: Moment,
    /// `None` while too little is known.
    finding: Option<Finding>,
}

#[derive(Clone, Copy, Debug)]
struct Finding {
    typical: f64,
    probability: f64,
    /// `None` for what is rare.
    judgement: Option<Judgement>,
}

impl Verdict<'_> {
    /// Rarity is bounded by the number of buckets, so its depth counts twice.
    fn depth(&self, plan: &DetectorPlan) -> Option<f64> {
        let weight = if plan.function.is_rare() { 2.0 } else { 1.0 };
        Some(weight * depth(self.finding?.probability))
    }
}

impl<'a> Judge<'a> {
    pub(crate) fn verdicts<'b>(
        &self,
        start_ms: i64,
        bucket: &'b OpenBucket,
        completeness: Completeness,
    ) -> Vec<Verdict<'b>> {
        let scheduled = self.covering(start_ms).fold(Actions::default(), |actions, event| actions.and(event.actions));
        let values = self.values(bucket, completeness);
        let mut members: BTreeMap<SeriesKey, u64> = BTreeMap::new();
        let mut rarities: BTreeMap<(usize, Option<String>), Rarity> = BTreeMap::new();
        for (slot, ..) in &values {
            if slot.over.is_some() {
                *members.entry(slot.series.clone()).or_default() += 1;
            }
            if self.plan.detectors.get(slot.series.detector).is_some_and(|plan| plan.function.is_rare()) {
                let key = (slot.series.detector, slot.series.partition.clone());
                rarities
                    .entry(key)
                    .or_insert_with_key(|(detector, partition)| self.models.rarity(*detector, partition.as_ref()));
            }
        }
        let verdict = |(slot, value, tally): (Slot, f64, Option<&'b Tally>)| {
            let plan = self.plan.detectors.get(slot.series.detector)?;
            let share = members.get(&slot.series).map_or(1.0, |members| 1.0 / *members as f64);
            let moment = Moment { start_ms, span_ms: self.plan.bucket_span_ms, share };
            let finding = match rarities.get(&(slot.series.detector, slot.series.partition.clone())) {
                Some(rarity) if plan.function.is_rare() => Some(self.rare(&slot, rarity)),
                _ => self.unusual(plan, &slot, moment, value, completeness),
            };
            let actions = scheduled.and(self.ruled(plan, &slot, moment, value, finding));
            Some(Verdict { slot, value, tally, actions, moment, finding })
        };
        values.into_iter().filter_map(verdict).collect()
    }

    /// The results of a bucket.
    pub(crate) fn outcome(&self, start_ms: i64, event_count: u64, verdicts: &[Verdict<'_>]) -> BucketOutcome {
        let mut deepest = 0.0_f64;
        let mut tests = 0;
        let mut unusual: Vec<(f64, &Verdict<'_>)> = Vec::new();
        for verdict in verdicts.iter().filter(|verdict| !verdict.actions.skip_result) {
            let plan = self.plan.detectors.get(verdict.slot.series.detector);
            let Some(depth) = plan.and_then(|plan| verdict.depth(plan)) else { continue };
            tests += 1;
            deepest = deepest.max(depth);
            if verdict.finding.is_some_and(|finding| finding.probability < SIGNIFICANT) {
                unusual.push((depth, verdict));
            }
        }
        unusual.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        unusual.truncate(RECORDS_MAX);
        let probability = least_of(score::probability(deepest), tests);
        let mut influences = Influences::default();
        let records: Vec<RecordOutcome> =
            unusual.iter().filter_map(|(depth, verdict)| self.record(*depth, verdict, &mut influences)).collect();
        let (influencers, influencer_fields) = influences.outcomes(self.scale);
        BucketOutcome {
            start_ms,
            event_count,
            score: self.scale.score(depth(probability)),
            probability,
            records,
            influencers,
            influencer_fields,
            scheduled_events: self.covering(start_ms).map(|event| event.description.clone()).collect(),
            expected: Vec::new(),
        }
    }

    fn covering(&self, start_ms: i64) -> impl Iterator<Item = &'a ScheduledEvent> {
        let span_ms = self.plan.bucket_span_ms;
        self.events.iter().filter(move |event| event.covers(start_ms, span_ms))
    }

    /// The values of a bucket: of every slot, and zero for series that were absent where absence means zero.
    fn values<'b>(&self, bucket: &'b OpenBucket, completeness: Completeness) -> Vec<(Slot, f64, Option<&'b Tally>)> {
        let present = bucket.slots.iter();
        let mut values: Vec<(Slot, f64, Option<&Tally>)> =
            present.filter_map(|(slot, tally)| Some((slot.clone(), tally.aggregate.value()?, Some(tally)))).collect();
        if completeness == Completeness::Whole {
            for series in self.models.keys() {
                let plan = self.plan.detectors.get(series.detector);
                let zero = plan.is_some_and(|plan| plan.function.absence_is_zero() && plan.over.is_none());
                let slot = Slot { series: series.clone(), over: None };
                if zero && !bucket.slots.contains_key(&slot) {
                    values.push((slot, 0.0, None));
                }
            }
        }
        values
    }

    fn unusual(
        &self,
        plan: &DetectorPlan,
        slot: &Slot,
        moment: Moment,
        value: f64,
        completeness: Completeness,
    ) -> Option<Finding> {
        let judgement = self.models.model(&slot.series)?.judge(moment, value, plan.function.noise())?;
        let probability = side(plan, completeness).map_or(1.0, |side| judgement.probability(side));
        Some(Finding { typical: judgement.typical, probability, judgement: Some(judgement) })
    }

    fn rare(&self, slot: &Slot, rarity: &Rarity) -> Finding {
        let count = self.models.occurrences(&slot.series);
        let typical = count as f64 / self.finished.max(1) as f64;
        Finding { typical, probability: rarity.probability(count), judgement: None }
    }

    fn ruled(&self, plan: &DetectorPlan, slot: &Slot, moment: Moment, value: f64, finding: Option<Finding>) -> Actions {
        let subject = Subject {
            by: slot.series.by.as_deref(),
            over: slot.over.as_deref(),
            partition: slot.series.partition.as_deref(),
            start_ms: moment.start_ms,
            actual: value,
            typical: finding.map(|finding| finding.typical),
        };
        let frequent = Actions { skip_result: self.is_frequent(plan, slot), skip_model_update: false };
        frequent.and(Rule::actions(&plan.rules, &subject, self.filters))
    }

    fn is_frequent(&self, plan: &DetectorPlan, slot: &Slot) -> bool {
        let often = |key: &SeriesKey| self.models.buckets_with(key).saturating_mul(FREQUENT) > self.finished;
        let exclude = plan.exclude_frequent;
        let by = matches!(exclude, ExcludeFrequent::All | ExcludeFrequent::By) && slot.series.by.is_some();
        let over = matches!(exclude, ExcludeFrequent::All | ExcludeFrequent::Over);
        self.finished >= FREQUENT && (by && often(&slot.series) || over && slot.member().is_some_and(|key| often(&key)))
    }

    fn record(&self, depth: f64, verdict: &Verdict<'_>, influences: &mut Influences) -> Option<RecordOutcome> {
        let plan = self.plan.detectors.get(verdict.slot.series.detector)?;
        let finding = verdict.finding?;
        let mut influencers = Vec::new();
        for (field, value, strength) in self.influencers(plan, verdict, &finding) {
            influences.add(field, value, depth * strength);
            influencers.push((field.to_owned(), value.to_owned()));
        }
        let Slot { series, over } = verdict.slot.clone();
        Some(RecordOutcome {
            detector: series.detector,
            feature: series.feature,
            partition: series.partition,
            by: series.by,
            over,
            probability: finding.probability,
            score: self.scale.score(depth),
            typical: finding.typical,
            actual: verdict.value,
            influencers,
        })
    }

    /// Field, value and strength (0 to 1) of each influencer of a record.
    fn influencers<'v>(
        &self,
        plan: &'v DetectorPlan,
        verdict: &'v Verdict<'_>,
        finding: &Finding,
    ) -> Vec<(&'v str, &'v str, f64)>
    where
        'a: 'v,
    {
        let series = &verdict.slot.series;
        let split = [(&plan.by, &series.by), (&plan.over, &verdict.slot.over), (&plan.partition, &series.partition)];
        let mut found: Vec<(&str, &str, f64)> = split
            .into_iter()
            .filter_map(|(field, value)| Some((field.as_deref()?, value.as_deref()?, 1.0)))
            .filter(|(field, ..)| self.plan.influencers.iter().any(|influencer| influencer == field))
            .collect();
        let Some(tally) = verdict.tally else { return found };
        for share in &tally.shares {
            let Some(field) = self.plan.influencers.get(share.influencer) else { continue };
            let counts = plan.function.noise() == Noise::Count;
            let strength = match (share.without(&tally.aggregate, counts), finding.judgement) {
                (Some(rest), Some(whole)) => self.explained(plan, verdict, rest, whole),
                _ => share.part(&tally.aggregate, tally.events),
            };
            if strength >= INFLUENCE_MIN {
                found.push((field, &share.value, strength));
            }
        }
        found
    }

    /// How much of the depth goes away when the value is `rest` instead.
    fn explained(&self, plan: &DetectorPlan, verdict: &Verdict<'_>, rest: f64, whole: Judgement) -> f64 {
        let side = if whole.is_high() { Side::High } else { Side::Low };
        let model = self.models.model(&verdict.slot.series);
        let Some(without) = model.and_then(|model| model.judge(verdict.moment, rest, plan.function.noise())) else {
            return 0.0;
        };
        let (all, left) = (depth(whole.probability(side)), depth(without.probability(side)));
        if all > 0.0 { (1.0 - left / all).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// In a partial bucket a total can still grow, so only what is too much already says anything.
fn side(plan: &DetectorPlan, completeness: Completeness) -> Option<Side> {
    let side = plan.function.side;
    if completeness == Completeness::Whole || !plan.function.grows() {
        return Some(side);
    }
    (side != Side::Low).then_some(Side::High)
}
