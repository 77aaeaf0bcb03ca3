//! `analysis_config`: from JSON to the detector's plan, and back to JSON with the defaults filled in.

mod creation;

use serde_json::{Map, Value, json};

use super::fields::{Fields, not_supported};
use super::rules;
use crate::node::http::ApiError;
use crate::node::ml::detector::{DetectorPlan, ExcludeFrequent, Function, NotModelled, Plan, Plot, floor};
use crate::node::ml::duration;
pub(super) use creation::check_new;

const BUCKET_SPAN_DEFAULT_MS: i64 = 300_000;
const PRUNE_DEFAULT_MS: i64 = 30 * 86_400_000;
const PRUNE_SPANS_DEFAULT: i64 = 20;
const PRUNE_SPANS_MIN: i64 = 2;
/// Detectors and influencers of one job.
const LIST_MAX: usize = 100;

/// Reads `analysis_config`.
///
/// # Errors
/// 400 with Elasticsearch's text, or one that names what the node does not model.
pub(super) fn plan(config: &Map<String, Value>, memory_limit_bytes: u64) -> Result<Plan, ApiError> {
    let fields = Fields::new("analysis_config", config).only(
        &["bucket_span", "detectors", "influencers", "latency", "model_prune_window", "summary_count_field_name"],
        &[
            "categorization_field_name",
            "categorization_filters",
            "categorization_analyzer",
            "per_partition_categorization",
            "multivariate_by_fields",
            "overlapping_buckets",
            "result_finalization_window",
        ],
    )?;
    let bucket_span_ms = fields.duration_ms("bucket_span")?.unwrap_or(BUCKET_SPAN_DEFAULT_MS);
    if bucket_span_ms <= 0 {
        return Err(ApiError::illegal_argument("bucket_span cannot be less or equal than 0. Value = 0s"));
    }
    whole_seconds("bucket_span", bucket_span_ms)?;
    let latency_ms = fields.duration_ms("latency")?.unwrap_or(0);
    if latency_ms > bucket_span_ms.saturating_mul(1000) {
        return Err(ApiError::illegal_argument("latency must not be longer than 1000 bucket spans"));
    }
    let summary_count_field =
        fields.text("summary_count_field_name")?.filter(|field| !field.is_empty()).map(str::to_owned);
    let detectors = detectors(&fields)?;
    if let Some(detector) =
        detectors.iter().find(|detector| summary_count_field.is_some() && !detector.function.takes_summaries())
    {
        return Err(ApiError::illegal_argument(format!(
            "The '{}' function cannot be used in jobs that will take pre-summarized input",
            detector.function.name
        )));
    }
    let influencers = fields.texts("influencers")?.unwrap_or_default();
    if influencers.len() > LIST_MAX {
        return Err(ApiError::illegal_argument(format!("a job can have at most [{LIST_MAX}] influencers")));
    }
    let prune_after_ms = prune_window(&fields, bucket_span_ms)?;
    Ok(Plan {
        bucket_span_ms,
        latency_ms,
        detectors,
        influencers,
        summary_count_field,
        memory_limit_bytes,
        prune_after_ms,
        plot: Plot::default(),
    })
}

fn whole_seconds(name: &str, duration_ms: i64) -> Result<(), ApiError> {
    if duration_ms % 1000 == 0 {
        return Ok(());
    }
    let actual = duration::written(duration_ms);
    Err(ApiError::illegal_argument(format!("{name} has to be a multiple of 1s; actual was '{actual}'")))
}

/// The detectors' own descriptions, or what they say.
fn descriptions(plan: &Plan, given: &Map<String, Value>) -> Vec<String> {
    let list = given.get("detectors").and_then(Value::as_array);
    let own = |index: usize| list.and_then(|list| list.get(index)?.get("detector_description")?.as_str());
    let each = plan.detectors.iter().enumerate();
    each.map(|(index, detector)| own(index).map_or_else(|| description(detector), str::to_owned)).collect()
}

/// Elasticsearch's default is the greater of 30 days and 20 bucket spans.
fn prune_window(fields: &Fields<'_>, bucket_span_ms: i64) -> Result<i64, ApiError> {
    let least = bucket_span_ms.saturating_mul(PRUNE_SPANS_MIN);
    let default = floor(PRUNE_DEFAULT_MS, bucket_span_ms).max(bucket_span_ms.saturating_mul(PRUNE_SPANS_DEFAULT));
    let window_ms = fields.duration_ms("model_prune_window")?.unwrap_or(default);
    if window_ms < least || window_ms % bucket_span_ms != 0 {
        let (window, span) = (duration::exact(window_ms), duration::exact(bucket_span_ms));
        return Err(ApiError::illegal_argument(format!(
            "model_prune_window [{window}] must be a multiple of bucket_span [{span}] and at least [{PRUNE_SPANS_MIN}] of it"
        )));
    }
    // It is stored as text, which must be readable at the next start.
    duration::parse_ms(&duration::exact(window_ms), "model_prune_window")
}

/// As `GET` shows it; `given` for the descriptions.
pub(super) fn shown(plan: &Plan, given: &Map<String, Value>) -> Value {
    let detectors: Vec<Value> = (plan.detectors.iter().zip(descriptions(plan, given)).enumerate())
        .map(|(index, (detector, description))| {
            let mut shown = Map::new();
            shown.insert("detector_description".to_owned(), json!(description));
            shown.insert("function".to_owned(), json!(detector.function.name));
            for (name, value) in names(detector) {
                shown.insert(name.to_owned(), json!(value));
            }
            if detector.use_null {
                shown.insert("use_null".to_owned(), json!(true));
            }
            if let Some(given) = given_exclude(detector) {
                shown.insert("exclude_frequent".to_owned(), json!(given));
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
    shown.insert("model_prune_window".to_owned(), json!(duration::exact(plan.prune_after_ms)));
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
            "exclude_frequent",
            "use_null",
        ],
        &[],
    )?;
    fields.text("detector_description")?;
    fields.integer("detector_index")?;
    let name = fields.text("function")?.unwrap_or("metric");
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
        exclude_frequent: exclude_frequent(&fields)?,
        use_null: fields.flag("use_null")?.unwrap_or(false),
    };
    check_fields(&detector)?;
    detector.rules = rules::rules(fields.value("custom_rules"), &detector)?;
    Ok(detector)
}

const EXCLUDE: [(&str, ExcludeFrequent); 4] = [
    ("all", ExcludeFrequent::All),
    ("none", ExcludeFrequent::None),
    ("by", ExcludeFrequent::By),
    ("over", ExcludeFrequent::Over),
];

fn exclude_frequent(fields: &Fields<'_>) -> Result<ExcludeFrequent, ApiError> {
    let Some(given) = fields.text("exclude_frequent")? else { return Ok(ExcludeFrequent::None) };
    let known = EXCLUDE.iter().find(|(name, _)| name.eq_ignore_ascii_case(given));
    known
        .map(|(_, exclude)| *exclude)
        .ok_or_else(|| ApiError::content("[detector] failed to parse field [exclude_frequent]"))
}

fn given_exclude(detector: &DetectorPlan) -> Option<&'static str> {
    let exclude = detector.exclude_frequent;
    let named = EXCLUDE.iter().find(|(_, one)| *one == exclude && exclude != ExcludeFrequent::None);
    named.map(|(name, _)| *name)
}

/// Source of rules, texts and their order: elasticsearch, `Detector.java`.
fn check_fields(detector: &DetectorPlan) -> Result<(), ApiError> {
    let function = detector.function;
    let none = detector.field.is_none() && detector.by.is_none() && detector.over.is_none();
    let refused = |text: String| Err(ApiError::illegal_argument(text));
    if none && (function.needs_field() || function.needs_by()) {
        return refused(
            "Unless a count or temporal function is used one of field_name, by_field_name or over_field_name must be set"
                .to_owned(),
        );
    }
    if detector.field.is_none() && function.needs_field() {
        return refused(format!("field_name must be set when the '{}' function is used", function.name));
    }
    if detector.field.is_some() && !function.needs_field() {
        return refused(format!("field_name cannot be used with function '{}'", function.name));
    }
    if detector.by.is_none() && function.needs_by() {
        return refused(format!("by_field_name must be set when the '{}' function is used", function.name));
    }
    if detector.over.is_some() && function.forbids_over() {
        return refused(format!("over_field_name cannot be used with function '{}'", function.name));
    }
    if let Some((_, field)) = names(detector).find(|(_, field)| field.chars().any(is_prohibited)) {
        return refused(format!(
            "Invalid field name '{field}'. Field names including over, by and partition fields cannot contain any of these \
             characters: \",\\"
        ));
    }
    check_split(detector)
}

fn is_prohibited(character: char) -> bool {
    matches!(character, '"' | '\\') || character.is_control()
}

/// By, over and partition fields differ, and are not named like words of the configuration.
fn check_split(detector: &DetectorPlan) -> Result<(), ApiError> {
    const PARTITION: &str = "partition_field_name";
    let split =
        [(PARTITION, &detector.partition), ("by_field_name", &detector.by), ("over_field_name", &detector.over)];
    for (at, (name, field)) in split.iter().enumerate() {
        let same = split.iter().skip(at + 1).find(|(_, other)| field.is_some() && other == field);
        if let (Some((other, _)), Some(field)) = (same, field) {
            return Err(ApiError::illegal_argument(format!("{name} and {other} cannot be the same: '{field}'")));
        }
    }
    for word in ["count", "by", "over"] {
        let named = split.iter().find(|(name, field)| *name != PARTITION && field.as_deref() == Some(word));
        if let Some((name, _)) = named {
            return Err(ApiError::illegal_argument(format!("'{word}' is not a permitted value for {name}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
