//! Looks a document over against a mapping: what does not fit, which fields are new, which times it holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::dates::{self, Rounding};
use super::field::{Field, Kind, plain, whole};
use super::mapping::{Dynamic, Mapping};
use crate::node::store::OperationError;

/// Objects nested deeper are refused, as `index.mapping.depth.limit` does.
const DEPTH_MAX: usize = 20;
const PREVIEW_CHARACTERS: usize = 100;

/// What a document brings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// Fields that the mapping lacks.
    pub additions: BTreeMap<String, Kind>,
    /// Values of the date fields and of the fields kept in order, in milliseconds.
    pub times: Vec<(String, i64)>,
}

/// Looks a document over.
///
/// `ordered` are whole-number fields whose values are wanted as times too.
///
/// # Errors
/// The first value that does not fit.
pub fn inspect(
    mapping: &Mapping,
    ordered: &BTreeSet<&str>,
    id: &str,
    source: &Value,
) -> Result<Inspected, OperationError> {
    let mut inspector = Inspector { mapping, ordered, id, found: Inspected::default() };
    if let Value::Object(members) = source {
        inspector.object("", members, 1)?;
    }
    Ok(inspector.found)
}

/// What a document has beside its source.
const METADATA_FIELDS: [&str; 10] = [
    "_field_names",
    "_id",
    "_ignored",
    "_index",
    "_nested_path",
    "_routing",
    "_seq_no",
    "_source",
    "_tier",
    "_version",
];

struct Inspector<'a> {
    mapping: &'a Mapping,
    ordered: &'a BTreeSet<&'a str>,
    id: &'a str,
    found: Inspected,
}

impl Inspector<'_> {
    fn object(&mut self, parent: &str, members: &Map<String, Value>, depth: usize) -> Result<(), OperationError> {
        if depth > DEPTH_MAX {
            let problem =
                format!("Limit of mapping depth [{DEPTH_MAX}] has been exceeded due to object field [{parent}]");
            return Err(OperationError::Setting { problem });
        }
        for (name, value) in members {
            if name.split('.').any(|part| part.trim().is_empty()) {
                return Err(OperationError::Mapping {
                    problem: format!("field name [{name}] cannot contain only whitespace"),
                });
            }
            if parent.is_empty() && METADATA_FIELDS.contains(&name.as_str()) {
                return Err(OperationError::Mapping {
                    problem: format!(
                        "Field [{name}] is a metadata field and cannot be added inside a document. Use the index API request \
                         parameters."
                    ),
                });
            }
            let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
            self.value(&path, value, depth)?;
        }
        Ok(())
    }

    fn value(&mut self, path: &str, value: &Value, depth: usize) -> Result<(), OperationError> {
        match value {
            Value::Null => Ok(()),
            Value::Array(items) => items.iter().try_for_each(|item| self.value(path, item, depth)),
            Value::Object(members) => match self.kind(path) {
                None | Some(Kind::Object) => {
                    if self.kind(path).is_none() && !self.add(path, Kind::Object)? {
                        return Ok(());
                    }
                    self.object(path, members, depth + 1)
                }
                Some(Kind::Opaque) => Ok(()),
                Some(_) => self.leaf(path, value),
            },
            _ => self.leaf(path, value),
        }
    }

    fn leaf(&mut self, path: &str, value: &Value) -> Result<(), OperationError> {
        if let Some(field) = self.mapping.field(path) {
            return self.mapped(path, &field.clone(), value);
        }
        if let Some(kind) = self.found.additions.get(path) {
            return self.mapped(path, &Field::new(*kind), value);
        }
        let kind = self.dynamic_kind(value);
        if self.add(path, kind)? { self.mapped(path, &Field::new(kind), value) } else { Ok(()) }
    }

    fn mapped(&mut self, path: &str, field: &Field, value: &Value) -> Result<(), OperationError> {
        if field.kind == Kind::Object {
            let problem = format!(
                "object mapping for [{path}] tried to parse field [{path}] as object, but found a concrete value"
            );
            return Err(OperationError::Mapping { problem });
        }
        if let Err(cause) = field.check(value) {
            if field.ignore_malformed {
                return Ok(());
            }
            return Err(OperationError::Field {
                field: path.to_owned(),
                kind: field.kind.name(),
                id: self.id.to_owned(),
                preview: plain(value).chars().take(PREVIEW_CHARACTERS).collect(),
                cause,
            });
        }
        let time = match field.kind {
            Kind::Date => field.formats.milliseconds(value),
            kind if kind.is_number() && self.ordered.contains(path) => whole(value),
            _ => None,
        };
        self.found.times.extend(time.map(|time| (path.to_owned(), time)));
        Ok(())
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        let mapped = self.mapping.field(path).map(|field| field.kind);
        mapped.or_else(|| self.found.additions.get(path).copied())
    }

    /// Whether the field is looked into: false where the mapping ignores what it does not know.
    fn add(&mut self, path: &str, kind: Kind) -> Result<bool, OperationError> {
        match self.mapping.dynamic() {
            Dynamic::Add => {
                self.found.additions.insert(path.to_owned(), kind);
                Ok(true)
            }
            Dynamic::Ignore => Ok(false),
            Dynamic::Refuse => Err(OperationError::StrictDynamic { field: path.to_owned() }),
        }
    }

    fn dynamic_kind(&self, value: &Value) -> Kind {
        match value {
            Value::Bool(_) => Kind::Boolean,
            Value::Number(number) if number.is_i64() || number.is_u64() => Kind::Long,
            Value::Number(_) => Kind::Float,
            Value::String(text) if self.mapping.date_detection() && is_date(text) => Kind::Date,
            _ => Kind::Text,
        }
    }
}

/// Plain numbers are no dates, although `2026` is a year.
fn is_date(text: &str) -> bool {
    text.parse::<f64>().is_err() && dates::parse(text, Rounding::Down).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn look(mapping: Value, document: Value) -> Result<Inspected, OperationError> {
        let mapping = Mapping::parse(&mapping).expect("a mapping");
        inspect(&mapping, &BTreeSet::from(["ts"]), "1", &document)
    }

    #[test]
    fn finds_types_of_new_fields() {
        let found = look(
            json!({}),
            json!({"a": 1, "b": 1.5, "c": true, "d": "2026-01-01T00:00:00Z", "e": "x", "f": {"g": null, "h": ["2026"]}}),
        )
        .expect("a document");
        let kinds: Vec<_> = found.additions.iter().map(|(path, kind)| (path.as_str(), kind.name())).collect();
        assert_eq!(
            kinds,
            [
                ("a", "long"),
                ("b", "float"),
                ("c", "boolean"),
                ("d", "date"),
                ("e", "text"),
                ("f", "object"),
                ("f.h", "text")
            ]
        );
        assert_eq!(found.times, [("d".to_owned(), 1_767_225_600_000)]);
    }

    #[test]
    fn whole_numbers_are_times_where_they_are_asked_for() {
        let found =
            look(json!({"properties": {"ts": {"type": "long"}}}), json!({"ts": 5, "other": 6})).expect("a document");
        assert_eq!(found.times, [("ts".to_owned(), 5)]);
    }

    #[test]
    fn says_which_value_does_not_fit() {
        let refused = look(json!({"properties": {"a": {"type": "long"}}}), json!({"a": "x"})).expect_err("no number");
        assert_eq!(
            refused.to_string(),
            "failed to parse field [a] of type [long] in document with id '1'. Preview of field's value: 'x'"
        );
    }

    #[test]
    fn strict_mappings_refuse_and_ignoring_ones_skip() {
        assert!(look(json!({"dynamic": "strict"}), json!({"a": 1})).is_err());
        assert_eq!(look(json!({"dynamic": false}), json!({"a": {"b": 1}})), Ok(Inspected::default()));
    }
}
