//! `analysis_limits`: how much memory a job's models may take.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::node::http::ApiError;

const MEMORY_DEFAULT_BYTES: u64 = 1 << 30;
const EXAMPLES_DEFAULT: i64 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AnalysisLimits {
    pub(super) memory_bytes: u64,
    /// Of each category; kept as it is, since nothing is categorized.
    examples: i64,
}

impl AnalysisLimits {
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub(super) fn read(job: &Fields<'_>) -> Result<Self, ApiError> {
        const EXAMPLES: &str = "categorization_examples_limit";
        let empty = Map::new();
        let limits = Fields::new("analysis_limits", job.object("analysis_limits")?.unwrap_or(&empty))
            .only(&["model_memory_limit", EXAMPLES], &[])?;
        let examples = limits.integer(EXAMPLES)?.unwrap_or(EXAMPLES_DEFAULT);
        if examples < 0 {
            return Err(ApiError::illegal_argument(format!("{EXAMPLES} cannot be less than 0. Value = {examples}")));
        }
        Ok(Self { memory_bytes: memory_bytes(&limits)?, examples })
    }

    pub(super) fn shown(self) -> Value {
        let limit = format!("{}mb", self.memory_bytes >> 20);
        json!({"model_memory_limit": limit, "categorization_examples_limit": self.examples})
    }
}

fn memory_bytes(limits: &Fields<'_>) -> Result<u64, ApiError> {
    const NAME: &str = "model_memory_limit";
    let bytes = match limits.value(NAME) {
        None => MEMORY_DEFAULT_BYTES,
        Some(Value::String(text)) => byte_size(text, NAME)?,
        Some(other) => {
            let bytes = other.as_u64().and_then(|mebibytes| mebibytes.checked_mul(1 << 20));
            bytes.ok_or_else(|| no_size(NAME, &other.to_string()))?
        }
    };
    if bytes < 1 << 20 {
        let found = bytes >> 20;
        return Err(ApiError::illegal_argument(format!("{NAME} must be at least 1 MiB. Value = {found}")));
    }
    Ok(bytes)
}

/// Reads `512mb`, `1gb`, `1048576b` into bytes.
///
/// # Errors
/// 400 with Elasticsearch's text, which names `setting`.
///
/// Source: elasticsearch, `ByteSizeValue.java`.
pub(super) fn byte_size(text: &str, setting: &str) -> Result<u64, ApiError> {
    const UNITS: [(&str, u32); 11] = [
        ("kb", 10),
        ("mb", 20),
        ("gb", 30),
        ("tb", 40),
        ("pb", 50),
        ("k", 10),
        ("m", 20),
        ("g", 30),
        ("t", 40),
        ("p", 50),
        ("b", 0),
    ];
    let lower = text.trim().to_ascii_lowercase();
    let read = UNITS.iter().find_map(|(unit, shift)| Some((lower.strip_suffix(unit)?.trim(), shift)));
    let (number, shift) = read.ok_or_else(|| no_size(setting, text))?;
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| ApiError::parse(format!("failed to parse [{text}]")))
}

fn no_size(setting: &str, given: &str) -> ApiError {
    ApiError::parse(format!(
        "failed to parse setting [{setting}] with value [{given}] as a size in bytes: unit is missing or unrecognized"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(limits: Value) -> Result<AnalysisLimits, ApiError> {
        let job = json!({"analysis_limits": limits});
        AnalysisLimits::read(&Fields::of("job_details", &job)?)
    }

    #[test]
    fn what_is_given_is_kept() {
        let shown = |limits| read(limits).unwrap().shown();
        assert_eq!(shown(json!({})), json!({"model_memory_limit": "1024mb", "categorization_examples_limit": 4}));
        let given = json!({"model_memory_limit": "2g", "categorization_examples_limit": 6});
        assert_eq!(shown(given), json!({"model_memory_limit": "2048mb", "categorization_examples_limit": 6}));
        assert_eq!(read(json!({"model_memory_limit": 12})).unwrap().memory_bytes, 12 << 20);
    }

    #[test]
    fn what_is_no_size_is_refused_in_elasticsearchs_words() {
        const UNIT: &str = "as a size in bytes: unit is missing or unrecognized";
        for (limits, reason) in [
            (
                json!({"model_memory_limit": "1x"}),
                format!("failed to parse setting [model_memory_limit] with value [1x] {UNIT}"),
            ),
            (
                json!({"model_memory_limit": "5"}),
                format!("failed to parse setting [model_memory_limit] with value [5] {UNIT}"),
            ),
            (
                json!({"model_memory_limit": true}),
                format!("failed to parse setting [model_memory_limit] with value [true] {UNIT}"),
            ),
            (json!({"model_memory_limit": "-1mb"}), "failed to parse [-1mb]".to_owned()),
            (
                json!({"model_memory_limit": "18446744073709551615tb"}),
                "failed to parse [18446744073709551615tb]".to_owned(),
            ),
            (json!({"model_memory_limit": "1kb"}), "model_memory_limit must be at least 1 MiB. Value = 0".to_owned()),
            (
                json!({"categorization_examples_limit": -1}),
                "categorization_examples_limit cannot be less than 0. Value = -1".to_owned(),
            ),
        ] {
            let problem = read(limits).unwrap_err();
            assert_eq!((problem.status(), problem.reason()), (400, reason.as_str()));
        }
    }
}
