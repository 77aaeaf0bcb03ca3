//! `_source` filtering: which members of a document are shown. `filter_path` uses the same patterns.

use serde_json::{Map, Value};

use super::SourceFilter;
use crate::node::indices::wildcard;

/// The parts of a source that a filter lets through.
pub fn filtered(source: Value, filter: &SourceFilter) -> Value {
    if filter.includes.is_empty() && filter.excludes.is_empty() {
        return source;
    }
    let included = if filter.includes.is_empty() {
        source
    } else {
        let patterns: Vec<_> = filter.includes.iter().map(|pattern| split(pattern)).collect();
        include(&source, &patterns).unwrap_or_else(|| Value::Object(Map::new()))
    };
    let patterns: Vec<_> = filter.excludes.iter().map(|pattern| split(pattern)).collect();
    if patterns.is_empty() { included } else { exclude(included, &patterns) }
}

fn split(pattern: &str) -> Vec<&str> {
    pattern.split('.').collect()
}

/// What the patterns name, with all that is below it; `None` when nothing is.
pub fn include(value: &Value, patterns: &[Vec<&str>]) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(name, inner)| Some((name.clone(), included_member(name, inner, patterns)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.iter().filter_map(|item| include(item, patterns)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

fn included_member(name: &str, inner: &Value, patterns: &[Vec<&str>]) -> Option<Value> {
    let rest = below(name, patterns);
    if rest.iter().any(|pattern| pattern.is_empty() || (pattern.as_slice() == ["**"])) {
        return Some(inner.clone());
    }
    if rest.is_empty() { None } else { include(inner, &rest) }
}

/// Without what the patterns name.
pub fn exclude(value: Value, patterns: &[Vec<&str>]) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter_map(|(name, inner)| {
                let rest = below(&name, patterns);
                if rest.iter().any(Vec::is_empty) {
                    return None;
                }
                let inner = if rest.is_empty() { inner } else { exclude(inner, &rest) };
                Some((name, inner))
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| exclude(item, patterns)).collect()),
        leaf => leaf,
    }
}

/// What is left of the patterns below a member. Names with dots take several parts, `**` any number of names.
fn below<'a>(name: &str, patterns: &[Vec<&'a str>]) -> Vec<Vec<&'a str>> {
    let parts: Vec<&str> = name.split('.').collect();
    let mut left: Vec<Vec<&'a str>> = patterns.to_vec();
    for part in parts {
        left = left.iter().flat_map(|pattern| step(part, pattern)).collect();
    }
    left
}

fn step<'a>(part: &str, pattern: &[&'a str]) -> Vec<Vec<&'a str>> {
    match pattern.split_first() {
        None => vec![Vec::new()],
        Some((&"**", rest)) => {
            let mut left = vec![pattern.to_vec()];
            if !rest.is_empty() {
                left.extend(step(part, rest));
            }
            left
        }
        Some((first, rest)) if wildcard::matches(first, part) => vec![rest.to_vec()],
        Some(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn show(includes: &[&str], excludes: &[&str]) -> Value {
        let source = json!({"a": {"b": 1, "c": 2}, "d": [{"b": 3, "e": 4}], "f.g": 5});
        let owned = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        filtered(source, &SourceFilter { enabled: true, includes: owned(includes), excludes: owned(excludes) })
    }

    #[test]
    fn includes_and_excludes_by_pattern() {
        assert_eq!(show(&["a.b"], &[]), json!({"a": {"b": 1}}));
        assert_eq!(show(&["a"], &["a.b"]), json!({"a": {"c": 2}}));
        assert_eq!(show(&["*.b"], &[]), json!({"a": {"b": 1}, "d": [{"b": 3}]}));
        assert_eq!(show(&["f.g"], &[]), json!({"f.g": 5}));
        assert_eq!(show(&[], &["d", "f*"]), json!({"a": {"b": 1, "c": 2}}));
        assert_eq!(show(&["x"], &[]), json!({}));
    }

    #[test]
    fn two_stars_reach_any_depth() {
        assert_eq!(
            include(&json!({"a": {"b": {"c": 1, "d": 2}}}), &[vec!["**", "c"]]),
            Some(json!({"a": {"b": {"c": 1}}}))
        );
    }
}
