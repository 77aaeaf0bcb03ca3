//! How rare a category is among those that a detector has seen.
//!
//! A category is as unusual as all categories that occur as seldom or more seldom are together. What has never been seen yet is
//! one of them: its share is that of the categories which were seen once (Good and Turing).

/// The categories of one detector and partition, as far as rarity needs them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rarity {
    /// In how many buckets each category occurred, ascending, and the sum up to there.
    counts: Vec<(u64, u64)>,
    singles: u64,
}

impl Rarity {
    /// `counts` says of each known category how often it occurred.
    pub(crate) fn new(mut counts: Vec<u64>) -> Self {
        counts.sort_unstable();
        let singles = counts.iter().filter(|count| **count == 1).count() as u64;
        let mut sum = 0_u64;
        let summed = |count| {
            sum = sum.saturating_add(count);
            (count, sum)
        };
        Self { counts: counts.into_iter().map(summed).collect(), singles }
    }

    /// The probability that something as rare as a category with `count` earlier occurrences comes next. Above 0, at most 1.
    pub(crate) fn probability(&self, count: u64) -> f64 {
        let total = self.counts.last().map_or(0, |(_, sum)| *sum) as f64;
        let up_to = self.counts.partition_point(|(other, _)| *other <= count);
        let rarer = up_to.checked_sub(1).and_then(|at| self.counts.get(at)).map_or(0, |(_, sum)| *sum) as f64;
        ((rarer + self.singles as f64 + 1.0) / (total + self.singles as f64 + 1.0)).clamp(f64::MIN_POSITIVE, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Rarity;

    #[test]
    fn the_new_is_rare_among_the_few_and_usual_among_the_many() {
        let few = Rarity::new(vec![500, 480, 510, 3]);
        assert!(few.probability(0) < 0.001 && few.probability(3) < 0.005 && few.probability(500) > 0.5);
        let many = Rarity::new(vec![1; 1000]);
        assert!(many.probability(0) > 0.4);
        assert!((Rarity::default().probability(0) - 1.0).abs() < 1e-12);
    }
}
