//! One record and the reading of its fields.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What the detector reads: a time and the fields of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// Milliseconds since 1970.
    pub(crate) time_ms: i64,
    pub(crate) fields: &'a Map<String, Value>,
}

impl<'a> Record<'a> {
    /// A field as text; of a list its values with commas between, as in Elasticsearch. `None` if it is absent, null, an object,
    /// or a list of nothing else.
    pub(crate) fn text(&self, path: &str) -> Option<Cow<'a, str>> {
        let value = self.scalar(path)?;
        let Value::Array(values) = value else { return plain(value) };
        let texts: Vec<Cow<'_, str>> = values.iter().filter_map(plain).collect();
        (!texts.is_empty()).then(|| Cow::Owned(texts.join(",")))
    }

    /// Whether the field has a value.
    pub(crate) fn has(&self, path: &str) -> bool {
        let is_value = |value: &Value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_));
        match find(self.fields, path) {
            Some(Value::Array(values)) => values.iter().any(is_value),
            found => found.is_some_and(is_value),
        }
    }

    /// A field as a finite number; numbers written as text count too, as Elasticsearch coerces them.
    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        let number = match self.scalar(path)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        number.filter(|number| number.is_finite())
    }

    fn scalar(&self, path: &str) -> Option<&'a Value> {
        match find(self.fields, path)? {
            Value::Array(values) if values.len() == 1 => values.first(),
            value => Some(value),
        }
    }
}

fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Finds `a.b.c` whether the document nests it, dots it, or both.
pub(crate) fn find<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(at, _)| {
        let (head, tail) = path.split_at_checked(at)?;
        find(fields.get(head)?.as_object()?, tail.strip_prefix('.')?)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_one_value() {
        let fields = json!({"many": ["a", 1, null, {"x": 1}, true, ["z"]], "one": ["a"], "none": [], "nulls": [null], "o": {}, "null": null});
        let record = Record { time_ms: 0, fields: fields.as_object().unwrap() };
        for (path, text) in [
            ("many", Some("a,1,true")),
            ("one", Some("a")),
            ("none", None),
            ("nulls", None),
            ("o", None),
            ("null", None),
            ("absent", None),
        ] {
            assert_eq!(record.text(path).as_deref(), text, "{path}");
            assert_eq!(record.has(path), text.is_some(), "{path}");
        }
        assert_eq!(record.number("many"), None);
    }
}
