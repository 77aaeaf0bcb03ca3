//! The functions that are modelled, and the refusal of those that are not.

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
    Mean,
    Min,
    Max,
    Median,
    Sum,
    NonNullSum,
}

/// A detector function as the job names it, such as `high_mean`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) quantity: Quantity,
    pub(crate) side: Side,
}

/// The function's name is unknown, or Elasticsearch has it and this node does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotModelled {
    Unknown,
    Elsewhere,
}

#[rustfmt::skip] // a table: one function a line; aliases after it
const MODELLED: &[(&str, &[&str], Quantity, Side)] = &[
    ("count", &[], Quantity::Count, Side::Both),
    ("high_count", &[], Quantity::Count, Side::High),
    ("low_count", &[], Quantity::Count, Side::Low),
    ("non_zero_count", &["nzc"], Quantity::NonZeroCount, Side::Both),
    ("high_non_zero_count", &["high_nzc"], Quantity::NonZeroCount, Side::High),
    ("low_non_zero_count", &["low_nzc"], Quantity::NonZeroCount, Side::Low),
    ("mean", &["avg"], Quantity::Mean, Side::Both),
    ("high_mean", &["high_avg"], Quantity::Mean, Side::High),
    ("low_mean", &["low_avg"], Quantity::Mean, Side::Low),
    ("min", &[], Quantity::Min, Side::Both),
    ("max", &[], Quantity::Max, Side::Both),
    ("median", &[], Quantity::Median, Side::Both),
    ("high_median", &[], Quantity::Median, Side::High),
    ("low_median", &[], Quantity::Median, Side::Low),
    ("sum", &[], Quantity::Sum, Side::Both),
    ("high_sum", &[], Quantity::Sum, Side::High),
    ("low_sum", &[], Quantity::Sum, Side::Low),
    ("non_null_sum", &[], Quantity::NonNullSum, Side::Both),
    ("high_non_null_sum", &[], Quantity::NonNullSum, Side::High),
    ("low_non_null_sum", &[], Quantity::NonNullSum, Side::Low),
];

const ELSEWHERE: &[&str] = &[
    "distinct_count",
    "dc",
    "high_distinct_count",
    "high_dc",
    "low_distinct_count",
    "low_dc",
    "rare",
    "freq_rare",
    "info_content",
    "high_info_content",
    "low_info_content",
    "metric",
    "varp",
    "high_varp",
    "low_varp",
    "time_of_day",
    "time_of_week",
    "lat_long",
];

impl Function {
    /// Finds a function by its name or alias.
    ///
    /// # Errors
    /// [`NotModelled`] says whether Elasticsearch knows the name.
    pub(crate) fn parse(name: &str) -> Result<Self, NotModelled> {
        MODELLED
            .iter()
            .find(|(main, aliases, ..)| *main == name || aliases.contains(&name))
            .map(|&(name, _, quantity, side)| Self { name, quantity, side })
            .ok_or(if ELSEWHERE.contains(&name) { NotModelled::Elsewhere } else { NotModelled::Unknown })
    }

    /// The functions that need a `field_name`; the count family must not have one.
    pub(crate) fn needs_field(self) -> bool {
        !self.counts_events()
    }

    /// A count varies at least like a Poisson process, whatever has been seen so far.
    pub(crate) fn counts_events(self) -> bool {
        matches!(self.quantity, Quantity::Count | Quantity::NonZeroCount)
    }

    /// Whether a bucket without records means zero (`count`, `sum`) or nothing (`mean`, `non_zero_count`).
    pub(crate) fn absence_is_zero(self) -> bool {
        matches!(self.quantity, Quantity::Count | Quantity::Sum)
    }

    /// Whether more records can only raise the value of a partial bucket, or make it any other.
    pub(crate) fn grows(self) -> bool {
        matches!(self.quantity, Quantity::Count | Quantity::NonZeroCount | Quantity::Sum | Quantity::NonNullSum)
    }

    /// What the results call it: all of the count family is `count`, as in Elasticsearch.
    pub(crate) fn description(self) -> &'static str {
        match self.quantity {
            Quantity::Count | Quantity::NonZeroCount => "count",
            Quantity::Mean => "mean",
            Quantity::Min => "min",
            Quantity::Max => "max",
            Quantity::Median => "median",
            Quantity::Sum | Quantity::NonNullSum => "sum",
        }
    }
}
