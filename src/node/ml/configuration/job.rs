//! The configuration of an anomaly detection job.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::analysis_limits::AnalysisLimits;
use super::fields::{Fields, not_supported};
use super::retention::Retention;
use super::{analysis, detector_update, model_plot};
use crate::node::http::ApiError;
use crate::node::ml::detector::Plan;
use crate::node::ml::identifier::{check_group, check_id};

/// How the time field of posted records is written; datafeeds read it from the index instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// Seconds since 1970, possibly with a fraction.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
}

/// A validated job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) groups: Vec<String>,
    pub(crate) plan: Plan,
    /// The fields of a record that it reads, the time aside; each once.
    pub(crate) fields: Vec<String>,
    pub(crate) time_field: String,
    pub(crate) time_format: TimeFormat,
    /// The whole name of the index that holds its results.
    pub(crate) results_index: String,
    pub(crate) retention: Retention,
    source: Map<String, Value>,
}

/// The id that stands for no snapshot at all after a revert to it.
pub(crate) const EMPTY_SNAPSHOT: &str = "empty";
const KNOWN: [&str; 18] = [
    "job_id",
    "job_type",
    "job_version",
    "create_time",
    "finished_time",
    "model_snapshot_id",
    "groups",
    "description",
    "analysis_config",
    "analysis_limits",
    "data_description",
    "model_snapshot_retention_days",
    "daily_model_snapshot_retention_after_days",
    "results_retention_days",
    "results_index_name",
    "allow_lazy_open",
    "custom_settings",
    "model_plot_config",
];
const UNSUPPORTED: [&str; 3] = ["renormalization_window_days", "background_persist_interval", "blocked"];
/// What only the node itself sets.
const ILLEGAL_AT_CREATION: [&str; 4] = ["job_version", "create_time", "finished_time", "model_snapshot_id"];
const GENERATED: [&str; 5] = ["job_type", "job_version", "create_time", "finished_time", "model_snapshot_id"];
const UPDATABLE: [&str; 9] = [
    "groups",
    "description",
    "analysis_limits",
    "model_snapshot_retention_days",
    "daily_model_snapshot_retention_after_days",
    "results_retention_days",
    "allow_lazy_open",
    "custom_settings",
    "model_plot_config",
];

impl Job {
    /// Reads the body of `PUT _ml/anomaly_detectors/{id}` without its `datafeed_config`.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text, or one that names what the node does not support.
    pub(crate) fn create(id: &str, body: &Map<String, Value>, now_ms: i64) -> Result<Self, ApiError> {
        check_id(id, "job_id")?;
        let fields = Fields::new("job_details", body);
        if let Some(other) = fields.text("job_id")?.filter(|other| *other != id) {
            return Err(inconsistent("job_id", other, id));
        }
        let illegal: Vec<&str> = ILLEGAL_AT_CREATION.into_iter().filter(|name| fields.value(name).is_some()).collect();
        if !illegal.is_empty() {
            return Err(ApiError::illegal_argument(format!(
                "The job is configured with fields [{}] that are illegal to set at job creation",
                illegal.join(",")
            )));
        }
        let mut source = Map::new();
        source.insert("job_id".to_owned(), json!(id));
        source.insert("job_type".to_owned(), json!("anomaly_detector"));
        source.insert("job_version".to_owned(), json!(crate::node::ml::JOB_VERSION));
        source.insert("create_time".to_owned(), json!(now_ms));
        source.extend(
            body.iter().filter(|(name, _)| *name != "job_id").map(|(name, value)| (name.clone(), value.clone())),
        );
        let job = Self::read(source)?;
        analysis::check_new(&job.plan, fields.object("analysis_config")?)?;
        if job.plan.influencers.contains(&job.time_field) {
            return Err(time_field_used());
        }
        if !job.results_index.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            return Err(invalid_results_name(fields.text("results_index_name")?.unwrap_or_default()));
        }
        Ok(job)
    }

    /// Reads what [`Job::source`] gave.
    ///
    /// # Errors
    /// As [`Job::create`].
    pub(crate) fn read(mut source: Map<String, Value>) -> Result<Self, ApiError> {
        let fields = Fields::new("job_details", &source).only(&KNOWN, &UNSUPPORTED)?;
        let id = fields.text("job_id")?.unwrap_or_default().to_owned();
        let groups = fields.texts("groups")?.unwrap_or_default();
        groups.iter().try_for_each(|group| check_group(group))?;
        if groups.contains(&id) {
            return Err(crate::node::ml::problem::Problem::GroupName(id).into());
        }
        check_plain(&fields)?;
        let limits = AnalysisLimits::read(&fields)?;
        let config = fields.object("analysis_config")?;
        let config = config.ok_or_else(|| ApiError::illegal_argument("An analysis_config must be set"))?;
        let plot = model_plot::read(&fields)?;
        let plan = Plan { plot: plot.clone().unwrap_or_default(), ..analysis::plan(config, limits.memory_bytes)? };
        let (time_field, time_format) = data_description(&fields)?;
        check_time_field(&plan, &time_field)?;
        let results_name = results_name(fields.text("results_index_name")?)?;
        let retention = Retention::read(&fields)?;
        let shown = analysis::shown(&plan, config);
        let format = if time_format == TimeFormat::Epoch { "epoch" } else { "epoch_ms" };
        source.insert("analysis_config".to_owned(), shown);
        source.insert("analysis_limits".to_owned(), limits.shown());
        source.insert("data_description".to_owned(), json!({"time_field": time_field, "time_format": format}));
        retention.show(&mut source);
        source.insert("results_index_name".to_owned(), json!(results_name));
        source.extend(plot.map(|plot| ("model_plot_config".to_owned(), model_plot::shown(&plot))));
        source.entry("allow_lazy_open").or_insert(json!(false));
        source.retain(|_, value| !value.is_null());
        let results_index = format!(".ml-anomalies-{results_name}");
        let fields = plan.fields().into_iter().map(str::to_owned).collect();
        Ok(Self { id, groups, plan, fields, time_field, time_format, results_index, retention, source })
    }

    /// As `GET` shows it.
    pub(crate) fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// As `GET` shows it with `exclude_generated`: without what was added to what its maker said.
    ///
    /// Source: elasticsearch, `Job.java`, `Detector.java`.
    pub(crate) fn exported(&self) -> Map<String, Value> {
        let mut shown = self.source.clone();
        shown.retain(|name, _| !GENERATED.contains(&name.as_str()));
        if let Some(settings) = shown.get_mut("custom_settings").and_then(Value::as_object_mut) {
            settings.shift_remove("created_by");
        }
        let detectors = shown.get_mut("analysis_config").and_then(|config| config.get_mut("detectors"));
        for detector in detectors.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
            detector.shift_remove("detector_index");
        }
        shown
    }

    /// The snapshot that the job continues from.
    pub(crate) fn snapshot_id(&self) -> Option<&str> {
        self.source.get("model_snapshot_id").and_then(Value::as_str).filter(|id| *id != EMPTY_SNAPSHOT)
    }

    /// The filters that its custom rules name.
    pub(crate) fn filters(&self) -> BTreeSet<&str> {
        let scopes = self.plan.detectors.iter().flat_map(|detector| &detector.rules).flat_map(|rule| &rule.scope);
        scopes.map(|scope| scope.filter_id.as_str()).collect()
    }

    /// With members that the node itself keeps, such as `finished_time`.
    ///
    /// # Errors
    /// As [`Job::read`].
    pub(crate) fn with(&self, members: &[(&str, Value)]) -> Result<Self, ApiError> {
        let mut source = self.source.clone();
        for (name, value) in members {
            source.insert((*name).to_owned(), value.clone());
        }
        Self::read(source)
    }

    /// Applies the body of `_update`.
    ///
    /// # Errors
    /// 400 for what cannot be changed.
    pub(crate) fn updated(&self, body: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut source = self.source.clone();
        for (name, value) in body {
            if UNSUPPORTED.contains(&name.as_str()) {
                return Err(not_supported("job_update", name));
            } else if name == "detectors" {
                detector_update::apply(&mut source, value)?;
            } else if name == "model_prune_window" {
                if let Some(config) = source.get_mut("analysis_config").and_then(Value::as_object_mut) {
                    config.insert(name.clone(), value.clone());
                }
            } else if name == "job_id" {
                // The path's counts, as in Elasticsearch.
            } else if UPDATABLE.contains(&name.as_str()) {
                source.insert(name.clone(), value.clone());
            } else {
                return Err(ApiError::content(format!("[job_update] unknown field [{name}]")));
            }
        }
        Self::read(source)
    }
}

/// Refuses an id in the body that differs from the path's.
pub(super) fn inconsistent(field: &str, body: &str, path: &str) -> ApiError {
    ApiError::illegal_argument(format!(
        "Inconsistent {field}; '{body}' specified in the body differs from '{path}' specified as a URL argument"
    ))
}

/// The members that are kept as they are: only their shape is checked.
fn check_plain(fields: &Fields<'_>) -> Result<(), ApiError> {
    fields.text("description")?;
    fields.object("custom_settings")?;
    fields.flag("allow_lazy_open")?;
    Ok(())
}

fn data_description(fields: &Fields<'_>) -> Result<(String, TimeFormat), ApiError> {
    let object = fields.object("data_description")?;
    let object = object.ok_or_else(|| ApiError::illegal_argument("A data_description must be set"))?;
    let description =
        Fields::new("data_description", object).only(&["format", "time_field", "time_format"], &["field_delimiter"])?;
    if let Some(other) = description.text("format")?.filter(|format| !format.eq_ignore_ascii_case("xcontent")) {
        return Err(not_supported("data_description", &format!("format {other}")));
    }
    let time_field = description.text("time_field")?.unwrap_or("time").to_owned();
    let time_format = match description.text("time_format")?.unwrap_or("epoch_ms") {
        "epoch" => TimeFormat::Epoch,
        "epoch_ms" => TimeFormat::EpochMs,
        other => return Err(not_supported("data_description", &format!("time_format {other}"))),
    };
    Ok((time_field, time_format))
}

fn check_time_field(plan: &Plan, time_field: &String) -> Result<(), ApiError> {
    let used = plan.detectors.iter().any(|detector| analysis::names(detector).any(|(_, field)| field == time_field));
    if used || plan.summary_count_field.as_ref() == Some(time_field) {
        return Err(time_field_used());
    }
    Ok(())
}

fn time_field_used() -> ApiError {
    ApiError::illegal_argument("data_description.time_field may not be used in the analysis_config")
}

/// `shared`, or `custom-NAME`; a stored name has its prefix already.
fn results_name(given: Option<&str>) -> Result<String, ApiError> {
    let Some(given) = given.filter(|given| !matches!(*given, "" | "shared")) else { return Ok("shared".to_owned()) };
    let name = given.strip_prefix("custom-").unwrap_or(given);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(plain) || name.len() > 200 {
        return Err(invalid_results_name(given));
    }
    Ok(format!("custom-{name}"))
}

fn invalid_results_name(given: &str) -> ApiError {
    ApiError::illegal_argument(format!(
        "Invalid results_index_name; '{given}' can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must \
         start and end with alphanumeric"
    ))
}
