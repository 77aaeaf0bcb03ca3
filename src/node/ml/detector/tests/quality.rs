//! The table of `docs/detector.md` in small: other seeds, fewer series, bounds instead of figures.

use super::data::{SHAPES, Shape, series};
use super::trial::{Tally, detector_alarms, three_sigma_alarms};

#[test]
fn finds_what_is_wrong_and_is_right_more_often_than_three_sigma() {
    for (shape, name) in SHAPES {
        let (mut own, mut rule) = (Tally::default(), Tally::default());
        for seed in [71, 72] {
            let series = series(shape, seed);
            own.count(&series, &detector_alarms(&series));
            rule.count(&series, &three_sigma_alarms(&series, 96));
        }
        let least = if matches!(shape, Shape::Season | Shape::Skewed) { 0.5 } else { 0.8 };
        assert!(own.precision() >= least && own.recall() >= least, "{name}: {own:?}");
        assert!(own.f1() > rule.f1(), "{name}: {own:?} {rule:?}");
    }
}
