//! Lists of numbers written as base64 of their little-endian bytes: a model with a season is a fifth of its size as JSON numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// A number of a fixed width.
pub(super) trait Packed: Sized + Copy {
    fn write(self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Option<Vec<Self>>;
}

impl Packed for u8 {
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.push(self);
    }

    fn read(bytes: &[u8]) -> Option<Vec<Self>> {
        Some(bytes.to_vec())
    }
}

impl Packed for f32 {
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Vec<Self>> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        rest.is_empty().then(|| numbers.iter().map(|number| Self::from_le_bytes(*number)).collect())
    }
}

impl Packed for u64 {
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Vec<Self>> {
        let (numbers, rest) = bytes.as_chunks::<8>();
        rest.is_empty().then(|| numbers.iter().map(|number| Self::from_le_bytes(*number)).collect())
    }
}

pub(super) fn serialize<S: Serializer, T: Packed>(numbers: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::new();
    numbers.iter().for_each(|number| number.write(&mut bytes));
    serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Packed>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD_NO_PAD.decode(text).map_err(D::Error::custom)?;
    T::read(&bytes).ok_or_else(|| D::Error::custom("a packed list is cut"))
}
