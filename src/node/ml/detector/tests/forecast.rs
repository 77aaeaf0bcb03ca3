use super::data::Random;
use super::*;

const QUARTER_MS: i64 = 900_000;
const DAY: i64 = 96;

/// A day's wave on a line that rises by 0.05 a bucket, and noise with a deviation of 4.
fn wave(bucket: i64, random: &mut Random) -> f64 {
    let phase = (bucket % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
    300.0 + 0.05 * bucket as f64 + 60.0 * phase.sin() + 4.0 * random.normal()
}

fn learned(buckets: i64, mut value: impl FnMut(i64) -> f64) -> Engine {
    let mut engine = Engine::new(Plan { bucket_span_ms: QUARTER_MS, ..plan(&[("mean", Some("value"))]) });
    for bucket in 0..buckets {
        feed(&mut engine, bucket * QUARTER_MS, &json!({"value": value(bucket)}));
    }
    while engine.finish_before(buckets * QUARTER_MS).is_some() {}
    engine
}

fn foreseen(engine: &Engine, buckets: u64) -> Vec<ExpectedValue> {
    let outlook = engine.outlook().unwrap();
    let of = |key| (0..buckets).filter_map(move |ahead| engine.foresee(key, outlook.start_ms, ahead));
    outlook.series.iter().flat_map(of).collect()
}

#[test]
fn a_day_that_comes_lies_within_its_bounds() {
    let (mut inside, mut all, mut width) = (0, 0, 0.0);
    for seed in 0..10 {
        let mut random = Random(seed);
        let engine = learned(14 * DAY, |bucket| wave(bucket, &mut random));
        for value in foreseen(&engine, DAY as u64) {
            let came = wave(value.start_ms / QUARTER_MS, &mut random);
            inside += u32::from((value.bounds.lower..=value.bounds.upper).contains(&came));
            width += value.bounds.upper - value.bounds.lower;
            all += 1;
        }
    }
    let (share, width) = (f64::from(inside) / f64::from(all), width / f64::from(all));
    assert_eq!(all, 10 * DAY as u32);
    assert!((0.9..=1.0).contains(&share), "{share} of the values, the bounds promise 0.95");
    assert!((15.0..30.0).contains(&width), "{width} between the bounds, the noise alone has 15.7");
}

#[test]
fn the_further_ahead_the_wider_and_never_without_bounds() {
    let mut random = Random(3);
    let engine = learned(2 * DAY, |_| 100.0 + random.normal());
    let values = foreseen(&engine, 400_000);
    assert_eq!(values[0].start_ms, 2 * DAY * QUARTER_MS);
    let width = |value: &ExpectedValue| value.bounds.upper - value.bounds.lower;
    assert!(values.is_sorted_by(|near, far| width(near) <= width(far) + 1e-9));
    assert!(values.iter().all(|value| value.bounds.lower.is_finite() && value.bounds.upper.is_finite()));
}

#[test]
fn what_cannot_be_foreseen_says_why() {
    let mut count = plan(&[("count", None)]);
    assert_eq!(Engine::new(count.clone()).outlook(), Err(Unforeseeable::NothingLearned));
    count.detectors[0].over = Some("user".to_owned());
    let mut rare = plan(&[("rare", None)]);
    rare.detectors[0].by = Some("user".to_owned());
    let mut short = plan(&[("count", None)]);
    short.detectors[0].partition = Some("user".to_owned());
    short.memory_limit_bytes = 4000;
    for (plan, why) in
        [(count, Unforeseeable::Population), (rare, Unforeseeable::Functions), (short, Unforeseeable::MemoryShort)]
    {
        let mut engine = Engine::new(plan);
        for number in 0..60 {
            feed(&mut engine, number * SPAN / 4, &json!({"user": number.to_string()}));
        }
        assert_eq!(engine.outlook(), Err(why));
    }
    let young = learned(10, |_| 5.0);
    assert!(young.outlook().unwrap().series.is_empty(), "a level of a few values is no basis");
}

#[test]
fn plots_show_what_was_expected_before_it_was_learned() {
    let mut plotted = plan(&[("mean", Some("value"))]);
    plotted.detectors[0].partition = Some("host".to_owned());
    let terms = ["a", "b"].map(str::to_owned).into();
    plotted.plot = Plot { enabled: true, terms };
    let mut engine = Engine::new(plotted.clone());
    let mut finished = Vec::new();
    for minute in 0..40 {
        for host in ["a", "b", "c"] {
            let value = if minute == 30 { 900 } else { 100 + minute % 3 };
            if host != "b" || minute != 35 {
                finished.extend(feed(&mut engine, minute * SPAN, &json!({"host": host, "value": value})));
            }
        }
    }
    assert!(finished[2].expected.is_empty(), "nothing is expected of what is not known");
    let hosts: Vec<_> = finished[30].expected.iter().map(|value| value.partition.as_deref().unwrap()).collect();
    assert_eq!(hosts, ["a", "b"], "c is not among the terms");
    let high = &finished[30].expected[0];
    assert_eq!(high.actual, Some(900.0));
    assert!(high.bounds.upper < 200.0 && (high.bounds.median - 101.0).abs() < 2.0, "{high:?}");
    let silent = &finished[35].expected[1];
    assert_eq!((silent.partition.as_deref(), silent.actual), (Some("b"), None));
    engine = Engine::new(Plan { plot: Plot::default(), ..plotted });
    assert!(feed(&mut engine, 0, &json!({})).iter().all(|bucket| bucket.expected.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_was_learned_the_bounds_are_numbers_in_order(
        values in prop::collection::vec(prop::num::f64::ANY, 20..200),
        function in prop::sample::select(vec!["mean", "sum", "count", "dc", "varp", "metric"]),
        steps in prop::collection::vec(0_i64..3, 200),
        ahead in 0_u64..400_000,
    ) {
        let field = Function::parse(function).unwrap().needs_field().then_some("value");
        let mut plan = plan(&[(function, field)]);
        plan.plot.enabled = true;
        let mut engine = Engine::new(plan);
        let mut now = 0;
        let mut expected = Vec::new();
        for (value, step) in values.into_iter().zip(steps) {
            now += step * SPAN;
            let finished = feed(&mut engine, now, &json!({"value": value}));
            expected.extend(finished.into_iter().flat_map(|bucket| bucket.expected));
        }
        if let Ok(outlook) = engine.outlook() {
            expected.extend(outlook.series.iter().filter_map(|key| engine.foresee(key, outlook.start_ms, ahead)));
        }
        for ExpectedValue { bounds, .. } in expected {
            prop_assert!(bounds.lower <= bounds.median && bounds.median <= bounds.upper, "{bounds:?}");
            prop_assert!(bounds.lower.is_finite() && bounds.upper.is_finite());
        }
    }
}
