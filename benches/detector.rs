//! How often the embedded node's detector is right, beside a three-sigma rule.
//!
//! `cargo bench --bench detector` prints the table of `docs/detector.md`. The seeds are the table's own: no constant of the
//! detector was chosen by them, and the quality test of `cargo test` has others.

#![allow(dead_code, unused_imports, reason = "the detector is compiled here as it is, and the node uses more of it")]
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]

// Cargo builds benchmarks with `cfg(test)`, so the series and the counting of the quality test are there.
#[path = "../src/node/ml/detector/mod.rs"]
mod detector;

use detector::tests::data::{SHAPES, series};
use detector::tests::trial::{Tally, detector_alarms, three_sigma_alarms};

/// Fifty series of each shape.
const SEEDS: std::ops::Range<u64> = 20_260_001..20_260_051;
/// Buckets that the three-sigma rule looks back on: a day, and everything.
const WINDOWS: [usize; 2] = [96, usize::MAX];

fn main() {
    println!("| shape | events | detector | three sigma of a day | three sigma of all |");
    println!("| --- | --- | --- | --- | --- |");
    for (shape, name) in SHAPES {
        let mut own = Tally::default();
        let mut rules = [Tally::default(); 2];
        for seed in SEEDS {
            let series = series(shape, seed);
            own.count(&series, &detector_alarms(&series));
            for (rule, window) in rules.iter_mut().zip(WINDOWS) {
                rule.count(&series, &three_sigma_alarms(&series, window));
            }
        }
        let [day, all] = rules.map(|rule| shown(&rule));
        println!("| {name} | {} | {} | {day} | {all} |", own.events(), shown(&own));
    }
}

/// Precision, recall and their harmonic mean.
fn shown(tally: &Tally) -> String {
    format!("{:.2} / {:.2} / **{:.2}**", tally.precision(), tally.recall(), tally.f1())
}
