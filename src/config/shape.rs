//! What a config may look like: a small model of the JSON Schema that `schemars` derives from the document types.
//!
//! One source, three uses: the check of a file against it, `mlgate schema`, and `docs/configuration.md`.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::document::Document;

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// A mapping with these keys, and any others of `rest`.
    Mapping {
        keys: Vec<Key>,
        rest: Option<Box<Shape>>,
    },
    List(Box<Shape>),
    /// One of several mappings; the key `tag` says which.
    Choice {
        tag: String,
        shapes: Vec<(String, Shape)>,
    },
    /// One of these words.
    Word(Vec<String>),
    Text,
    Secret,
    Period,
    Size,
    Bool,
    Whole {
        least: u64,
        most: u64,
    },
    Ratio {
        least: f64,
        most: f64,
    },
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// What the doc comment says, in one line.
    pub(super) about: String,
    /// As JSON; `None` where there is none or it is `null`.
    pub(super) default: Option<Value>,
}

/// JSON Schema of the config file, draft 2020-12.
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Document>().to_value()
}

impl Shape {
    /// The shape of the whole file.
    pub(super) fn of_document() -> Self {
        Self::read(&json_schema())
    }

    /// Reads what `schemars` writes for the document types, and no more: a test looks at every key.
    fn read(schema: &Value) -> Self {
        if let Some(inner) = without_null(schema) {
            return Self::read(inner);
        }
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            return Self::Choice { tag: "type".to_owned(), shapes: choices.iter().filter_map(tagged).collect() };
        }
        let words = schema.get("enum").or_else(|| schema.get("const"));
        if let Some(words) = words {
            let list = words.as_array().cloned().unwrap_or_else(|| vec![words.clone()]);
            return Self::Word(list.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect());
        }
        match type_name(schema) {
            "object" => Self::mapping(schema),
            "array" => Self::List(Box::new(Self::read(schema.get("items").unwrap_or(&json!({}))))),
            "boolean" => Self::Bool,
            "integer" => Self::Whole {
                least: schema.get("minimum").and_then(Value::as_u64).unwrap_or(0),
                most: schema.get("maximum").and_then(Value::as_u64).unwrap_or(u64::from(u32::MAX)),
            },
            "number" => Self::Ratio {
                least: schema.get("minimum").and_then(Value::as_f64).unwrap_or(0.0),
                most: schema.get("maximum").and_then(Value::as_f64).unwrap_or(f64::MAX),
            },
            _ => match schema.get("format").and_then(Value::as_str) {
                Some("secret") => Self::Secret,
                Some("period") => Self::Period,
                Some("size") => Self::Size,
                _ => Self::Text,
            },
        }
    }

    fn mapping(schema: &Value) -> Self {
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let keys = properties.into_iter().map(|(name, schema)| Key {
            required: required.contains(&Value::String(name.clone())),
            shape: Self::read(&schema),
            about: text(&schema, "description"),
            default: schema.get("default").filter(|default| !default.is_null()).cloned(),
            name,
        });
        let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
        Self::Mapping { keys: keys.collect(), rest: rest.map(|rest| Box::new(Self::read(rest))) }
    }

    /// What a value of it is called in `expected ...`.
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Mapping { keys, .. } if keys.is_empty() => "a mapping of names to values".to_owned(),
            Self::Mapping { keys, .. } => format!("a mapping with {}", names(keys.iter().map(|key| key.name.as_str()))),
            Self::List(_) => "a list".to_owned(),
            Self::Choice { tag, shapes } => {
                format!("a mapping with [{tag}] {}", names(shapes.iter().map(|(name, _)| name.as_str())))
            }
            Self::Word(words) => format!("one of {}", names(words.iter().map(String::as_str))),
            Self::Text => "a text".to_owned(),
            Self::Secret => "a text (a secret)".to_owned(),
            Self::Period => "a duration such as [30s]".to_owned(),
            Self::Size => "a size such as [100mb]".to_owned(),
            Self::Bool => "[true] or [false]".to_owned(),
            Self::Whole { least, most } if *most == u64::from(u32::MAX) => format!("a whole number from {least}"),
            Self::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Self::Ratio { least, most } => format!("a number from {least} to {most}"),
        }
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}

/// `Option<T>` is written as `anyOf: [T, null]`.
fn without_null(schema: &Value) -> Option<&Value> {
    let options = schema.get("anyOf")?.as_array()?;
    options.iter().find(|option| option.get("type").and_then(Value::as_str) != Some("null"))
}

/// A variant of a tagged enum: a mapping in which `type` is a constant.
fn tagged(schema: &Value) -> Option<(String, Shape)> {
    let name = schema.pointer("/properties/type/const")?.as_str()?.to_owned();
    Some((name, Shape::read(schema)))
}

/// `"string"`, or the part of `["string", "null"]` that is not null.
fn type_name(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or(""),
        Some(name) => name.as_str().unwrap_or(""),
        None => "",
    }
}

fn text(schema: &Value, name: &str) -> String {
    let Some(text) = schema.get(name).and_then(Value::as_str) else { return String::new() };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every shape with its path.
    fn walk(shape: &Shape, path: &str, visit: &mut impl FnMut(&str, &Shape)) {
        visit(path, shape);
        match shape {
            Shape::Mapping { keys, rest } => {
                keys.iter().for_each(|key| walk(&key.shape, &format!("{path}.{}", key.name), visit));
                rest.iter().for_each(|rest| walk(rest, &format!("{path}.*"), visit));
            }
            Shape::List(inner) => walk(inner, &format!("{path}[]"), visit),
            Shape::Choice { shapes, .. } => {
                shapes.iter().for_each(|(name, shape)| walk(shape, &format!("{path}({name})"), visit));
            }
            _ => {}
        }
    }

    #[test]
    fn every_kind_of_value_is_understood() {
        let mut found = std::collections::BTreeMap::new();
        walk(&Shape::of_document(), "", &mut |path, shape| {
            found.insert(path.to_owned(), shape.expected());
        });
        for (path, expected) in [
            (".workers", "a whole number from 0 to 1024"),
            (".limits.max_header_bytes", "a size such as [100mb]"),
            (".limits.max_connections", "a whole number from 1"),
            (".limits.requests_per_second_per_principal", "a whole number from 0"),
            (".timeouts.drain", "a duration such as [30s]"),
            (".clusters[].identity", "one of [passthrough, service, run_as, none]"),
            (".clusters[].credentials.password", "a text (a secret)"),
            (".clusters[].nodes[]", "a text"),
            (".authentication.realms[]", "a mapping with [type] [file, jwt, pki, elasticsearch]"),
            (".authentication.realms[](jwt).required_claims.*[]", "a text"),
            (".authentication.realms[](jwt).token_type", "one of [id_token, access_token]"),
            (".tracing.sample_ratio", "a number from 0 to 1"),
            (".upgrade_mode.verify_acknowledgement", "[true] or [false]"),
        ] {
            assert_eq!(found.get(path).map(String::as_str), Some(expected), "{path}");
        }
    }

    #[test]
    fn every_key_says_what_it_is() {
        walk(&Shape::of_document(), "", &mut |path, shape| {
            if let Shape::Mapping { keys, rest } = shape {
                assert!(!keys.is_empty() || rest.is_some(), "{path}: nothing may stand here");
                for key in keys {
                    assert!(!key.about.is_empty() || key.name == "type", "{path}.{}: no doc comment", key.name);
                }
            }
        });
    }
}
