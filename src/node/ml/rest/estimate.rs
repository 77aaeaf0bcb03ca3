//! `_estimate_model_memory`.
//!
//! The figures are Elasticsearch's, so that a job that is moved there has the limit that it needs. This node's own models are
//! smaller.
//!
//! Source: elasticsearch, `TransportEstimateModelMemoryAction.java`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Fields, Job};
use crate::node::ml::detector::DetectorPlan;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const BASE_BYTES: u64 = 10 * MIB;
const INFLUENCER_BYTES: u64 = 10 * KIB;
const OVER_VALUE_BYTES: u64 = 512;

pub(super) async fn estimate(call: Call) -> Result<Reply, ApiError> {
    let body = call.object()?;
    let fields = Fields::new("estimate_model_memory", &body)
        .only(&["analysis_config", "max_bucket_cardinality", "overall_cardinality"], &[])?;
    let Some(config) = fields.value("analysis_config") else {
        return Err(ApiError::validation(&["[analysis_config] was not specified".to_owned()]));
    };
    let job = json!({"analysis_config": config, "data_description": {}});
    let empty = Map::new();
    let job = Job::create("estimate", job.as_object().unwrap_or(&empty), call.node.core.clock.now_ms())?;
    let overall = Cardinality::read(&fields, "overall_cardinality")?;
    let in_bucket = Cardinality::read(&fields, "max_bucket_cardinality")?;
    let detectors = job.plan.detectors.iter().map(|detector| detector_bytes(detector, &overall));
    let split: BTreeSet<&String> = job.plan.detectors.iter().flat_map(DetectorPlan::fields).collect();
    let influencers = job.plan.influencers.iter().filter(|field| !split.contains(field));
    let influencers = influencers.map(|field| in_bucket.of(field).saturating_mul(INFLUENCER_BYTES));
    let bytes = detectors.chain(influencers).fold(BASE_BYTES, u64::saturating_add).min(i64::MAX.unsigned_abs());
    Ok(Reply::json(json!({"model_memory_estimate": format!("{}mb", bytes.div_ceil(MIB))})))
}

/// How many values fields have; what is not said counts as none, as in Elasticsearch.
struct Cardinality<'a>(Option<&'a Map<String, Value>>);

impl<'a> Cardinality<'a> {
    fn read(fields: &Fields<'a>, name: &'static str) -> Result<Self, ApiError> {
        let given = fields.object(name)?;
        for (field, value) in given.into_iter().flatten() {
            if value.as_u64().is_none() {
                return Err(ApiError::content(format!("[{name}] failed to parse field [{field}]")));
            }
        }
        Ok(Self(given))
    }

    fn of(&self, field: &str) -> u64 {
        self.0.and_then(|given| given.get(field)).and_then(Value::as_u64).unwrap_or(0)
    }
}

fn detector_bytes(detector: &DetectorPlan, overall: &Cardinality<'_>) -> u64 {
    let mut bytes = match detector.function.name {
        name if name.ends_with("distinct_count") || name == "rare" => 1,
        name if name.ends_with("count") => 32 * KIB,
        "metric" => 160 * KIB,
        _ => 64 * KIB,
    };
    if let Some(field) = &detector.by {
        // Two thirds of what a partition takes.
        bytes = bytes.saturating_mul(overall.of(field).saturating_add(2) / 3 * 2);
    }
    if let Some(field) = &detector.over {
        bytes = bytes.saturating_add(overall.of(field).saturating_mul(OVER_VALUE_BYTES));
    }
    match &detector.partition {
        Some(field) => bytes.saturating_mul(overall.of(field)),
        None => bytes,
    }
}
