//! Refuses query parameters that a handler does not read, with Elasticsearch's suggestion.

use strsim::normalized_levenshtein;

use super::table::Entry;
use crate::node::http::{ApiError, Request};

/// Read on every route.
const COMMON: [&str; 7] = ["error_trace", "filter_path", "format", "human", "pretty", "source", "source_content_type"];
/// As similar as Elasticsearch wants a suggestion to be.
const LEAST_SIMILAR: f64 = 0.5;

/// # Errors
/// 400, naming each parameter and what it may have been meant to be.
pub(super) fn refuse(request: &Request, entry: &Entry) -> Result<(), ApiError> {
    let accepted: Vec<&str> =
        entry.route.parameters.iter().copied().chain(request.parameters.keys().copied()).chain(COMMON).collect();
    let unknown: Vec<&str> = request.query.names().filter(|name| !accepted.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let several = if unknown.len() > 1 { "s" } else { "" };
    let listed: Vec<String> =
        unknown.iter().map(|name| format!("[{name}]{}", suggestion(name, entry.route.parameters))).collect();
    Err(ApiError::illegal_argument(format!(
        "request [{}] contains unrecognized parameter{several}: {}",
        request.decoded_path(),
        listed.join(", ")
    )))
}

fn suggestion(unknown: &str, parameters: &[&'static str]) -> String {
    let mut similar: Vec<(f64, &str)> = parameters
        .iter()
        .chain(&["error_trace", "filter_path", "format", "human", "pretty"])
        .map(|known| (normalized_levenshtein(unknown, known), *known))
        .filter(|(similarity, _)| *similarity > LEAST_SIMILAR)
        .collect();
    similar.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    similar.dedup_by_key(|(_, known)| *known);
    let names: Vec<&str> = similar.into_iter().map(|(_, known)| known).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" -> did you mean [{one}]?"),
        several => format!(" -> did you mean any of [{}]?", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near() {
        assert_eq!(suggestion("timeuot", &["timeout", "force"]), " -> did you mean [timeout]?");
        assert_eq!(suggestion("xyz", &["timeout"]), "");
        assert_eq!(suggestion("pretti", &[]), " -> did you mean [pretty]?");
    }
}
