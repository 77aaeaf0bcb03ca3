//! Custom rules and scheduled events, seen from outside the engine.

use super::*;

const SKIP_RESULT: Actions = Actions { skip_result: true, skip_model_update: false };
const SKIP_BOTH: Actions = Actions { skip_result: true, skip_model_update: true };

/// 200 buckets of about 100, with 200 from bucket 100 to 119.
fn hump(engine: &mut Engine) -> Vec<BucketOutcome> {
    let mut noise = Noise(21);
    let mut finished = Vec::new();
    for minute in 0..200 {
        let level = if (100..120).contains(&minute) { 200.0 } else { 100.0 };
        let fields = json!({"value": level + 2.0 * noise.normal(), "host": "web-1"});
        finished.extend(feed(engine, minute * SPAN, &fields));
    }
    finished
}

fn ruled(actions: Actions, scope: Vec<Scope>, conditions: Vec<Condition>) -> Plan {
    let mut plan = plan(&[("mean", Some("value"))]);
    plan.detectors[0].partition = Some("host".to_owned());
    plan.detectors[0].rules = vec![Rule { actions, scope, conditions }];
    plan
}

fn records(finished: &[BucketOutcome]) -> usize {
    finished[100..120].iter().map(|bucket| bucket.records.len()).sum()
}

#[test]
fn a_skipped_result_is_learned_all_the_same() {
    let above = Condition { applies_to: AppliesTo::Actual, operator: Operator::Gt, value: 150.0 };
    let finished = hump(&mut Engine::new(ruled(SKIP_RESULT, Vec::new(), vec![above])));
    assert_eq!(records(&finished), 0);
    assert!(finished[100..120].iter().all(|bucket| bucket.score.abs() < f64::EPSILON));
}

#[test]
fn a_skipped_update_leaves_the_model_as_it_was() {
    let low = Condition { applies_to: AppliesTo::Actual, operator: Operator::Gt, value: 150.0 };
    let only_update = Actions { skip_result: false, skip_model_update: true };
    let finished = hump(&mut Engine::new(ruled(only_update, Vec::new(), vec![low])));
    assert_eq!(records(&finished), 20, "every one is as unusual as the first");
    let typical: Vec<f64> = finished[100..120].iter().map(|bucket| bucket.records[0].typical).collect();
    assert!(typical.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.1));
}

#[test]
fn a_scope_follows_the_filter_that_it_is_given() {
    let scope = Scope { split: Split::Partition, filter_id: "known".to_owned(), listed: true };
    let plan = ruled(SKIP_BOTH, vec![scope], Vec::new());
    let mut unaware = Engine::new(plan.clone());
    assert!(records(&hump(&mut unaware)) > 0);
    let mut aware = Engine::new(plan);
    aware.set_filters(Filters::from([("known".to_owned(), Filter::new(["web-*".to_owned()]))]));
    assert_eq!(records(&hump(&mut aware)), 0);
}

#[test]
fn a_scheduled_event_hides_its_buckets_and_is_named_by_them() {
    let mut engine = Engine::new(plan(&[("mean", Some("value"))]));
    engine.set_events(vec![ScheduledEvent {
        description: "load test".to_owned(),
        start_ms: 100 * SPAN + 1,
        end_ms: 120 * SPAN,
        actions: SKIP_BOTH,
    }]);
    let finished = hump(&mut engine);
    assert_eq!(records(&finished), 0);
    let named: Vec<usize> = (0..199).filter(|bucket| !finished[*bucket].scheduled_events.is_empty()).collect();
    assert_eq!(named, (100..120).collect::<Vec<_>>());
    assert_eq!(finished[110].scheduled_events, ["load test"]);
    assert!(finished[120..].iter().all(|bucket| bucket.score < 25.0), "what came before is still usual");
}
