//! What the detector and a three-sigma rule find in made series, and how often they are right.

use serde_json::json;

use super::data::{LENGTH, QUIET, SPAN_MS, Series};
use super::{DetectorPlan, Engine, ExcludeFrequent, Function, Plan, Plot, Record};

/// Scores from which the detector's bucket is an alarm: what is not merely a warning in Kibana's colours.
const ALARM: f64 = 25.0;

/// Alarms and events, added up over series.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    right: usize,
    wrong: usize,
    found: usize,
    events: usize,
}

impl Tally {
    /// Part of the alarms that belong to an event.
    pub(crate) fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong).max(1) as f64
    }

    /// Part of the events with an alarm.
    pub(crate) fn recall(&self) -> f64 {
        self.found as f64 / self.events().max(1) as f64
    }

    pub(crate) fn f1(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
    }

    pub(crate) fn events(&self) -> usize {
        self.events
    }

    pub(crate) fn count(&mut self, series: &Series, alarms: &[usize]) {
        let counted = alarms.iter().filter(|bucket| **bucket >= QUIET);
        for bucket in counted {
            if series.events.iter().any(|event| event.owns(*bucket)) {
                self.right += 1;
            } else {
                self.wrong += 1;
            }
        }
        self.events += series.events.len();
        self.found += series.events.iter().filter(|event| alarms.iter().any(|bucket| event.owns(*bucket))).count();
    }
}

/// The buckets that the detector gives an alarm for.
pub(crate) fn detector_alarms(series: &Series) -> Vec<usize> {
    let text = |name: &str| series.detector.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let function = text("function").and_then(|name| Function::parse(&name).ok());
    let Some(function) = function else { return Vec::new() };
    let detector = DetectorPlan {
        function,
        field: text("field_name"),
        by: text("by_field_name"),
        over: None,
        partition: None,
        rules: Vec::new(),
        exclude_frequent: ExcludeFrequent::None,
        use_null: false,
    };
    let mut engine = Engine::new(Plan {
        bucket_span_ms: SPAN_MS,
        latency_ms: 0,
        detectors: vec![detector],
        influencers: Vec::new(),
        summary_count_field: Some("events".to_owned()),
        memory_limit_bytes: 1 << 24,
        prune_after_ms: 30 * 86_400_000,
        plot: Plot::default(),
    });
    let mut alarms = Vec::new();
    for (bucket, values) in (0_i64..).zip(&series.buckets) {
        for (category, value) in values {
            let events = if function.needs_field() { 1.0 } else { *value };
            let record = json!({"value": value, "events": events, "category": category.to_string()});
            let Some(fields) = record.as_object() else { continue };
            engine.accept(&Record { time_ms: bucket * SPAN_MS, fields });
        }
        while let Some(outcome) = engine.finish_before((bucket + 1) * SPAN_MS) {
            if outcome.score >= ALARM {
                alarms.push((outcome.start_ms / SPAN_MS) as usize);
            }
        }
    }
    alarms
}

/// The buckets in which a value is more than three standard deviations from the mean of the `window` before it.
pub(crate) fn three_sigma_alarms(series: &Series, window: usize) -> Vec<usize> {
    let categories = series.buckets.iter().flatten().map(|(category, _)| *category + 1).max().unwrap_or(0);
    let mut alarms = Vec::new();
    let mut columns = vec![Vec::with_capacity(LENGTH); categories];
    for (bucket, values) in series.buckets.iter().enumerate() {
        let mut alarm = false;
        for (category, column) in columns.iter_mut().enumerate() {
            let value = values.iter().find(|(own, _)| *own == category).map_or(0.0, |(_, value)| *value);
            let past: &[f64] = column.get(column.len().saturating_sub(window)..).unwrap_or_default();
            let mean = past.iter().sum::<f64>() / past.len().max(1) as f64;
            let variance = past.iter().map(|old| (old - mean).powi(2)).sum::<f64>() / past.len().max(1) as f64;
            alarm |= (value - mean).abs() > 3.0 * variance.sqrt();
            column.push(value);
        }
        if alarm {
            alarms.push(bucket);
        }
    }
    alarms
}
