//! Settings of an index, flat and without the `index.` prefix.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::field::plain;
use crate::node::store::OperationError;

/// Settings that are stored and shown; all but `hidden` and `max_result_window` change nothing on a single node.
const KNOWN: [&str; 12] = [
    "auto_expand_replicas",
    "codec",
    "hidden",
    "lifecycle.name",
    "mapping.total_fields.limit",
    "max_result_window",
    "number_of_replicas",
    "number_of_shards",
    "priority",
    "refresh_interval",
    "routing.allocation.include._tier_preference",
    "translog.durability",
];

/// Reads `{"index":{"number_of_shards":1}}`, `{"index.number_of_shards":1}` or `{"number_of_shards":1}`.
///
/// # Errors
/// Settings that the node does not know, by name.
pub fn parse(settings: &Value) -> Result<BTreeMap<String, String>, OperationError> {
    let mut flat = BTreeMap::new();
    let Some(members) = settings.as_object() else {
        return Err(OperationError::Setting { problem: "key [settings] must be an object".to_owned() });
    };
    flatten("", members, &mut flat);
    let mut named = BTreeMap::new();
    for (key, value) in flat {
        let name = key.strip_prefix("index.").unwrap_or(&key).to_owned();
        if !KNOWN.contains(&name.as_str()) {
            return Err(OperationError::Setting {
                problem: format!(
                    "unknown setting [index.{name}] please check that any required plugins are installed, or check the breaking \
                     changes documentation for removed settings"
                ),
            });
        }
        check(&name, &value)?;
        named.insert(name, value);
    }
    Ok(named)
}

/// Whole numbers of at least so many.
const COUNTED: [(&str, u32); 3] = [("number_of_replicas", 0), ("number_of_shards", 1), ("max_result_window", 1)];

fn check(name: &str, value: &str) -> Result<(), OperationError> {
    let Some((_, least)) = COUNTED.iter().find(|(counted, _)| *counted == name) else { return Ok(()) };
    let problem = match value.parse::<i64>() {
        Ok(number) if number >= i64::from(*least) => return Ok(()),
        Ok(_) => format!("Failed to parse value [{value}] for setting [index.{name}] must be >= {least}"),
        Err(_) => format!("Failed to parse value [{value}] for setting [index.{name}]"),
    };
    Err(OperationError::Setting { problem })
}

fn flatten(parent: &str, members: &Map<String, Value>, flat: &mut BTreeMap<String, String>) {
    for (name, value) in members {
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        match value {
            Value::Object(members) => flatten(&path, members, flat),
            Value::Null => {}
            leaf => {
                flat.insert(path, plain(leaf));
            }
        }
    }
}

/// `{"index":{..}}` with nested names, as `_settings` shows them.
pub fn to_json(flat: impl Iterator<Item = (String, String)>) -> Value {
    let mut index = Map::new();
    for (name, value) in flat {
        insert(&mut index, &name, value);
    }
    json!({ "index": index })
}

fn insert(members: &mut Map<String, Value>, name: &str, value: String) {
    let Some((first, rest)) = name.split_once('.') else {
        members.insert(name.to_owned(), Value::String(value));
        return;
    };
    let inner = members.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_spellings() {
        for settings in [
            json!({"index": {"number_of_shards": 2}}),
            json!({"index.number_of_shards": "2"}),
            json!({"number_of_shards": 2}),
        ] {
            assert_eq!(parse(&settings), Ok(BTreeMap::from([("number_of_shards".to_owned(), "2".to_owned())])));
        }
    }

    #[test]
    fn names_what_it_does_not_know() {
        let refused = parse(&json!({"index": {"sort": {"field": "a"}}})).expect_err("refused").to_string();
        assert!(refused.starts_with("unknown setting [index.sort.field] please check"), "{refused}");
    }

    #[test]
    fn counts_have_a_least() {
        for (settings, problem) in [
            (
                json!({"number_of_shards": 0}),
                "Failed to parse value [0] for setting [index.number_of_shards] must be >= 1",
            ),
            (json!({"number_of_replicas": "x"}), "Failed to parse value [x] for setting [index.number_of_replicas]"),
        ] {
            assert_eq!(parse(&settings).expect_err("refused").to_string(), problem);
        }
    }

    #[test]
    fn shows_them_nested() {
        let flat = [("mapping.total_fields.limit".to_owned(), "5".to_owned())];
        assert_eq!(to_json(flat.into_iter()), json!({"index": {"mapping": {"total_fields": {"limit": "5"}}}}));
    }
}
