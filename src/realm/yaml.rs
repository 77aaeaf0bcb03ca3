//! YAML as a tree that remembers where everything stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Where something stands in a file, both from 1; 0 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// A text that is no YAML, or holds a key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) place: Place,
    pub(super) detail: String,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A key of a map and what it has.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) node: Node,
}

/// Reads one document; an empty one is [`Value::Null`]. Keys that come twice are errors.
pub(super) fn parse(text: &str) -> Result<Node, Malformed> {
    serde_saphyr::from_str::<Node>(text).map_err(|error| {
        let place = error.location().map(place).unwrap_or_default();
        let shown = error.without_snippet().to_string();
        // The place is told by us: what serde-saphyr appends to the first line says it again.
        let first = shown.lines().next().unwrap_or_default();
        let detail = first.split(" at line ").next().unwrap_or(first).to_owned();
        Malformed { place, detail }
    })
}

impl Value {
    /// What kind of value it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

fn place(location: serde_saphyr::Location) -> Place {
    Place { line: location.line(), column: location.column() }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { place: place(spanned.referenced), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Integer).map_err(|_| E::custom("number too large"))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Value, E> {
        Ok(Value::Float)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = members.next_key::<Spanned<String>>()? {
            map.push(Member { place: place(key.referenced), key: key.value, node: members.next_value()? });
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_where_things_stand() {
        let node = parse("a:\n  - b: [1, true]\n").unwrap();
        let Value::Map(members) = node.value else { panic!("{node:?}") };
        assert_eq!(members[0].place, Place { line: 1, column: 1 });
        let Value::List(items) = &members[0].node.value else { panic!() };
        assert_eq!(items[0].place, Place { line: 2, column: 5 });
        let Value::Map(inner) = &items[0].value else { panic!() };
        assert_eq!(inner[0].node.place, Place { line: 2, column: 8 });
        assert!(matches!(&inner[0].node.value, Value::List(list) if list.len() == 2));
    }

    #[test]
    fn refuses_keys_twice_and_broken_text() {
        let twice = parse("a: 1\na: 2\n").unwrap_err();
        assert_eq!((twice.place.line, twice.place.column), (2, 1), "{twice:?}");
        assert!(twice.detail.contains("duplicate"), "{twice:?}");
        assert!(parse("a: [1").is_err());
        assert!(matches!(parse("").unwrap().value, Value::Null));
    }
}
