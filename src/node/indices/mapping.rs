//! The mapping of an index: its fields as JSON, and flat by path.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::field::{DateFormats, Field, Kind};
use crate::node::store::OperationError;

/// More fields are refused, as Elasticsearch's `index.mapping.total_fields.limit` does.
pub const FIELDS_MAX: usize = 1000;

/// What becomes of fields that the mapping does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dynamic {
    Add,
    Ignore,
    Refuse,
}

/// A mapping; the JSON is what `_mapping` shows, the paths are what documents and queries use.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    root: Map<String, Value>,
    fields: BTreeMap<String, Field>,
    dynamic: Dynamic,
    date_detection: bool,
}

impl Mapping {
    pub fn empty() -> Self {
        Self { root: Map::new(), fields: BTreeMap::new(), dynamic: Dynamic::Add, date_detection: true }
    }

    /// Reads `{"dynamic":..,"properties":{..}}`.
    ///
    /// # Errors
    /// Types, parameters and formats that the node does not know, by name.
    pub fn parse(root: &Value) -> Result<Self, OperationError> {
        let Some(root) = root.as_object() else { return Err(problem("Expected map for property [mappings]")) };
        let mut mapping = Self::empty();
        for (key, value) in root {
            match key.as_str() {
                "properties" => mapping.add_properties("", value)?,
                "dynamic" => mapping.dynamic = dynamic(value)?,
                "date_detection" => mapping.date_detection = boolean(key, value)?,
                "_meta" => {}
                other => {
                    return Err(problem(format!(
                        "Root mapping definition has unsupported parameters:  [{other} : {value}]"
                    )));
                }
            }
        }
        mapping.root = root.clone();
        mapping.root.retain(|key, value| key != "properties" || value.as_object().is_some_and(|map| !map.is_empty()));
        if mapping.fields.len() > FIELDS_MAX {
            return Err(OperationError::TooManyFields { limit: FIELDS_MAX });
        }
        Ok(mapping)
    }

    fn add_properties(&mut self, parent: &str, properties: &Value) -> Result<(), OperationError> {
        let Some(properties) = properties.as_object() else {
            return Err(problem("Expected map for property [properties]"));
        };
        for (name, definition) in properties {
            if name.is_empty() || name.split('.').any(str::is_empty) {
                return Err(problem("field name cannot be an empty string"));
            }
            let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
            self.add_field(path, definition)?;
        }
        Ok(())
    }

    fn add_field(&mut self, path: String, definition: &Value) -> Result<(), OperationError> {
        let Some(parameters) = definition.as_object() else {
            return Err(problem(format!(
                "Expected map for property [fields] on field [{path}] but got a class java.lang.String"
            )));
        };
        let kind = match parameters.get("type").and_then(Value::as_str) {
            Some(name) => Kind::parse(name)
                .ok_or_else(|| problem(format!("No handler for type [{name}] declared on field [{path}]")))?,
            None if parameters.get("enabled") == Some(&json!(false)) => Kind::Opaque,
            None => Kind::Object,
        };
        let mut field = Field::new(kind);
        for (key, value) in parameters {
            match key.as_str() {
                "type" | "index" | "doc_values" | "store" | "norms" | "meta" | "coerce" | "index_options" => {}
                "enabled" if matches!(kind, Kind::Object | Kind::Opaque) => {}
                "dynamic" if kind == Kind::Object && *value == json!(true) => {}
                "properties" if kind == Kind::Object => self.add_properties(&path, value)?,
                "properties" if kind == Kind::Opaque => {}
                "fields" if kind != Kind::Object => self.add_properties(&path, value)?,
                "ignore_above" => field.ignore_above = value.as_u64().and_then(|most| usize::try_from(most).ok()),
                "ignore_malformed" => field.ignore_malformed = boolean(key, value)?,
                "format" if kind == Kind::Date => {
                    let text = value.as_str().unwrap_or_default();
                    field.formats = DateFormats::parse(text)
                        .ok_or_else(|| problem(format!("Invalid format: [{text}]: not supported by this node")))?;
                }
                other => {
                    let kind = kind.name();
                    return Err(problem(format!("unknown parameter [{other}] on mapper [{path}] of type [{kind}]")));
                }
            }
        }
        self.fields.insert(path, field);
        Ok(())
    }

    /// The field at a path, sub-fields such as `name.keyword` too.
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.fields.get(path)
    }

    pub fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.fields.iter().map(|(path, field)| (path.as_str(), field))
    }

    pub fn dynamic(&self) -> Dynamic {
        self.dynamic
    }

    pub fn date_detection(&self) -> bool {
        self.date_detection
    }

    /// As `_mapping` shows it.
    pub fn to_json(&self) -> Value {
        Value::Object(self.root.clone())
    }

    /// This mapping with another laid over it.
    ///
    /// # Errors
    /// A field that would change its type.
    pub fn merged(&self, addition: &Value) -> Result<Self, OperationError> {
        let added = Self::parse(addition)?;
        for (path, field) in &added.fields {
            if let Some(old) = self.fields.get(path)
                && old.kind != field.kind
            {
                return Err(OperationError::Setting {
                    problem: format!(
                        "mapper [{path}] cannot be changed from type [{}] to [{}]",
                        old.kind.name(),
                        field.kind.name()
                    ),
                });
            }
        }
        let mut root = Value::Object(self.root.clone());
        lay_over(&mut root, addition);
        Self::parse(&root)
    }

    /// This mapping with fields that documents brought.
    ///
    /// # Errors
    /// Too many fields.
    pub fn grown(&self, additions: &BTreeMap<String, Kind>) -> Result<Self, OperationError> {
        let mut root = Value::Object(self.root.clone());
        for (path, kind) in additions {
            let definition = match kind {
                Kind::Text => json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}),
                Kind::Object => json!({"properties": {}}),
                other => json!({"type": other.name()}),
            };
            let nested = path.rsplit('.').fold(definition, |inner, name| {
                let mut properties = Map::new();
                properties.insert(name.to_owned(), inner);
                json!({ "properties": properties })
            });
            lay_over(&mut root, &nested);
        }
        Self::parse(&root)
    }
}

fn lay_over(base: &mut Value, addition: &Value) {
    match (base, addition) {
        (Value::Object(base), Value::Object(addition)) => {
            for (key, value) in addition {
                match base.get_mut(key) {
                    Some(old) => lay_over(old, value),
                    None => {
                        base.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (base, addition) => *base = addition.clone(),
    }
}

fn dynamic(value: &Value) -> Result<Dynamic, OperationError> {
    match super::field::plain(value).as_str() {
        "true" => Ok(Dynamic::Add),
        "false" => Ok(Dynamic::Ignore),
        "strict" => Ok(Dynamic::Refuse),
        other => Err(problem(format!("No enum constant for [dynamic]: [{other}]"))),
    }
}

fn boolean(key: &str, value: &Value) -> Result<bool, OperationError> {
    value.as_bool().ok_or_else(|| {
        problem(format!(
            "Failed to parse value [{}] as only [true] or [false] are allowed. [{key}]",
            super::field::plain(value)
        ))
    })
}

fn problem(text: impl Into<String>) -> OperationError {
    OperationError::Mapping { problem: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_fields_and_sub_fields_by_path() {
        let mapping = Mapping::parse(&json!({"properties": {
            "at": {"type": "date"},
            "host": {"properties": {"name": {"type": "text", "fields": {"keyword": {"type": "keyword"}}}}}
        }}))
        .expect("a mapping");
        assert_eq!(mapping.field("at").map(|field| field.kind), Some(Kind::Date));
        assert_eq!(mapping.field("host.name.keyword").map(|field| field.kind), Some(Kind::Keyword));
        assert_eq!(mapping.field("host").map(|field| field.kind), Some(Kind::Object));
    }

    #[test]
    fn names_what_it_does_not_know() {
        let refused = |mapping: Value| Mapping::parse(&mapping).expect_err("refused").to_string();
        assert_eq!(
            refused(json!({"properties": {"a": {"type": "geo_point"}}})),
            "No handler for type [geo_point] declared on field [a]"
        );
        assert_eq!(
            refused(json!({"properties": {"a": {"type": "long", "copy_to": "b"}}})),
            "unknown parameter [copy_to] on mapper [a] of type [long]"
        );
        assert_eq!(
            refused(json!({"dynamic_templates": []})),
            "Root mapping definition has unsupported parameters:  [dynamic_templates : []]"
        );
    }

    #[test]
    fn a_type_does_not_change() {
        let mapping = Mapping::parse(&json!({"properties": {"a": {"type": "long"}}})).expect("a mapping");
        let refused = mapping.merged(&json!({"properties": {"a": {"type": "keyword"}}})).expect_err("a conflict");
        assert_eq!(refused.to_string(), "mapper [a] cannot be changed from type [long] to [keyword]");
        let merged = mapping.merged(&json!({"properties": {"b": {"type": "keyword"}}})).expect("a mapping");
        assert!(merged.field("a").is_some() && merged.field("b").is_some());
    }

    #[test]
    fn grows_by_paths() {
        let additions = BTreeMap::from([("a.b".to_owned(), Kind::Text), ("c".to_owned(), Kind::Date)]);
        let mapping = Mapping::empty().grown(&additions).expect("a mapping");
        assert_eq!(mapping.field("a.b.keyword").and_then(|field| field.ignore_above), Some(256));
        assert_eq!(mapping.to_json().pointer("/properties/c/type"), Some(&json!("date")));
    }
}
