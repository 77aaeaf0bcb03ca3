//! The functions that are modelled, and the refusal of those that are not.

use super::track::Noise;

/// Which end of the distribution counts as unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Both,
    High,
    Low,
}

/// What is computed from the records of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Count,
    NonZeroCount,
    Distinct,
    Rare,
    Mean,
    Min,
    Max,
    Median,
    Sum,
    NonNullSum,
    Varp,
}

/// A detector function as the job names it, such as `high_mean`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Each is modelled apart; only `metric` has several.
    pub(crate) quantities: &'static [Quantity],
    pub(crate) side: Side,
}

/// The function's name is unknown, or Elasticsearch has it and this node does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotModelled {
    Unknown,
    Elsewhere,
}

#[rustfmt::skip] // a table: one function a line; aliases after it
const MODELLED: &[(&str, &[&str], &[Quantity], Side)] = &[
    ("count", &[], &[Quantity::Count], Side::Both),
    ("high_count", &[], &[Quantity::Count], Side::High),
    ("low_count", &[], &[Quantity::Count], Side::Low),
    ("non_zero_count", &["nzc"], &[Quantity::NonZeroCount], Side::Both),
    ("high_non_zero_count", &["high_nzc"], &[Quantity::NonZeroCount], Side::High),
    ("low_non_zero_count", &["low_nzc"], &[Quantity::NonZeroCount], Side::Low),
    ("distinct_count", &["dc"], &[Quantity::Distinct], Side::Both),
    ("high_distinct_count", &["high_dc"], &[Quantity::Distinct], Side::High),
    ("low_distinct_count", &["low_dc"], &[Quantity::Distinct], Side::Low),
    ("rare", &[], &[Quantity::Rare], Side::Low),
    ("metric", &[], &[Quantity::Mean, Quantity::Min, Quantity::Max], Side::Both),
    ("mean", &["avg"], &[Quantity::Mean], Side::Both),
    ("high_mean", &["high_avg"], &[Quantity::Mean], Side::High),
    ("low_mean", &["low_avg"], &[Quantity::Mean], Side::Low),
    ("min", &[], &[Quantity::Min], Side::Both),
    ("max", &[], &[Quantity::Max], Side::Both),
    ("median", &[], &[Quantity::Median], Side::Both),
    ("high_median", &[], &[Quantity::Median], Side::High),
    ("low_median", &[], &[Quantity::Median], Side::Low),
    ("sum", &[], &[Quantity::Sum], Side::Both),
    ("high_sum", &[], &[Quantity::Sum], Side::High),
    ("low_sum", &[], &[Quantity::Sum], Side::Low),
    ("non_null_sum", &[], &[Quantity::NonNullSum], Side::Both),
    ("high_non_null_sum", &[], &[Quantity::NonNullSum], Side::High),
    ("low_non_null_sum", &[], &[Quantity::NonNullSum], Side::Low),
    ("varp", &[], &[Quantity::Varp], Side::Both),
    ("high_varp", &[], &[Quantity::Varp], Side::High),
    ("low_varp", &[], &[Quantity::Varp], Side::Low),
];

const ELSEWHERE: &[&str] =
    &["freq_rare", "info_content", "high_info_content", "low_info_content", "time_of_day", "time_of_week", "lat_long"];

impl Function {
    /// Finds a function by its name or alias.
    ///
    /// # Errors
    /// [`NotModelled`] says whether Elasticsearch knows the name.
    pub(crate) fn parse(name: &str) -> Result<Self, NotModelled> {
        MODELLED
            .iter()
            .find(|(main, aliases, ..)| *main == name || aliases.contains(&name))
            .map(|&(name, _, quantities, side)| Self { name, quantities, side })
            .ok_or(if ELSEWHERE.contains(&name) { NotModelled::Elsewhere } else { NotModelled::Unknown })
    }

    /// The functions that need a `field_name`; the others must not have one.
    pub(crate) fn needs_field(self) -> bool {
        !self.is_one_of(&[Quantity::Count, Quantity::NonZeroCount, Quantity::Rare])
    }

    pub(crate) fn needs_by(self) -> bool {
        self.is_rare()
    }

    pub(crate) fn forbids_over(self) -> bool {
        self.is_one_of(&[Quantity::NonZeroCount])
    }

    /// Whether records that stand for several events can be taken apart by it.
    pub(crate) fn takes_summaries(self) -> bool {
        self.quantities.len() == 1
    }

    /// Whether whoever writes a rule can know what its actual and typical values are.
    pub(crate) fn has_anticipated_values(self) -> bool {
        self.quantities.len() == 1 && !self.is_rare()
    }

    pub(crate) fn is_rare(self) -> bool {
        self.is_one_of(&[Quantity::Rare])
    }

    /// How its values scatter.
    pub(crate) fn noise(self) -> Noise {
        let counts = self.is_one_of(&[Quantity::Count, Quantity::NonZeroCount, Quantity::Distinct]);
        if counts { Noise::Count } else { Noise::Metric }
    }

    /// Whether a bucket without records means zero (`count`, `sum`) or nothing (`mean`, `non_zero_count`).
    pub(crate) fn absence_is_zero(self) -> bool {
        self.is_one_of(&[Quantity::Count, Quantity::Sum, Quantity::Distinct])
    }

    /// Whether more records can only raise the value of a partial bucket, or make it any other.
    pub(crate) fn grows(self) -> bool {
        let growing =
            [Quantity::Count, Quantity::NonZeroCount, Quantity::Sum, Quantity::NonNullSum, Quantity::Distinct];
        self.is_one_of(&growing)
    }

    /// What the results call a quantity of it: all of the count family is `count`, as in Elasticsearch.
    pub(crate) fn description(self, feature: usize) -> &'static str {
        match self.quantities.get(feature) {
            None => self.name,
            Some(Quantity::Count | Quantity::NonZeroCount) => "count",
            Some(Quantity::Distinct) => "distinct_count",
            Some(Quantity::Rare) => "rare",
            Some(Quantity::Mean) => "mean",
            Some(Quantity::Min) => "min",
            Some(Quantity::Max) => "max",
            Some(Quantity::Median) => "median",
            Some(Quantity::Sum | Quantity::NonNullSum) => "sum",
            Some(Quantity::Varp) => "varp",
        }
    }

    /// What forecasts and plots call a quantity of it. Source: ml-cpp, `ModelTypes.cc`.
    pub(crate) fn model_feature(self, feature: usize, in_population: bool) -> String {
        let (plain, one_sided) = match (self.quantities.get(feature), in_population) {
            (None, _) | (Some(Quantity::Rare), _) => ("indicator per bucket", "indicator per bucket"),
            (Some(Quantity::Count), false) => ("count per bucket", "values of count per bucket"),
            (Some(Quantity::Count), true) => ("non-zero count per bucket", "values of non-zero count per bucket"),
            (Some(Quantity::NonZeroCount), _) => ("non-zero count per bucket", "non-zero count per bucket"),
            (Some(Quantity::Distinct), _) => ("unique count per bucket", "unique count per bucket"),
            (Some(Quantity::Mean), false) => ("arithmetic mean value", "mean value"),
            (Some(Quantity::Mean), true) => ("mean value", "mean"),
            (Some(Quantity::Min), _) => ("minimum value", "minimum value"),
            (Some(Quantity::Max), _) => ("maximum value", "maximum value"),
            (Some(Quantity::Median), _) => ("median value", "median value"),
            (Some(Quantity::NonNullSum), false) => ("bucket non-null sum", "bucket non-null sum"),
            (Some(Quantity::Sum | Quantity::NonNullSum), _) => ("bucket sum", "bucket sum"),
            (Some(Quantity::Varp), _) => ("variance of values", "variance of values"),
        };
        let of = if in_population { "person and attribute" } else { "person" };
        match self.side {
            Side::Both => format!("'{plain} by {of}'"),
            Side::High => format!("'high {one_sided} by {of}'"),
            Side::Low => format!("'low {one_sided} by {of}'"),
        }
    }

    fn is_one_of(self, quantities: &[Quantity]) -> bool {
        self.quantities.iter().any(|quantity| quantities.contains(quantity))
    }
}
