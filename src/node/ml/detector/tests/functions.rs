//! What each function computes, and what the options of a detector do.

use super::*;

/// Feeds `buckets` buckets with the records that `make` gives for each.
fn run(engine: &mut Engine, buckets: i64, make: impl Fn(i64) -> Vec<Value>) -> Vec<BucketOutcome> {
    let mut finished = Vec::new();
    for bucket in 0..buckets {
        for record in make(bucket) {
            finished.extend(feed(engine, bucket * SPAN, &record));
        }
    }
    while let Some(bucket) = engine.finish_before(buckets * SPAN) {
        finished.push(bucket);
    }
    finished
}

fn unusual(finished: &[BucketOutcome]) -> Vec<usize> {
    (0..finished.len()).filter(|bucket| finished[*bucket].score >= 25.0).collect()
}

#[test]
fn distinct_count_counts_values_and_not_records() {
    let mut engine = Engine::new(plan(&[("high_distinct_count", Some("user"))]));
    let finished = run(&mut engine, 100, |bucket| {
        let users = if bucket == 80 { 60 } else { 10 };
        (0..120).map(|record| json!({"user": format!("u{}", record % users)})).collect()
    });
    assert_eq!(unusual(&finished), [80]);
    assert!((finished[80].records[0].actual - 60.0).abs() < 1e-9);
}

#[test]
fn rare_names_the_category_that_was_hardly_ever_there() {
    let mut rare = plan(&[("rare", None)]);
    rare.detectors[0].by = Some("process".to_owned());
    let mut engine = Engine::new(rare);
    let finished = run(&mut engine, 800, |bucket| {
        let new = (bucket == 700).then(|| json!({"process": "miner"}));
        let usual = ["httpd", "cron", "sshd"].map(|name| json!({"process": name}));
        usual.into_iter().chain(new).collect()
    });
    assert_eq!(unusual(&finished), [700]);
    let record = &finished[700].records[0];
    assert_eq!((record.by.as_deref(), finished[700].records.len()), (Some("miner"), 1));
    assert!(record.typical.abs() < 1e-9 && (record.actual - 1.0).abs() < 1e-9);
}

#[test]
fn rare_says_nothing_where_everything_is_new() {
    let mut rare = plan(&[("rare", None)]);
    rare.detectors[0].by = Some("session".to_owned());
    let mut engine = Engine::new(rare);
    let finished = run(&mut engine, 500, |bucket| vec![json!({"session": bucket.to_string()})]);
    assert!(finished.iter().all(|bucket| bucket.records.is_empty()));
}

#[test]
fn varp_sees_the_spread_and_not_the_level() {
    let mut engine = Engine::new(plan(&[("high_varp", Some("value"))]));
    let finished = run(&mut engine, 120, |bucket| {
        let width = if bucket == 100 { 60.0 } else { 5.0 + (bucket % 3) as f64 };
        (0..20).map(|record| json!({"value": bucket as f64 + width * f64::from(record % 5 - 2)})).collect()
    });
    assert_eq!(unusual(&finished), [100]);
    assert!((finished[100].records[0].actual - 2.0 * 3600.0).abs() < 1e-6, "population variance");
}

#[test]
fn metric_models_mean_least_and_greatest_apart() {
    let mut noise = Noise(9);
    let mut values: Vec<Vec<f64>> = (0..120).map(|_| (0..10).map(|_| 100.0 + 5.0 * noise.normal()).collect()).collect();
    values[100][3] = 220.0;
    let mut engine = Engine::new(plan(&[("metric", Some("value"))]));
    let make = |bucket: i64| values[bucket as usize].iter().map(|value| json!({"value": value})).collect();
    let finished = run(&mut engine, 120, make);
    let function = Function::parse("metric").unwrap();
    let said: Vec<&str> = finished[100].records.iter().map(|record| function.description(record.feature)).collect();
    assert!(said.contains(&"max") && !said.contains(&"min"), "{said:?}");
}

#[test]
fn a_missing_field_is_a_value_only_with_use_null() {
    for use_null in [false, true] {
        let mut nulls = plan(&[("count", None)]);
        nulls.detectors[0].partition = Some("host".to_owned());
        nulls.detectors[0].use_null = use_null;
        let mut engine = Engine::new(nulls);
        let fields = Map::new();
        assert_eq!(engine.accept(&Record { time_ms: 0, fields: &fields }), Acceptance::Taken);
        engine.finish_before(SPAN);
        assert_eq!(engine.size().partition_values, u64::from(use_null));
    }
}

#[test]
fn frequent_members_and_values_can_be_excluded() {
    for (exclude, named) in [
        (ExcludeFrequent::None, vec!["admin", "guest"]),
        (ExcludeFrequent::By, vec!["admin", "guest"]),
        (ExcludeFrequent::Over, vec!["guest"]),
        (ExcludeFrequent::All, vec!["guest"]),
    ] {
        let mut over = plan(&[("high_count", None)]);
        over.detectors[0].over = Some("user".to_owned());
        over.detectors[0].exclude_frequent = exclude;
        let mut engine = Engine::new(over);
        let finished = run(&mut engine, 120, |bucket| {
            let burst = if bucket == 100 { 300 } else { 10 };
            let mut users = vec![("admin".to_owned(), burst)];
            users.extend((0..8).map(|user| (format!("u{}", (bucket * 8 + user) % 300), 10)));
            users.extend((bucket == 100).then(|| ("guest".to_owned(), 300)));
            users.iter().flat_map(|(user, events)| (0..*events).map(move |_| json!({"user": user}))).collect()
        });
        let mut found: Vec<&str> = finished[100].records.iter().filter_map(|record| record.over.as_deref()).collect();
        found.sort_unstable();
        assert_eq!(found, named, "{exclude:?}");
    }
}

#[test]
fn an_influencer_is_whoever_the_record_is_due_to() {
    for (function, field) in
        [("high_count", None), ("high_sum", Some("bytes")), ("high_mean", Some("bytes")), ("max", Some("bytes"))]
    {
        let mut influenced = plan(&[(function, field)]);
        influenced.influencers = vec!["client".to_owned()];
        let mut engine = Engine::new(influenced);
        let finished = run(&mut engine, 60, |bucket| {
            let client = |client: i64| json!({"client": format!("c{client}"), "bytes": 100 + (bucket + client) % 7});
            let mut records: Vec<Value> = (0..40).map(|record| client(record % 30)).collect();
            if bucket == 50 {
                records.extend((0..90).map(|_| json!({"client": "c5", "bytes": 5000})));
            }
            records
        });
        let bucket = &finished[50];
        assert_eq!(bucket.records[0].influencers, [("client".to_owned(), "c5".to_owned())], "{function}");
        assert_eq!((bucket.influencers.len(), bucket.influencers[0].value.as_str()), (1, "c5"), "{function}");
        assert_eq!(bucket.influencer_fields[0].field, "client");
        assert!(bucket.influencers[0].score > 25.0 && bucket.influencer_fields[0].score > 25.0);
    }
}

#[test]
fn a_daily_season_is_usual_and_a_break_of_it_is_not() {
    let hour = 3_600_000;
    let mut seasonal = plan(&[("mean", Some("value"))]);
    seasonal.bucket_span_ms = hour;
    let mut engine = Engine::new(seasonal);
    let mut noise = Noise(4);
    let mut finished = Vec::new();
    for bucket in 0..24 * 14 {
        let day = 100.0 + 60.0 * ((bucket % 24) as f64 / 24.0 * std::f64::consts::TAU).sin();
        let value = if bucket == 24 * 12 + 6 { 100.0 } else { day + 2.0 * noise.normal() };
        finished.extend(feed(&mut engine, bucket * hour, &json!({"value": value})));
    }
    assert_eq!(unusual(&finished), [24 * 12 + 6], "the mean of the day is wrong at its height");
    assert!((finished[24 * 12 + 6].records[0].typical - 160.0).abs() < 8.0);
}

#[test]
fn idle_series_are_forgotten() {
    let mut idle = plan(&[("non_zero_count", None)]);
    idle.detectors[0].partition = Some("host".to_owned());
    idle.prune_after_ms = 86_400_000;
    let mut engine = Engine::new(idle);
    feed(&mut engine, 0, &json!({"host": "gone"}));
    for hour in 1..60 {
        feed(&mut engine, hour * 3_600_000, &json!({"host": "here"}));
    }
    assert_eq!(engine.size().partition_values, 1);
    let bytes = engine.size().bytes;
    engine.finish_before(1000 * 3_600_000);
    engine.advance(1000 * 3_600_000);
    while engine.finish_before(1000 * 3_600_000).is_some() {}
    engine.prune();
    assert!(engine.size().partition_values == 0 && engine.size().bytes < bytes);
}

#[test]
fn short_memory_leaves_out_seasons_first_and_series_last() {
    let mut hosts = plan(&[("mean", Some("value"))]);
    hosts.bucket_span_ms = 900_000;
    hosts.detectors[0].partition = Some("host".to_owned());
    let mut engine = Engine::new(hosts);
    let mut seen = Vec::new();
    for bucket in 0..30 {
        for host in 0..800 {
            feed(&mut engine, bucket * 900_000, &json!({"host": host.to_string(), "value": 1}));
        }
        seen.push(engine.size().status);
    }
    assert_eq!((seen[2], seen[29]), (MemoryStatus::Ok, MemoryStatus::SoftLimit));
    assert_eq!((engine.size().partition_values, engine.size().allocation_failures), (800, 0));
}
