//! What only a new `analysis_config` is held to.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{descriptions, names, whole_seconds};
use crate::node::http::ApiError;
use crate::node::ml::detector::{DetectorPlan, Plan};

/// What a job may not be made with; one that has it already is left alone.
///
/// # Errors
/// 400 with Elasticsearch's text.
///
/// Source: elasticsearch, `AnalysisConfig.java`; `Job.java`, `validateDetectorsAreUnique`.
pub(in super::super) fn check_new(plan: &Plan, given: Option<&Map<String, Value>>) -> Result<(), ApiError> {
    if plan.latency_ms < 0 {
        let seconds = plan.latency_ms / 1000;
        return Err(ApiError::illegal_argument(format!("latency cannot be less than 0. Value = {seconds}")));
    }
    whole_seconds("latency", plan.latency_ms)?;
    let splits = plan.detectors.iter().flat_map(names).filter(|(name, _)| *name != "field_name");
    let mut terms: BTreeSet<&str> = splits.map(|(_, field)| field.as_str()).collect();
    if terms.contains("mlcategory") {
        let reason = "categorization_field_name must be set for mlcategory to be available";
        return Err(ApiError::status_exception(400, reason));
    }
    terms.extend(plan.influencers.iter().map(String::as_str));
    // In order, a field follows the one that it is nested in or another that is.
    let nested = |(outer, inner): &(&str, &str)| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    if let Some((outer, inner)) = terms.iter().copied().zip(terms.iter().copied().skip(1)).find(nested) {
        let reason = format!("Fields [{outer}] and [{inner}] cannot both be used in the same analysis_config");
        return Err(ApiError::status_exception(400, reason));
    }
    let descriptions = given.map(|given| descriptions(plan, given)).unwrap_or_default();
    let described: Vec<(&DetectorPlan, &String)> = plan.detectors.iter().zip(&descriptions).collect();
    let twice = described.iter().enumerate().find(|(at, one)| described.iter().take(*at).any(|other| other == *one));
    match twice {
        Some((_, (_, description))) => {
            Err(ApiError::illegal_argument(format!("Duplicate detectors are not allowed: [{description}]")))
        }
        None => Ok(()),
    }
}
