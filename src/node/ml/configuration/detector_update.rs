//! `detectors` in the body of a job's `_update`.

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::node::http::ApiError;

/// Applies the `detectors` of a job's `_update`: descriptions and custom rules. What they come to is checked by whoever reads
/// the job again.
///
/// # Errors
/// 400 with Elasticsearch's text.
///
/// Source: elasticsearch, `JobUpdate.java`, `DetectorUpdate`.
pub(super) fn apply(source: &mut Map<String, Value>, updates: &Value) -> Result<(), ApiError> {
    let list = updates.as_array().ok_or_else(|| ApiError::content("[job_update] failed to parse field [detectors]"))?;
    let config = source.get_mut("analysis_config").and_then(|config| config.get_mut("detectors"));
    let Some(detectors) = config.and_then(Value::as_array_mut) else { return Ok(()) };
    let count = detectors.len();
    for update in list {
        let fields =
            Fields::of("detector_update", update)?.only(&["custom_rules", "description", "detector_index"], &[])?;
        let index = fields.integer("detector_index")?;
        let index = index.ok_or_else(|| ApiError::illegal_argument("Required [detector_index]"))?;
        let found = usize::try_from(index).ok().and_then(|index| detectors.get_mut(index));
        let Some(detector) = found.and_then(Value::as_object_mut) else {
            let reason = format!("Supplied detector_index [{index}] is >= the number of detectors [{count}]");
            return Err(ApiError::status_exception(400, reason));
        };
        let given = [("description", "detector_description"), ("custom_rules", "custom_rules")];
        for (name, member) in given {
            if let Some(value) = fields.value(name) {
                detector.insert(member.to_owned(), value.clone());
            }
        }
    }
    Ok(())
}
