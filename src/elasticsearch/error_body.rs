//! The two JSON shapes of an Elasticsearch error.
//!
//! Source: elasticsearch, `RestResponse.java`, `RestController.java`, `ElasticsearchException.java`.

use serde_json::{Map, Value, json};

/// One exception: type in snake case without `Elasticsearch`, reason, extra members, cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    kind: &'static str,
    reason: String,
    members: Map<String, Value>,
    caused_by: Option<Box<Exception>>,
}

impl Exception {
    pub fn new(kind: &'static str, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), members: Map::new(), caused_by: None }
    }

    /// Adds a member beside `reason`, such as `header` or `resource.id`.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    #[must_use]
    pub fn caused_by(mut self, cause: Self) -> Self {
        self.caused_by = Some(Box::new(cause));
        self
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The exception alone, as items of `_bulk` hold it: `{"type":..,"reason":..,..}`.
    pub fn item(&self) -> Value {
        Value::Object(self.nested())
    }

    fn flat(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(self.kind));
        object.insert("reason".to_owned(), json!(self.reason));
        object.extend(self.members.clone());
        object
    }

    fn nested(&self) -> Map<String, Value> {
        let mut object = self.flat();
        if let Some(cause) = &self.caused_by {
            object.insert("caused_by".to_owned(), Value::Object(cause.nested()));
        }
        object
    }

    /// `{"error":{"root_cause":[{..}],"type":..,"reason":..,..},"status":N}`
    pub fn full(&self, status: u16) -> Value {
        let mut error = Map::new();
        error.insert("root_cause".to_owned(), json!([Value::Object(self.flat())]));
        error.extend(self.nested());
        json!({ "error": error, "status": status })
    }
}

/// `{"error":"text","status":N}`; the `no handler found` answer has no status.
pub fn simple(text: &str, status: Option<u16>) -> Value {
    match status {
        Some(status) => json!({ "error": text, "status": status }),
        None => json!({ "error": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_shape_repeats_type_and_reason_as_root_cause() {
        let body =
            Exception::new("status_exception", "held").caused_by(Exception::new("illegal_state_exception", "on"));
        assert_eq!(
            body.full(429),
            json!({"error":{"root_cause":[{"type":"status_exception","reason":"held"}],"type":"status_exception",
                "reason":"held","caused_by":{"type":"illegal_state_exception","reason":"on"}},"status":429})
        );
    }

    #[test]
    fn simple_shape_has_a_status_only_where_it_is_given() {
        assert_eq!(simple("no handler found", None), json!({"error":"no handler found"}));
        assert_eq!(simple("wrong method", Some(405)), json!({"error":"wrong method","status":405}));
    }
}
