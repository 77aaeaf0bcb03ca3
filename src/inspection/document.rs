//! Reads one JSON document and tells its judge every member; nothing of it is kept but the path to where it is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::inflate::inflate_whole;
use super::{Encoding, Finding, Unread};
use crate::policy::{Inspection, Judge, Scalar};

/// Some editors write it in front of UTF-8, and Elasticsearch reads over it.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Judges a whole document; `bytes_max` of its text.
///
/// # Errors
/// What it reaches of ML, or why that cannot be told.
pub fn read_document(
    inspection: &Inspection,
    wire: &[u8],
    encoding: Encoding,
    bytes_max: usize,
) -> Result<(), Finding> {
    match encoding {
        Encoding::Plain => read_text(inspection, wire),
        Encoding::Gzip => read_text(inspection, &inflate_whole(wire, bytes_max)?),
    }
}

/// Judges a request that has no body.
///
/// # Errors
/// As [`read_document`].
pub fn read_nothing(inspection: &Inspection) -> Result<(), Finding> {
    read_text(inspection, b"")
}

fn read_text(inspection: &Inspection, text: &[u8]) -> Result<(), Finding> {
    let Some(mut judge) = Judge::new(inspection) else { return Ok(()) };
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if !text.trim_ascii().is_empty() {
        walk(text, &mut judge).map_err(|_| Unread::Malformed)?;
    }
    judge.verdict().map_or(Ok(()), |name| Err(Finding::Reaches(name)))
}

/// serde_json bounds the depth, to 128.
fn walk(text: &[u8], judge: &mut Judge) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    Walk { judge, path: &mut String::new() }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Goes through one value.
struct Walk<'a> {
    judge: &'a mut Judge,
    path: &'a mut String,
}

impl Walk<'_> {
    fn scalar<E>(self, scalar: Scalar<'_>) -> Result<(), E> {
        self.judge.scalar(self.path, scalar);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.scalar(Scalar::Text(text))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(Scalar::Null)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar(Scalar::Number)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar(Scalar::Number)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar(Scalar::Number)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Walk { judge: &mut *self.judge, path: &mut *self.path })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let outside = self.path.len();
        while members.next_key_seed(Name(&mut *self.path))?.is_some() {
            self.judge.member(self.path);
            members.next_value_seed(Walk { judge: &mut *self.judge, path: &mut *self.path })?;
            self.path.truncate(outside);
        }
        Ok(())
    }
}

/// Adds the name of a member to the path.
struct Name<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(name);
        Ok(())
    }
}
