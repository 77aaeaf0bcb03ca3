//! Holds the tree of a file against the shape of the config: every unknown key, missing key and value of a wrong kind.

use serde_json::{Map, Number, Value as Json};

use super::document::{Period, Size};
use super::key_path::KeyPath;
use super::problem::{Fault, Found};
use super::shape::{Key, Shape};
use super::yaml::{Entry, Mark, Node, Scalar, Value};
use crate::realm::nearest;

/// What is wrong at a place in the file.
pub(super) type Finding = (Mark, KeyPath, Fault);

/// The file as JSON that deserializes into the document, if nothing was found.
pub(super) fn check(root: &Node, shape: &Shape) -> Result<Json, Vec<Finding>> {
    let mut check = Check { findings: Vec::new() };
    let json = check.value(root, shape, &KeyPath::root());
    match json {
        Some(json) if check.findings.is_empty() => Ok(json),
        Some(_) | None => Err(check.findings),
    }
}

struct Check {
    findings: Vec<Finding>,
}

impl Check {
    /// `None`: something was wrong, and is in the findings.
    fn value(&mut self, node: &Node, shape: &Shape, path: &KeyPath) -> Option<Json> {
        match (shape, &node.value) {
            (Shape::Mapping { keys, rest }, Value::Mapping(entries)) => {
                self.mapping(node, entries, keys, rest.as_deref(), path)
            }
            (Shape::Choice { tag, shapes }, Value::Mapping(entries)) => self.choice(node, entries, tag, shapes, path),
            (Shape::List(inner), Value::List(nodes)) => {
                let items: Vec<Option<Json>> =
                    nodes.iter().enumerate().map(|(index, node)| self.value(node, inner, &path.index(index))).collect();
                items.into_iter().collect::<Option<Vec<Json>>>().map(Json::Array)
            }
            (
                Shape::Word(_)
                | Shape::Text
                | Shape::Secret
                | Shape::Period
                | Shape::Size
                | Shape::Bool
                | Shape::Whole { .. }
                | Shape::Ratio { .. },
                Value::Scalar(scalar),
            ) => {
                let read = scalar_value(scalar, shape);
                read.map_err(|fault| self.findings.push((node.mark, path.clone(), fault))).ok()
            }
            (_, value) => {
                let found = match value {
                    Value::Scalar(scalar) => found(scalar, shape),
                    Value::List(_) => Found::List,
                    Value::Mapping(_) => Found::Mapping,
                };
                self.findings.push((node.mark, path.clone(), Fault::Unexpected { found, expected: shape.expected() }));
                None
            }
        }
    }

    fn mapping(
        &mut self,
        node: &Node,
        entries: &[Entry],
        keys: &[Key],
        rest: Option<&Shape>,
        path: &KeyPath,
    ) -> Option<Json> {
        let before = self.findings.len();
        let mut object = Map::new();
        for entry in entries {
            let at = path.key(&entry.key);
            let Some(shape) = keys.iter().find(|key| key.name == entry.key).map(|key| &key.shape).or(rest) else {
                self.findings.push((entry.mark, at, unknown(&entry.key, keys)));
                continue;
            };
            // A key with nothing behind it counts as left out, as when all lines below it are comments.
            if !is_null(&entry.node)
                && let Some(json) = self.value(&entry.node, shape, &at)
            {
                object.insert(entry.key.clone(), json);
            }
        }
        for key in keys.iter().filter(|key| key.required) {
            let given = entries.iter().find(|entry| entry.key == key.name);
            if given.is_none_or(|entry| is_null(&entry.node)) {
                let mark = given.map_or(node.mark, |entry| entry.mark);
                let fault = Fault::Missing { expected: key.shape.expected() };
                self.findings.push((mark, path.key(&key.name), fault));
            }
        }
        (self.findings.len() == before).then_some(Json::Object(object))
    }

    fn choice(
        &mut self,
        node: &Node,
        entries: &[Entry],
        tag: &str,
        shapes: &[(String, Shape)],
        path: &KeyPath,
    ) -> Option<Json> {
        let names = || shapes.iter().map(|(name, _)| name.as_str());
        let expected = Shape::Word(names().map(str::to_owned).collect());
        let Some(entry) = entries.iter().find(|entry| entry.key == tag) else {
            self.findings.push((node.mark, path.key(tag), Fault::Missing { expected: expected.expected() }));
            return None;
        };
        let Some(Json::String(name)) = self.value(&entry.node, &expected, &path.key(tag)) else { return None };
        let (_, shape) = shapes.iter().find(|(known, _)| *known == name)?;
        self.value(node, shape, path)
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if scalar.is_null())
}

fn unknown(name: &str, keys: &[Key]) -> Fault {
    let known = || keys.iter().map(|key| key.name.as_str());
    let nearest = nearest(name, known()).map(str::to_owned);
    Fault::UnknownKey { nearest, known: known().map(str::to_owned).collect() }
}

fn found(scalar: &Scalar, shape: &Shape) -> Found {
    match (&scalar.template, shape) {
        (_, Shape::Secret) => Found::Secret,
        (Some(template), _) => Found::Template(template.clone()),
        (None, _) if scalar.is_null() => Found::Nothing,
        (None, _) => Found::Text(scalar.text.clone()),
    }
}

/// The scalar as the shape wants it: `true` and `12` are texts where a text is expected.
fn scalar_value(scalar: &Scalar, shape: &Shape) -> Result<Json, Fault> {
    let text = scalar.text.as_str();
    let wrong = |expected: String| Fault::Unexpected { found: found(scalar, shape), expected };
    match shape {
        _ if scalar.is_null() => Err(wrong(shape.expected())),
        Shape::Text | Shape::Secret => Ok(Json::String(text.to_owned())),
        Shape::Period => match Period::parse(text) {
            Ok(_) => Ok(Json::String(text.to_owned())),
            Err(fault) => Err(wrong(fault.to_string())),
        },
        Shape::Size => match Size::parse(text) {
            Ok(_) => Ok(Json::String(text.to_owned())),
            Err(fault) => Err(wrong(fault.to_string())),
        },
        Shape::Word(words) if words.iter().any(|word| word == text) => Ok(Json::String(text.to_owned())),
        Shape::Word(words) => Err(Fault::UnknownWord {
            found: found(scalar, shape),
            expected: shape.expected(),
            nearest: nearest(text, words.iter().map(String::as_str)).map(str::to_owned),
        }),
        Shape::Bool => match text {
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            _ => Err(wrong(shape.expected())),
        },
        Shape::Whole { least, most } => match text.parse::<u64>() {
            Ok(number) if (*least..=*most).contains(&number) => Ok(Json::Number(Number::from(number))),
            Ok(_) | Err(_) => Err(wrong(shape.expected())),
        },
        Shape::Ratio { least, most } => match text.parse::<f64>() {
            Ok(number) if (*least..=*most).contains(&number) => {
                Number::from_f64(number).map(Json::Number).ok_or_else(|| wrong(shape.expected()))
            }
            Ok(_) | Err(_) => Err(wrong(shape.expected())),
        },
        Shape::Mapping { .. } | Shape::List(_) | Shape::Choice { .. } => Err(wrong(shape.expected())),
    }
}
