//! `error_trace`: errors with a `stack_trace`.

use serde_json::{Map, Value};

/// Adds `stack_trace` to the error of a body, to its root causes and to what caused it.
///
/// There is no stack to show, since errors are values here: the trace names the exception and, below it, each cause.
pub(super) fn add(body: &mut Value) {
    let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) else { return };
    for cause in error.get_mut("root_cause").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(cause) = cause.as_object_mut() {
            trace(cause);
        }
    }
    trace(error);
}

/// Gives the exception its trace, and the text of it.
fn trace(exception: &mut Map<String, Value>) -> String {
    let text = |name: &str| exception.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut lines = format!("[{}]: {}", text("type"), text("reason"));
    if let Some(cause) = exception.get_mut("caused_by").and_then(Value::as_object_mut) {
        lines.push_str("\nCaused by: ");
        lines.push_str(&trace(cause));
    }
    exception.insert("stack_trace".to_owned(), Value::String(lines.clone()));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_exception_names_what_caused_it() {
        let mut body = json!({"error": {
            "root_cause": [{"type": "a", "reason": "b"}],
            "type": "a",
            "reason": "b",
            "caused_by": {"type": "c", "reason": "d"},
        }});
        add(&mut body);
        assert_eq!(body["error"]["stack_trace"], "[a]: b\nCaused by: [c]: d");
        assert_eq!(body["error"]["caused_by"]["stack_trace"], "[c]: d");
        assert_eq!(body["error"]["root_cause"][0]["stack_trace"], "[a]: b");
        let mut simple = json!({"error": "text"});
        add(&mut simple);
        assert_eq!(simple, json!({"error": "text"}));
    }
}
