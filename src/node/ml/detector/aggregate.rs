//! The value of one series in one bucket, built up record by record.

use serde::{Deserialize, Serialize};

use super::distinct::Distinct;
use super::function::Quantity;

/// How many values a median keeps; then every second one is dropped and only every second new one is taken.
const SAMPLE_MAX: usize = 256;

/// A running aggregate; `f64` weights carry `summary_count_field_name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aggregate {
    Total(f64),
    Mean {
        sum: f64,
        weight: f64,
    },
    /// Welford's running mean and sum of squared distances from it.
    Spread {
        mean: f64,
        squares: f64,
        weight: f64,
    },
    Min(f64),
    Max(f64),
    Median {
        kept: Vec<f64>,
        stride: u64,
        seen: u64,
    },
    Distinct(Distinct),
    /// A category was there.
    Occurrence,
}

/// What a record adds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) quantity: Quantity,
    /// The metric; unused by counts.
    pub(crate) value: f64,
    /// Hash of the field's text; used by distinct counts alone.
    pub(crate) hash: u64,
    /// How many events the record stands for.
    pub(crate) weight: f64,
}

impl Aggregate {
    /// Starts from the first record.
    pub(crate) fn first(measured: Measured) -> Self {
        let Measured { quantity, value, hash, weight } = measured;
        match quantity {
            Quantity::Count | Quantity::NonZeroCount => Self::Total(weight),
            Quantity::Sum | Quantity::NonNullSum => Self::Total(value),
            Quantity::Mean => Self::Mean { sum: value * weight, weight },
            Quantity::Varp => Self::Spread { mean: value, squares: 0.0, weight },
            Quantity::Min => Self::Min(value),
            Quantity::Max => Self::Max(value),
            Quantity::Median => Self::Median { kept: vec![value], stride: 1, seen: 1 },
            Quantity::Distinct => {
                let mut distinct = Distinct::default();
                distinct.add(hash);
                Self::Distinct(distinct)
            }
            Quantity::Rare => Self::Occurrence,
        }
    }

    pub(crate) fn add(&mut self, measured: Measured) {
        let Measured { quantity, value, hash, weight: more } = measured;
        match self {
            Self::Total(total) if matches!(quantity, Quantity::Count | Quantity::NonZeroCount) => *total += more,
            Self::Total(total) => *total += value,
            Self::Mean { sum, weight } => {
                *sum += value * more;
                *weight += more;
            }
            Self::Spread { mean, squares, weight } => {
                *weight += more;
                let distance = value - *mean;
                *mean += distance * more / *weight;
                *squares += more * distance * (value - *mean);
            }
            Self::Min(least) => *least = least.min(value),
            Self::Max(greatest) => *greatest = greatest.max(value),
            Self::Median { kept, stride, seen } => sample(kept, stride, seen, value),
            Self::Distinct(distinct) => distinct.add(hash),
            Self::Occurrence => {}
        }
    }

    /// The bucket's value; `None` if it is not a finite number.
    pub(crate) fn value(&self) -> Option<f64> {
        let value = match self {
            Self::Total(value) | Self::Min(value) | Self::Max(value) => *value,
            Self::Mean { sum, weight } => sum / weight,
            Self::Spread { squares, weight, .. } => (squares / weight).max(0.0),
            Self::Median { kept, .. } => median(kept)?,
            Self::Distinct(distinct) => distinct.count(),
            Self::Occurrence => 1.0,
        };
        value.is_finite().then_some(value)
    }

    /// Memory that one more record may take.
    pub(crate) fn growth(&self) -> u64 {
        if let Self::Distinct(distinct) = self { distinct.growth() } else { 0 }
    }

    pub(crate) fn bytes(&self) -> u64 {
        let kept = match self {
            Self::Median { .. } => (SAMPLE_MAX * size_of::<f64>()) as u64,
            Self::Distinct(distinct) => distinct.bytes(),
            _ => 0,
        };
        size_of::<Self>() as u64 + kept
    }
}

fn sample(kept: &mut Vec<f64>, stride: &mut u64, seen: &mut u64, value: f64) {
    if seen.is_multiple_of(*stride) {
        if kept.len() >= SAMPLE_MAX {
            let mut index = 0_u64;
            kept.retain(|_| {
                index += 1;
                !index.is_multiple_of(2)
            });
            *stride *= 2;
        }
        if seen.is_multiple_of(*stride) {
            kept.push(value);
        }
    }
    *seen += 1;
}

/// The middle value, or the mean of the two middle ones; `None` without values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len().is_multiple_of(2) {
        let lower = *sorted.get((sorted.len() / 2).checked_sub(1)?)?;
        return Some(lower / 2.0 + upper / 2.0);
    }
    Some(upper)
}
