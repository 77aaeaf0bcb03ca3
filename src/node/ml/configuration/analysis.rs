//! `analysis_config`: from JSON to the detector's plan, and back to JSON with the defaults filled in.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields::{Fields, not_supported};
use super::rules;
use crate::node::http::ApiError;
use crate::node::ml::detector::{DetectorPlan, Function, NotModelled, Plan};
use crate::node::ml::duration;

const BUCKET_SPAN_DEFAULT_MS: i64 = 300_000;
/// Detectors and influencers of one job.
const LIST_MAX: usize = 100;

/// Reads `analysis_config`.
///
/// # Errors
/// 400 with Elasticsearch's text, or one that names what the node does not model.
pub(super) fn plan(config: &Map<String, Value>, memory_limit_bytes: u64) -> Result<Plan, ApiError> {
    let fields = Fields::new("analysis_config", config).only(
        &["bucket_span", "detectors", "influencers", "latency", "summary_count_field_name"],
        &[
            "categorization_field_name",
            "categorization_filters",
            "categorization_analyzer",
            "per_partition_categorization",
            "multivariate_by_fields",
            "model_prune_window",
            "overlapping_buckets",
            "result_finalization_window",
        ],
    )?;
    let bucket_span_ms = fields.duration_ms("bucket_span")?.unwrap_or(BUCKET_SPAN_DEFAULT_MS);
    if bucket_span_ms < 1000 || bucket_span_ms % 1000 != 0 {
        return Err(too_low("bucket_span", 1, bucket_span_ms / 1000));
    }
    let latency_ms = fields.duration_ms("latency")?.unwrap_or(0);
    if latency_ms > bucket_span_ms.saturating_mul(1000) {
        return Err(ApiError::illegal_argument("latency must not be longer than 1000 bucket spans"));
    }
    let detectors = detectors(&fields)?;
    let influencers = fields.texts("influencers")?.unwrap_or_default();
    check_influencers(&influencers, &detectors)?;
    let summary_count_field = fields.text("summary_count_field_name")?.map(str::to_owned);
    Ok(Plan { bucket_span_ms, latency_ms, detectors, influencers, summary_count_field, memory_limit_bytes })
}

/// As `GET` shows it; `given` for the descriptions.
pub(super) fn shown(plan: &Plan, given: &Map<String, Value>) -> Value {
    let described = given.get("detectors").and_then(Value::as_array);
    let detectors: Vec<Value> = plan
        .detectors
        .iter()
        .enumerate()
        .map(|(index, detector)| {
            let own = described.and_then(|list| list.get(index)).and_then(|one| one.get("detector_description"));
            let mut shown = Map::new();
            shown.insert(
                "detector_description".to_owned(),
                own.cloned().unwrap_or_else(|| json!(description(detector))),
            );
            shown.insert("function".to_owned(), json!(detector.function.name));
            for (name, value) in names(detector) {
                shown.insert(name.to_owned(), json!(value));
            }
            if !detector.rules.is_empty() {
                shown.insert("custom_rules".to_owned(), rules::shown(detector));
            }
            shown.insert("detector_index".to_owned(), json!(index));
            Value::Object(shown)
        })
        .collect();
    let mut shown = Map::new();
    shown.insert("bucket_span".to_owned(), json!(duration::exact(plan.bucket_span_ms)));
    if plan.latency_ms > 0 {
        shown.insert("latency".to_owned(), json!(duration::exact(plan.latency_ms)));
    }
    if let Some(field) = &plan.summary_count_field {
        shown.insert("summary_count_field_name".to_owned(), json!(field));
    }
    shown.insert("detectors".to_owned(), json!(detectors));
    shown.insert("influencers".to_owned(), json!(plan.influencers));
    Value::Object(shown)
}

/// The fields that a detector reads, by the name of the setting.
pub(super) fn names(detector: &DetectorPlan) -> impl Iterator<Item = (&'static str, &String)> {
    [
        ("field_name", &detector.field),
        ("by_field_name", &detector.by),
        ("over_field_name", &detector.over),
        ("partition_field_name", &detector.partition),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.as_ref()?)))
}

fn description(detector: &DetectorPlan) -> String {
    let mut text = detector.function.name.to_owned();
    if let Some(field) = &detector.field {
        text = format!("{text}({field})");
    }
    for (word, field) in [("by", &detector.by), ("over", &detector.over)] {
        if let Some(field) = field {
            text = format!("{text} {word} {field}");
        }
    }
    match &detector.partition {
        Some(field) => format!("{text} partitionfield={field}"),
        None => text,
    }
}

fn detectors(fields: &Fields<'_>) -> Result<Vec<DetectorPlan>, ApiError> {
    let list = match fields.value("detectors") {
        None => &[][..],
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => return Err(ApiError::content("[analysis_config] failed to parse field [detectors]")),
    };
    if list.is_empty() {
        return Err(ApiError::illegal_argument("No detectors configured"));
    }
    if list.len() > LIST_MAX {
        return Err(ApiError::illegal_argument(format!("a job can have at most [{LIST_MAX}] detectors")));
    }
    list.iter().map(detector).collect()
}

/// One detector of the list; also what `_validate/detector` takes.
///
/// # Errors
/// 400 with Elasticsearch's text, or one that names what the node does not model.
pub(crate) fn detector(value: &Value) -> Result<DetectorPlan, ApiError> {
    let fields = Fields::of("detector", value)?.only(
        &[
            "detector_description",
            "detector_index",
            "function",
            "field_name",
            "by_field_name",
            "over_field_name",
            "partition_field_name",
            "custom_rules",
        ],
        &["exclude_frequent", "use_null"],
    )?;
    fields.text("detector_description")?;
    let name = fields.text("function")?.unwrap_or_default();
    let function = Function::parse(name).map_err(|problem| match problem {
        NotModelled::Unknown => ApiError::illegal_argument(format!("Unknown function '{name}'")),
        NotModelled::Elsewhere => not_supported("detector", &format!("function {name}")),
    })?;
    let own = |name| fields.text(name).map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned));
    let mut detector = DetectorPlan {
        function,
        field: own("field_name")?,
        by: own("by_field_name")?,
        over: own("over_field_name")?,
        partition: own("partition_field_name")?,
        rules: Vec::new(),
    };
    check_fields(&detector)?;
    detector.rules = rules::rules(fields.value("custom_rules"), &detector)?;
    Ok(detector)
}

fn check_fields(detector: &DetectorPlan) -> Result<(), ApiError> {
    let function = detector.function;
    if detector.field.is_some() && !function.needs_field() {
        return Err(ApiError::illegal_argument(format!("field_name cannot be used with function '{}'", function.name)));
    }
    if detector.field.is_none() && function.needs_field() {
        return Err(ApiError::illegal_argument(format!(
            "Unless a count or temporal function is used one of field_name, by_field_name or over_field_name must be set; \
             field_name must be set when the '{}' function is used",
            function.name
        )));
    }
    let mut seen = BTreeSet::new();
    for (name, value) in names(detector).filter(|(name, _)| *name != "field_name") {
        if matches!(value.as_str(), "count" | "by" | "over") {
            return Err(ApiError::illegal_argument(format!("'{value}' is not a permitted value for {name}")));
        }
        if !seen.insert(value) {
            return Err(ApiError::illegal_argument(format!("{name} cannot be the same as another field: '{value}'")));
        }
    }
    Ok(())
}

fn check_influencers(influencers: &[String], detectors: &[DetectorPlan]) -> Result<(), ApiError> {
    if influencers.len() > LIST_MAX {
        return Err(ApiError::illegal_argument(format!("a job can have at most [{LIST_MAX}] influencers")));
    }
    let splits = |field: &String| {
        detectors
            .iter()
            .any(|plan| [&plan.by, &plan.over, &plan.partition].iter().any(|own| own.as_ref() == Some(field)))
    };
    match influencers.iter().find(|field| !splits(field)) {
        None => Ok(()),
        Some(field) => Err(ApiError::illegal_argument(format!(
            "influencer [{field}] is not supported by the embedded node: an influencer must be a by, over or partition field \
             of a detector"
        ))),
    }
}

fn too_low(name: &str, least: i64, found: i64) -> ApiError {
    ApiError::illegal_argument(format!("{name} cannot be less than {least}. Value = {found}"))
}
