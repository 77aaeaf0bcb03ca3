//! How long searches take for an hour of data, on a moving average.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const HOUR_MS: i64 = 3_600_000;

/// The sum of the hour that the data has come to, and the average of those before it.
///
/// Source: elasticsearch, `ExponentialAverageCalculationContext.java`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HourlyAverage {
    sum_ms: f64,
    /// Of the newest document, milliseconds since 1970.
    latest_ms: Option<i64>,
    previous_ms: Option<f64>,
}

impl HourlyAverage {
    /// Adds a search; `latest_ms` is the time of the newest document that it found.
    pub(crate) fn add(&mut self, took_ms: f64, latest_ms: Option<i64>) {
        self.sum_ms += took_ms;
        let Some(latest_ms) = latest_ms else { return };
        let hour = |time_ms: i64| time_ms.div_euclid(HOUR_MS);
        if self.latest_ms.is_some_and(|before| hour(latest_ms) > hour(before)) {
            self.previous_ms = Some(self.value());
            self.sum_ms = 0.0;
        }
        self.latest_ms = self.latest_ms.max(Some(latest_ms));
    }

    /// Hours that are over count less, the further this one has come.
    pub(crate) fn value(&self) -> f64 {
        let (Some(previous_ms), Some(latest_ms)) = (self.previous_ms, self.latest_ms) else { return self.sum_ms };
        let weight = (-(latest_ms.rem_euclid(HOUR_MS) as f64) / HOUR_MS as f64).exp();
        weight * previous_ms + (1.0 - weight) * self.sum_ms
    }

    /// `exponential_average_calculation_context`.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("incremental_metric_value_ms".to_owned(), json!(self.sum_ms));
        if let Some(latest_ms) = self.latest_ms {
            shown.insert("latest_timestamp".to_owned(), json!(latest_ms));
        }
        if let Some(previous_ms) = self.previous_ms {
            shown.insert("previous_exponential_average_ms".to_owned(), json!(previous_ms));
        }
        Value::Object(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_is_over_becomes_the_average() {
        let mut average = HourlyAverage::default();
        average.add(10.0, Some(0));
        average.add(5.0, Some(HOUR_MS / 2));
        assert_eq!(average.value(), 15.0, "the first hour is its own average");
        average.add(1.0, Some(HOUR_MS));
        assert_eq!(average.value(), 16.0, "at the beginning of an hour the one before it counts alone");
        average.add(8.0, Some(HOUR_MS * 3 / 2));
        let weight = (-0.5_f64).exp();
        assert_eq!(average.value(), weight * 16.0 + (1.0 - weight) * 8.0);
        average.add(0.0, None);
        assert_eq!(average.shown()["latest_timestamp"], HOUR_MS * 3 / 2);
    }
}
