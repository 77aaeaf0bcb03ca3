//! One index: its names, settings, mapping, aliases, and which fields are kept in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::mapping::Mapping;
use super::{names, settings};
use crate::node::store::OperationError;

/// What is known of an index; immutable, a change makes a new one.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexMetadata {
    pub name: Arc<str>,
    /// Unique in the store, never used again; part of the keys of its documents.
    pub number: u32,
    pub uuid: String,
    pub created_ms: i64,
    pub settings: BTreeMap<String, String>,
    pub mapping: Mapping,
    pub aliases: BTreeMap<String, Value>,
    /// Fields with an ordered index, and their number in its keys.
    pub ordered: BTreeMap<String, u16>,
}

impl IndexMetadata {
    /// Reads the body of `PUT /{index}`.
    ///
    /// # Errors
    /// A bad name, and parts of the body that the node does not know.
    pub fn create(
        name: &str,
        number: u32,
        uuid: String,
        created_ms: i64,
        body: &Value,
    ) -> Result<Self, OperationError> {
        names::check(name)?;
        let mut index = Self {
            name: Arc::from(name),
            number,
            uuid,
            created_ms,
            settings: BTreeMap::new(),
            mapping: Mapping::empty(),
            aliases: BTreeMap::new(),
            ordered: BTreeMap::new(),
        };
        for (key, value) in body.as_object().unwrap_or(&Map::new()) {
            match key.as_str() {
                "settings" => index.settings = settings::parse(value)?,
                "mappings" => index.mapping = Mapping::parse(value)?,
                "aliases" => index.aliases = aliases(value)?,
                other => {
                    return Err(OperationError::Body { problem: format!("unknown key [{other}] for create index") });
                }
            }
        }
        for (setting, default) in [("number_of_shards", "1"), ("number_of_replicas", "1")] {
            index.settings.entry(setting.to_owned()).or_insert_with(|| default.to_owned());
        }
        if names::is_hidden(name) {
            index.settings.insert("hidden".to_owned(), "true".to_owned());
        }
        Ok(index)
    }

    pub fn is_hidden(&self) -> bool {
        self.settings.get("hidden").is_some_and(|value| value == "true")
    }

    /// `from + size` may not be more.
    pub fn result_window(&self) -> usize {
        self.settings.get("max_result_window").and_then(|value| value.parse().ok()).unwrap_or(10_000)
    }

    /// As `_settings` shows it.
    pub fn settings_json(&self, version: u32) -> Value {
        let mut shown = self.settings.clone();
        shown.insert("creation_date".to_owned(), self.created_ms.to_string());
        shown.insert("uuid".to_owned(), self.uuid.clone());
        shown.insert("provided_name".to_owned(), self.name.to_string());
        shown.insert("version.created".to_owned(), version.to_string());
        settings::to_json(shown.into_iter())
    }

    /// As the store keeps it.
    pub fn to_record(&self) -> Vec<u8> {
        let record = json!({
            "number": self.number,
            "uuid": self.uuid,
            "created_ms": self.created_ms,
            "settings": self.settings,
            "mappings": self.mapping.to_json(),
            "aliases": self.aliases,
            "ordered": self.ordered,
        });
        record.to_string().into_bytes()
    }

    /// `None` for what [`IndexMetadata::to_record`] does not write.
    pub fn from_record(name: &str, record: &[u8]) -> Option<Self> {
        let record: Value = serde_json::from_slice(record).ok()?;
        Some(Self {
            name: Arc::from(name),
            number: u32::try_from(record.get("number")?.as_u64()?).ok()?,
            uuid: record.get("uuid")?.as_str()?.to_owned(),
            created_ms: record.get("created_ms")?.as_i64()?,
            settings: serde_json::from_value(record.get("settings")?.clone()).ok()?,
            mapping: Mapping::parse(record.get("mappings")?).ok()?,
            aliases: serde_json::from_value(record.get("aliases")?.clone()).ok()?,
            ordered: serde_json::from_value(record.get("ordered")?.clone()).ok()?,
        })
    }
}

fn aliases(value: &Value) -> Result<BTreeMap<String, Value>, OperationError> {
    let Some(members) = value.as_object() else {
        return Err(OperationError::Setting { problem: "key [aliases] must be an object".to_owned() });
    };
    for (alias, options) in members {
        names::check(alias)?;
        let unknown = options
            .as_object()
            .and_then(|options| options.keys().find(|key| *key != "is_hidden" && *key != "is_write_index"));
        if let Some(unknown) = unknown {
            return Err(OperationError::Setting {
                problem: format!("[{unknown}] of alias [{alias}] is not supported"),
            });
        }
    }
    Ok(members.iter().map(|(alias, options)| (alias.clone(), options.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_record_that_it_writes() {
        let body = json!({
            "settings": {"number_of_shards": 3, "index.hidden": true},
            "mappings": {"properties": {"at": {"type": "date"}}},
            "aliases": {"x": {}}
        });
        let mut index = IndexMetadata::create("a", 7, "u".to_owned(), 5, &body).expect("an index");
        index.ordered.insert("at".to_owned(), 0);
        assert_eq!(IndexMetadata::from_record("a", &index.to_record()), Some(index));
    }

    #[test]
    fn names_an_unknown_key() {
        let refused = IndexMetadata::create("a", 0, String::new(), 0, &json!({"mapping": {}})).expect_err("refused");
        assert_eq!(refused.to_string(), "unknown key [mapping] for create index");
    }
}
