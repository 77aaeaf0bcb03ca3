pub(crate) mod data;
mod forecast;
mod functions;
mod quality;
mod rules;
pub(crate) mod trial;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const SPAN: i64 = 60_000;

fn plan(functions: &[(&str, Option<&str>)]) -> Plan {
    let detectors = functions
        .iter()
        .map(|(name, field)| DetectorPlan {
            function: Function::parse(name).unwrap(),
            field: field.map(str::to_owned),
            by: None,
            over: None,
            partition: None,
            rules: Vec::new(),
            exclude_frequent: ExcludeFrequent::None,
            use_null: false,
        })
        .collect();
    Plan {
        bucket_span_ms: SPAN,
        latency_ms: 0,
        detectors,
        influencers: Vec::new(),
        summary_count_field: None,
        memory_limit_bytes: 1 << 20,
        prune_after_ms: 30 * 86_400_000,
        plot: Plot::default(),
    }
}

/// A seeded generator of roughly normal noise: the sum of twelve uniform values (SplitMix64).
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

fn feed(engine: &mut Engine, time_ms: i64, fields: &Value) -> Vec<BucketOutcome> {
    let fields: &Map<String, Value> = fields.as_object().unwrap();
    let mut finished = Vec::new();
    while let Some(bucket) = engine.finish_before(time_ms) {
        finished.push(bucket);
    }
    engine.accept(&Record { time_ms, fields });
    finished
}

/// 400 buckets of noise around 100 with one value of 160 in bucket 300.
fn spike(function: &str, at: f64) -> Vec<BucketOutcome> {
    let mut engine = Engine::new(plan(&[(function, Some("value"))]));
    let mut noise = Noise(7);
    let mut finished = Vec::new();
    for minute in 0..400 {
        let value = if minute == 300 { at } else { 100.0 + 5.0 * noise.normal() };
        finished.extend(feed(&mut engine, minute * SPAN, &json!({"value": value})));
    }
    finished
}

#[test]
fn spike_scores_high_and_normal_data_low() {
    for function in ["mean", "max", "min", "median", "sum", "high_mean"] {
        let buckets = spike(function, 200.0);
        assert!(buckets[300].score > 75.0, "{function} {}", buckets[300].score);
        let quiet = buckets.iter().filter(|bucket| bucket.score > 25.0).count();
        assert_eq!(quiet, 1, "{function}: nothing else is called unusual");
        let record = &buckets[300].records[0];
        assert!((record.actual - 200.0).abs() < 1e-9 && (record.typical - 100.0).abs() < 5.0);
    }
}

#[test]
fn low_function_does_not_see_a_high_spike() {
    assert!(spike("low_mean", 200.0)[300].score < 1.0);
    assert!(spike("low_mean", 20.0)[300].score > 75.0);
}

#[test]
fn count_sees_a_drop_to_nothing() {
    let mut engine = Engine::new(plan(&[("count", None)]));
    let mut noise = Noise(3);
    let mut finished = Vec::new();
    for minute in 0..200 {
        if minute == 150 {
            continue;
        }
        for _ in 0..(100 + (5.0 * noise.normal()) as i64) {
            finished.extend(feed(&mut engine, minute * SPAN, &json!({})));
        }
    }
    assert_eq!(finished[150].event_count, 0);
    assert!(finished[150].score > 50.0, "{}", finished[150].score);
    assert_eq!(finished.iter().filter(|bucket| bucket.score > 25.0).count(), 1);
}

#[test]
fn level_shift_is_unusual_and_then_usual() {
    let mut engine = Engine::new(plan(&[("mean", Some("value"))]));
    let mut noise = Noise(11);
    let mut finished = Vec::new();
    for minute in 0..1500 {
        let level = if minute < 300 { 100.0 } else { 150.0 };
        finished.extend(feed(&mut engine, minute * SPAN, &json!({"value": level + 5.0 * noise.normal()})));
    }
    assert!(finished[300].score > 40.0);
    assert!(finished[1400..].iter().all(|bucket| bucket.score < 25.0));
}

#[test]
fn population_member_unlike_the_others_is_named() {
    let mut plan = plan(&[("high_count", None)]);
    plan.detectors[0].over = Some("user".to_owned());
    plan.influencers = vec!["user".to_owned()];
    let mut engine = Engine::new(plan);
    let mut finished = Vec::new();
    for minute in 0..50 {
        for user in 0..20 {
            let events = if minute == 40 && user == 13 { 400 } else { 10 + (user + minute) % 5 };
            for _ in 0..events {
                finished.extend(feed(&mut engine, minute * SPAN, &json!({"user": format!("u{user}")})));
            }
        }
    }
    assert_eq!(finished[40].records.len(), 1);
    assert_eq!(finished[40].records[0].over.as_deref(), Some("u13"));
    assert_eq!(finished[40].influencers[0].value, "u13");
}

#[test]
fn partitions_are_judged_apart_and_absent_ones_count_as_zero() {
    let mut plan = plan(&[("low_count", None)]);
    plan.detectors[0].partition = Some("host".to_owned());
    let mut engine = Engine::new(plan);
    let mut finished = Vec::new();
    for minute in 0..100 {
        for _ in 0..200 {
            finished.extend(feed(&mut engine, minute * SPAN, &json!({"host": "a"})));
            if minute != 90 {
                finished.extend(feed(&mut engine, minute * SPAN, &json!({"host": "b"})));
            }
        }
    }
    let records = &finished[90].records;
    assert_eq!((records.len(), records[0].partition.as_deref()), (1, Some("b")));
}

#[test]
fn records_of_finished_buckets_are_out_of_order_and_latency_keeps_buckets_open() {
    let fields = Map::new();
    let record = |time_ms| Record { time_ms, fields: &fields };
    let mut strict = Engine::new(plan(&[("count", None)]));
    assert!(matches!(strict.accept(&record(10 * SPAN)), Acceptance::Taken));
    assert_eq!(strict.finish_before(11 * SPAN).map(|bucket| bucket.start_ms), Some(10 * SPAN));
    assert_eq!(strict.finish_before(11 * SPAN), None);
    strict.accept(&record(11 * SPAN));
    assert_eq!(strict.accept(&record(11 * SPAN - 1)), Acceptance::OutOfOrder);
    let mut patient = Engine::new(Plan { latency_ms: 2 * SPAN, ..plan(&[("count", None)]) });
    patient.accept(&record(10 * SPAN));
    assert_eq!(patient.finish_before(12 * SPAN), None);
    patient.accept(&record(12 * SPAN));
    assert!(matches!(patient.accept(&record(10 * SPAN)), Acceptance::Taken));
    let bucket = patient.finish_before(13 * SPAN).unwrap();
    assert_eq!((bucket.start_ms, bucket.event_count), (10 * SPAN, 2));
}

#[test]
fn summary_count_weighs_records() {
    let summed = Plan { summary_count_field: Some("n".to_owned()), ..plan(&[("count", None)]) };
    let mut engine = Engine::new(summed);
    feed(&mut engine, 0, &json!({"n": 40}));
    feed(&mut engine, 1, &json!({"n": 2}));
    feed(&mut engine, 2, &json!({"n": -1}));
    assert_eq!(engine.finish_before(SPAN).unwrap().event_count, 42);
}

#[test]
fn restored_engine_goes_on_as_if_never_stopped() {
    let fields =
        [("mean", Some("value")), ("count", None), ("dc", Some("user")), ("rare", None), ("metric", Some("value"))];
    let mut plan = plan(&fields);
    plan.detectors[3].by = Some("user".to_owned());
    plan.influencers = vec!["user".to_owned()];
    plan.bucket_span_ms = 3_600_000;
    let mut whole = Engine::new(plan.clone());
    let mut parts = Engine::new(plan.clone());
    let mut noise = Noise(5);
    for step in 0..3000 {
        let fields = json!({"value": noise.normal(), "user": (noise.uniform() * 40.0).floor()});
        let time_ms = step * plan.bucket_span_ms / 7;
        assert_eq!(feed(&mut whole, time_ms, &fields), feed(&mut parts, time_ms, &fields));
        if step % 150 == 50 {
            let learned = serde_json::from_str(&serde_json::to_string(&parts.learned()).unwrap()).unwrap();
            let unfinished = serde_json::from_str(&serde_json::to_string(&parts.unfinished()).unwrap()).unwrap();
            parts = Engine::restore(plan.clone(), learned, unfinished);
        }
    }
    let stored = |engine: &Engine| serde_json::to_string(&engine.learned()).unwrap();
    assert_eq!(stored(&whole), stored(&parts));
}

#[test]
fn memory_limit_stops_new_series_only() {
    let mut limited = plan(&[("count", None)]);
    limited.detectors[0].partition = Some("host".to_owned());
    limited.memory_limit_bytes = 20_000;
    let mut engine = Engine::new(limited);
    for minute in 0..50 {
        for host in 0..200 {
            feed(&mut engine, minute * SPAN, &json!({"host": format!("host-{minute}-{host}")}));
        }
    }
    let size = engine.size();
    assert_eq!(size.status, MemoryStatus::HardLimit);
    assert!(size.bytes <= 20_000 && size.allocation_failures > 0 && size.partition_values > 0);
}

#[test]
fn far_jump_in_time_is_skipped() {
    let mut engine = Engine::new(plan(&[("count", None)]));
    feed(&mut engine, 0, &json!({}));
    let finished = feed(&mut engine, 4_000_000_000_000, &json!({}));
    assert!(finished.len() <= 2);
}

#[test]
fn interim_results_learn_nothing() {
    let mut engine = Engine::new(plan(&[("high_count", None)]));
    for minute in 0..60 {
        for _ in 0..if minute == 59 { 500 } else { 20 } {
            feed(&mut engine, minute * SPAN, &json!({}));
        }
    }
    let interim = engine.interim();
    assert_eq!((interim.len(), interim[0].start_ms), (1, 59 * SPAN));
    assert!(interim[0].score > 75.0);
    assert_eq!(engine.finish_before(60 * SPAN), Some(interim[0].clone()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn scores_stay_in_range_and_memory_within_its_limit_whatever_comes(
        steps in prop::collection::vec((0_i64..4_000_000, prop::num::f64::ANY, 0_u8..6), 1..300),
        function in prop::sample::select(vec![
            "mean", "sum", "min", "max", "median", "count", "high_sum", "low_mean", "varp", "dc", "metric", "rare",
        ]),
        over in prop::option::of(Just("member")),
    ) {
        let field = Function::parse(function).unwrap().needs_field().then_some("value");
        let mut plan = plan(&[(function, field)]);
        plan.detectors[0].by = Some("by".to_owned());
        plan.detectors[0].over = over.map(str::to_owned);
        plan.detectors[0].exclude_frequent = ExcludeFrequent::All;
        plan.influencers = vec!["by".to_owned(), "extra".to_owned()];
        plan.memory_limit_bytes = 20_000;
        let mut engine = Engine::new(plan);
        let mut now = 0;
        for (step, value, by) in steps {
            now += step;
            let fields = json!({"value": value, "by": by.to_string(), "member": step % 5, "extra": step.to_string()});
            for bucket in feed(&mut engine, now, &fields) {
                prop_assert!((0.0..=100.0).contains(&bucket.score));
                prop_assert!(bucket.probability > 0.0 && bucket.probability <= 1.0);
                for record in &bucket.records {
                    prop_assert!((0.0..=100.0).contains(&record.score) && record.probability > 0.0);
                    prop_assert!(record.actual.is_finite() && record.typical.is_finite());
                }
                prop_assert!(bucket.records.is_sorted_by(|left, right| left.score >= right.score));
                for influencer in &bucket.influencers {
                    prop_assert!((0.0..=100.0).contains(&influencer.score) && influencer.probability > 0.0);
                }
            }
            prop_assert!(engine.size().bytes <= 20_000);
        }
    }
}
