//! Reads a JSON object strictly: each member is wanted, or refused by name.

use serde_json::{Map, Value};

use crate::node::http::ApiError;
use crate::node::ml::duration;

/// An object of a request body, and the name that error texts give it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    parser: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(parser: &'static str, map: &'a Map<String, Value>) -> Self {
        Self { parser, map }
    }

    /// # Errors
    /// 400 for what is no object.
    pub(crate) fn of(parser: &'static str, value: &'a Value) -> Result<Self, ApiError> {
        let map = value.as_object();
        map.map(|map| Self { parser, map }).ok_or_else(|| ApiError::content(format!("[{parser}] is not an object")))
    }

    /// Refuses members that are not `known`; those of `unsupported` by saying that the node does not have them, unless they
    /// are null or `false`.
    ///
    /// # Errors
    /// 400 that names the member.
    pub(crate) fn only(self, known: &[&str], unsupported: &[&str]) -> Result<Self, ApiError> {
        for (name, value) in self.map {
            if unsupported.contains(&name.as_str()) {
                if !matches!(value, Value::Null | Value::Bool(false)) {
                    return Err(not_supported(self.parser, name));
                }
            } else if !known.contains(&name.as_str()) {
                return Err(ApiError::content(format!("[{}] unknown field [{name}]", self.parser)));
            }
        }
        Ok(self)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// # Errors
    /// 400 for what is no text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.value(name).map(|value| value.as_str().ok_or_else(|| self.mistyped(name))).transpose()
    }

    /// A whole number; text that is one counts too.
    ///
    /// # Errors
    /// 400 for anything else.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let read = |value: &Value| match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        self.value(name).map(|value| read(value).ok_or_else(|| self.mistyped(name))).transpose()
    }

    /// An empty text is true, as in a query.
    ///
    /// # Errors
    /// 400 for anything but true and false.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(Value::String(text)) => match text.as_str() {
                "" | "true" => Ok(Some(true)),
                "false" => Ok(Some(false)),
                _ => Err(ApiError::illegal_argument(format!(
                    "Failed to parse value [{text}] as only [true] or [false] are allowed."
                ))),
            },
            Some(_) => Err(self.mistyped(name)),
        }
    }

    /// # Errors
    /// 400 for what is no finite number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, ApiError> {
        let read = |value: &Value| match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        self.value(name).map(|value| read(value).ok_or_else(|| self.mistyped(name))).transpose()
    }

    /// A duration in milliseconds; a bare number counts as seconds if it is a number, as Elasticsearch reads `bucket_span`. One
    /// that is not negative is no longer than text can say: it is stored as text.
    ///
    /// # Errors
    /// 400 for anything else.
    pub(crate) fn duration_ms(&self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(seconds @ 0..) => duration::parse_ms(&format!("{seconds}s"), name).map(Some),
                Some(seconds) => Ok(Some(seconds.saturating_mul(1000))),
                None => Err(self.mistyped(name)),
            },
            Some(Value::String(text)) => duration::parse_ms(text, name).map(Some),
            Some(_) => Err(self.mistyped(name)),
        }
    }

    /// A list of texts; one text is a list of one.
    ///
    /// # Errors
    /// 400 for anything else.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let one = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| self.mistyped(name));
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(values)) => values.iter().map(one).collect::<Result<_, _>>().map(Some),
            Some(value) => one(value).map(|text| Some(vec![text])),
        }
    }

    /// # Errors
    /// 400 for what is no object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        self.value(name).map(|value| value.as_object().ok_or_else(|| self.mistyped(name))).transpose()
    }

    fn mistyped(&self, name: &str) -> ApiError {
        ApiError::content(format!("[{}] failed to parse field [{name}]", self.parser))
    }
}

/// What Elasticsearch has and the embedded node does not.
pub(crate) fn not_supported(parser: &str, name: &str) -> ApiError {
    ApiError::illegal_argument(format!("[{parser}] [{name}] is not supported by the embedded node"))
}
