//! Reads one action line of a bulk, such as `{"index":{"_index":"logs","_id":"1"}}`.
//!
//! Source: elasticsearch, `BulkRequestParser.java`. Later versions refuse what stands behind the action, earlier ones
//! read over it; here it is malformed.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::document::BYTE_ORDER_MARK;
use crate::policy::{Inspection, shown};

/// What an action line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ActionLine {
    /// A line with a document stands behind it.
    pub(super) has_source: bool,
    /// The index that it names, if that is of ML.
    pub(super) reached: Option<String>,
}

/// `None` for what is not exactly one action.
pub(super) fn read(line: &[u8], inspection: &Inspection) -> Option<ActionLine> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let action = Action(inspection).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(action)
}

struct Action<'a>(&'a Inspection);

impl<'de> DeserializeSeed<'de> for Action<'_> {
    type Value = ActionLine;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ActionLine, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Action<'_> {
    type Value = ActionLine;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("one action")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<ActionLine, A::Error> {
        let is_action = |name: &str| match name {
            "index" | "create" | "update" => Some(true),
            "delete" => Some(false),
            _ => None,
        };
        let named = members.next_key_seed(Text(is_action))?.flatten();
        let has_source = named.ok_or_else(|| A::Error::custom("no action"))?;
        let reached = members.next_value_seed(Metadata(self.0))?;
        match members.next_key::<IgnoredAny>()? {
            None => Ok(ActionLine { has_source, reached }),
            Some(_) => Err(A::Error::custom("more than one action")),
        }
    }
}

/// The object behind the name of an action.
struct Metadata<'a>(&'a Inspection);

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the parameters of an action")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let reaches = |name: &str| self.0.bulk_index_reaches_ml(name).then(|| shown(name));
        let mut reached = None;
        while let Some(is_index) = members.next_key_seed(Text(|name: &str| matches!(name, "_index" | "index")))? {
            if is_index {
                reached = reached.or(members.next_value_seed(Text(reaches))?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(reached)
    }
}

/// Asks something of a text; of a scalar that is none, what the empty text gives.
struct Text<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Text<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(self.0(text))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<T, E> {
        Ok(self.0(""))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(self.0(""))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
        Ok(self.0(""))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
        Ok(self.0(""))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Ok(self.0(""))
    }
}
