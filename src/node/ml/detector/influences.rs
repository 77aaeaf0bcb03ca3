//! What the influencer values of a bucket come to.

use std::collections::BTreeMap;

use super::outcome::{FieldOutcome, InfluencerOutcome};
use super::score::{self, Scale, depth, least_of};

/// Influencers kept of one bucket, the most unusual first.
const INFLUENCERS_MAX: usize = 500;

/// The depth that each influencer value has in a bucket: that of the record that it explains best.
#[derive(Debug, Default)]
pub(crate) struct Influences {
    depths: BTreeMap<(String, String), f64>,
}

impl Influences {
    pub(crate) fn add(&mut self, field: &str, value: &str, depth: f64) {
        let deepest = self.depths.entry((field.to_owned(), value.to_owned())).or_default();
        *deepest = deepest.max(depth);
    }

    /// Values, the most unusual first; and fields, each of which is as unusual as the least probable of its values.
    pub(crate) fn outcomes(self, scale: &Scale) -> (Vec<InfluencerOutcome>, Vec<FieldOutcome>) {
        let mut fields: BTreeMap<String, (f64, u64)> = BTreeMap::new();
        let mut influencers = Vec::new();
        for ((field, value), depth) in self.depths {
            let (deepest, values) = fields.entry(field.clone()).or_default();
            *deepest = deepest.max(depth);
            *values += 1;
            influencers.push(InfluencerOutcome {
                field,
                value,
                probability: score::probability(depth),
                score: scale.score(depth),
            });
        }
        influencers.sort_by(|left, right| left.probability.total_cmp(&right.probability));
        influencers.truncate(INFLUENCERS_MAX);
        let field = |(field, (deepest, values))| {
            let probability = least_of(score::probability(deepest), values);
            FieldOutcome { field, probability, score: scale.score(depth(probability)) }
        };
        (influencers, fields.into_iter().map(field).collect())
    }
}
