//! JSON of tokens and key sets, read strictly: no member twice, bounded depth, nothing behind the value.
//!
//! Parsers disagree on which of two equal members counts; a token that leaves the choice is refused.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Objects and lists inside of each other.
const DEPTH_MAX: usize = 16;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Self>),
    Object(Object),
}

/// The members of an object.
pub(super) type Object = BTreeMap<String, Json>;

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonProblem {
    #[error("not a JSON object")]
    Malformed,
    #[error("an object has a member twice")]
    Duplicate,
    #[error("nested more than {DEPTH_MAX} deep")]
    TooDeep,
}

impl Json {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// Reads one JSON object.
///
/// # Errors
/// Other values, malformed JSON, numbers that no 64 bit hold, and what [`JsonProblem`] names.
pub(super) fn parse_object(text: &[u8]) -> Result<Object, JsonProblem> {
    let problem = Cell::new(JsonProblem::Malformed);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Value { depth: 0, problem: &problem }.deserialize(&mut deserializer).map_err(|_| problem.get())?;
    deserializer.end().map_err(|_| JsonProblem::Malformed)?;
    match value {
        Json::Object(members) => Ok(members),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => Err(JsonProblem::Malformed),
    }
}

/// Reads one value at a depth; notes what is wrong where serde's error could not tell it.
struct Value<'a> {
    depth: usize,
    problem: &'a Cell<JsonProblem>,
}

impl Value<'_> {
    fn inner<E: Error>(&self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(self.fail(JsonProblem::TooDeep));
        }
        Ok(Value { depth: self.depth + 1, problem: self.problem })
    }

    fn fail<E: Error>(&self, problem: JsonProblem) -> E {
        self.problem.set(problem);
        E::custom(problem)
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| self.fail(JsonProblem::Malformed))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner()?)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.inner()?)?;
            if object.insert(name, value).is_some() {
                return Err(self.fail(JsonProblem::Duplicate));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_parsers_read_differently() {
        #[rustfmt::skip] // a table
        let cases: &[(&str, JsonProblem)] = &[
            (r#"{"a":1,"a":1}"#, JsonProblem::Duplicate),
            (r#"{"a":1,"\u0061":1}"#, JsonProblem::Duplicate),
            (r#"{"a":{"b":1,"b":2}}"#, JsonProblem::Duplicate),
            (r#"{"a":[{"b":1,"b":2}]}"#, JsonProblem::Duplicate),
            ("[]", JsonProblem::Malformed), ("1", JsonProblem::Malformed), ("", JsonProblem::Malformed),
            ("{} {}", JsonProblem::Malformed), ("{}x", JsonProblem::Malformed), ("{\"a\":1,}", JsonProblem::Malformed),
            ("{'a':1}", JsonProblem::Malformed), ("{\"a\":1e999}", JsonProblem::Malformed), ("{\"a\":NaN}", JsonProblem::Malformed),
            ("{\"a\":\"\\ud800\"}", JsonProblem::Malformed), ("\u{feff}{}", JsonProblem::Malformed),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_object(text.as_bytes()), Err(*expected), "{text}");
        }
    }

    #[test]
    fn bounds_the_depth() {
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_object(nested(DEPTH_MAX - 1).as_bytes()).is_ok());
        assert_eq!(parse_object(nested(DEPTH_MAX).as_bytes()), Err(JsonProblem::TooDeep));
        assert!(parse_object(nested(100_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn is_total_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_object(&bytes);
        }

        #[test]
        fn agrees_with_serde_json_on_objects_without_duplicates(text in r#"\{("[a-c]":([0-9]|"[a-c]"|\[\]|null)(,"[a-c]":[0-9.]{1,3}){0,2})?\}"#) {
            let ours = parse_object(text.as_bytes());
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours.len(), theirs.len()),
                (Err(JsonProblem::Duplicate), _) | (Err(_), Err(_)) => {}
                (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs),
            }
        }
    }
}
