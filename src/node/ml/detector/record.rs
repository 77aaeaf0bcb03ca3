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
    /// A field as text; `None` if it is absent, null, a list of several or an object.
    pub(crate) fn text(&self, path: &str) -> Option<Cow<'a, str>> {
        match self.scalar(path)? {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
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
