//! Values of a document by path.

use serde_json::Value;

/// All values at `path`, through objects, arrays and names that hold dots; without nulls.
pub fn at<'a>(source: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    collect(source, path, &mut found);
    found
}

fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
        Value::Object(members) => {
            if let Some(inner) = members.get(path) {
                leaves(inner, found);
            }
            for (at, _) in path.match_indices('.') {
                let (name, rest) = path.split_at(at);
                if let (Some(inner), Some(rest)) = (members.get(name), rest.strip_prefix('.')) {
                    collect(inner, rest, found);
                }
            }
        }
        _ => {}
    }
}

fn leaves<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        leaf => found.push(leaf),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_through_objects_arrays_and_dots() {
        let source = json!({"a": {"b": 1}, "a.b": 2, "c": [{"d": [3, null]}, {"d": 4}]});
        assert_eq!(at(&source, "a.b"), [&json!(2), &json!(1)]);
        assert_eq!(at(&source, "c.d"), [&json!(3), &json!(4)]);
        assert!(at(&source, "x.y").is_empty());
    }
}
