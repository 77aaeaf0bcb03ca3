//! Series of the shapes that public collections of labelled series have, made from a seed, with the times of what is wrong in them.
//!
//! Used by the quality test beside it and by `benches/detector.rs`.

use serde_json::{Value, json};

pub(crate) const SPAN_MS: i64 = 900_000;
const DAY: usize = 96;
/// Buckets of a series: four weeks.
pub(crate) const LENGTH: usize = 28 * DAY;
/// Nothing is wrong before, and no alarm is counted: every method may look around first.
pub(crate) const QUIET: usize = 3 * DAY;
/// Buckets after the end of what is wrong in which an alarm still belongs to it.
const AFTER: usize = 2;

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Knuth's method in steps of 30, so that the exponential does not vanish.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        let (mut left, mut count) = (mean, 0.0);
        while left > 0.0 {
            let limit = (-left.min(30.0)).exp();
            let mut product = self.uniform();
            while product > limit {
                count += 1.0;
                product *= self.uniform();
            }
            left -= 30.0;
        }
        count
    }

    fn between(&mut self, least: f64, greatest: f64) -> f64 {
        least + (greatest - least) * self.uniform()
    }

    fn bucket(&mut self, first: usize) -> usize {
        first + (self.uniform() * (LENGTH - first - 2 * DAY) as f64) as usize
    }
}

/// What is wrong: from a bucket to another, inclusive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Event {
    pub(crate) fn owns(&self, bucket: usize) -> bool {
        (self.first..=self.last + AFTER).contains(&bucket)
    }
}

/// One series: per bucket the counts of its categories, or one value.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) detector: Value,
    pub(crate) buckets: Vec<Vec<(usize, f64)>>,
    pub(crate) events: Vec<Event>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Spike,
    DropOut,
    LevelShift,
    Season,
    Trend,
    Skewed,
    RareCategory,
}

pub(crate) const SHAPES: [(Shape, &str); 7] = [
    (Shape::Spike, "spike"),
    (Shape::DropOut, "drop-out"),
    (Shape::LevelShift, "level shift"),
    (Shape::Season, "season"),
    (Shape::Trend, "trend"),
    (Shape::Skewed, "skewed values"),
    (Shape::RareCategory, "rare category"),
];

pub(crate) fn series(shape: Shape, seed: u64) -> Series {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9).wrapping_add(shape as u64));
    match shape {
        Shape::RareCategory => rare_category(&mut random),
        _ => numeric(shape, &mut random),
    }
}

fn numeric(shape: Shape, random: &mut Random) -> Series {
    let base = random.between(50.0, 500.0);
    let deviation = base * random.between(0.02, 0.08);
    let growth = base * random.between(0.5, 2.0) / LENGTH as f64;
    let phase = random.uniform();
    let weekend = random.between(0.4, 0.9);
    let mut values: Vec<f64> = Vec::with_capacity(LENGTH);
    for bucket in 0..LENGTH {
        values.push(match shape {
            Shape::DropOut => random.poisson(base),
            Shape::Season => random.poisson(seasonal(base, phase, weekend, bucket)),
            Shape::Trend => base + growth * bucket as f64 + deviation * random.normal(),
            Shape::Skewed => base * (0.35 * random.normal()).exp(),
            _ => base + deviation * random.normal(),
        });
    }
    let mut events = Vec::new();
    while events.len() < if matches!(shape, Shape::LevelShift) { 2 } else { 4 } {
        let first = random.bucket(QUIET);
        let far = |event: &Event| first.abs_diff(event.first) > DAY;
        if events.iter().all(far) {
            events.push(spoil(shape, random, &mut values, first, deviation));
        }
    }
    let function = if matches!(shape, Shape::DropOut | Shape::Season) { "count" } else { "mean" };
    let field = (function == "mean").then_some("value");
    let buckets = values.into_iter().map(|value| vec![(0, value)]).collect();
    Series { detector: json!({"function": function, "field_name": field}), buckets, events }
}

/// A day with a smooth high in it, and a weekend that is quieter.
fn seasonal(base: f64, phase: f64, weekend: f64, bucket: usize) -> f64 {
    let day = (bucket % DAY) as f64 / DAY as f64 + phase;
    let level =
        base * (1.0 + 0.7 * (std::f64::consts::TAU * day).sin() + 0.2 * (2.0 * std::f64::consts::TAU * day).cos());
    level.max(2.0) * if bucket / DAY % 7 >= 5 { weekend } else { 1.0 }
}

fn spoil(shape: Shape, random: &mut Random, values: &mut [f64], first: usize, deviation: f64) -> Event {
    let sign = if random.uniform() < 0.5 { -1.0 } else { 1.0 };
    let strength = random.between(5.0, 12.0);
    let length = match shape {
        Shape::Spike | Shape::Trend | Shape::Skewed => 1,
        Shape::LevelShift => 12,
        _ => 3 + (random.uniform() * 6.0) as usize,
    };
    let last = first + length - 1;
    let reach = if matches!(shape, Shape::LevelShift) { values.len() } else { last + 1 };
    for value in values.iter_mut().take(reach).skip(first) {
        *value = match shape {
            Shape::DropOut => (*value * 0.1).floor(),
            Shape::Season if sign > 0.0 => (*value * (1.4 + strength / 10.0)).floor(),
            Shape::Season => (*value * 0.3).floor(),
            Shape::Skewed => *value * (1.5 + strength / 2.0),
            _ => *value + sign * strength * deviation,
        };
    }
    Event { first, last }
}

/// Twelve categories, of which some are seldom, and one that was never there before.
fn rare_category(random: &mut Random) -> Series {
    let mut buckets: Vec<Vec<(usize, f64)>> = Vec::with_capacity(LENGTH);
    let rates: Vec<f64> = (0..12).map(|rank| random.between(20.0, 60.0) / f64::from(1 + rank * rank)).collect();
    for _ in 0..LENGTH {
        let counts = rates.iter().enumerate().map(|(category, rate)| (category, random.poisson(*rate)));
        buckets.push(counts.filter(|(_, count)| *count > 0.0).collect());
    }
    let mut events: Vec<Event> = Vec::new();
    while events.len() < 4 {
        let first = random.bucket(QUIET);
        if events.iter().all(|event| first.abs_diff(event.first) > DAY) {
            if let Some(bucket) = buckets.get_mut(first) {
                bucket.push((100 + events.len(), 1.0 + random.poisson(2.0)));
            }
            events.push(Event { first, last: first });
        }
    }
    Series { detector: json!({"function": "rare", "by_field_name": "category"}), buckets, events }
}
