//! The subject of a certificate, read strictly and written as Elasticsearch writes it: Java's
//! `X500Principal.toString()`, such as `CN=Jane Doe, OU=People, O=Example, C=DE`.
//!
//! Source: OpenJDK, `X500Name`, `RDN`, `AVA`, `AVAKeyword`, `DerValue`; `java_names.txt` beside the tests is what OpenJDK 17 and 25 say.

use std::ops::Range;

use x509_parser::asn1_rs::{Any, FromDer as _, Oid, Tag};

use super::refusal::Refusal;

/// As much of a subject is written, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// Attribute types that Java writes by a keyword.
const KEYWORDS: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SURNAME"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "T"),
    ("2.5.4.42", "GIVENNAME"),
    ("2.5.4.43", "INITIALS"),
    ("2.5.4.44", "GENERATION"),
    ("2.5.4.46", "DNQ"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "EMAILADDRESS"),
    ("1.3.6.1.4.1.42.2.11.2.1", "IP"),
];

/// Characters that make Java quote a value.
const QUOTE_MAKING: &str = ",+=\n<>#;\\\"";

/// A subject: its parts, the most specific first, and its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DistinguishedName {
    pub(super) text: String,
    /// The values of `text` that are in quotes, quotes included.
    quoted: Vec<Range<usize>>,
    relative_names: Vec<Vec<Attribute>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Attribute {
    /// Such as `2.5.4.3`.
    oid: String,
    /// The value as it is, and as it is written.
    value: String,
    written: String,
    quoted: bool,
}

impl DistinguishedName {
    /// Reads the DER form of a `Name`, all of it.
    ///
    /// # Errors
    /// What is no name, has control characters or broken text, or a value that its text form would hide.
    pub(super) fn read(der: &[u8]) -> Result<Self, Refusal> {
        let mut relative_names = Vec::new();
        for (tag, set) in children(whole(der, Tag::Sequence)?)? {
            let attributes = children(expect(tag, Tag::Set, set)?)?;
            let attributes =
                attributes.into_iter().map(|(tag, pair)| Attribute::read(expect(tag, Tag::Sequence, pair)?));
            let attributes = attributes.collect::<Result<Vec<_>, _>>()?;
            if attributes.is_empty() {
                return Err(Refusal::Subject);
            }
            relative_names.push(attributes);
        }
        relative_names.reverse();
        Self::write(relative_names)
    }

    fn write(relative_names: Vec<Vec<Attribute>>) -> Result<Self, Refusal> {
        let (mut text, mut quoted) = (String::new(), Vec::new());
        for (index, attributes) in relative_names.iter().enumerate() {
            for (position, attribute) in attributes.iter().enumerate() {
                match (index, position) {
                    (0, 0) => {}
                    (_, 0) => text.push_str(", "),
                    (_, _) => text.push_str(" + "),
                }
                text.push_str(&keyword(&attribute.oid));
                text.push('=');
                let start = text.len();
                text.push_str(&attribute.written);
                if attribute.quoted {
                    quoted.push(start..text.len());
                }
                if text.len() > TEXT_BYTES_MAX {
                    return Err(Refusal::TooLong);
                }
            }
        }
        Ok(Self { text, quoted, relative_names })
    }

    /// Whether a place in `text` is inside of a quoted value: between its quotes, or at one of them from inside.
    pub(super) fn splits_value(&self, place: usize) -> bool {
        self.quoted.iter().any(|value| value.start < place && place < value.end)
    }

    /// The value of an attribute in the most specific relative name that has it.
    ///
    /// # Errors
    /// That relative name has it twice.
    pub(super) fn attribute(&self, oid: &str) -> Result<Option<&str>, Refusal> {
        for attributes in &self.relative_names {
            let mut values = attributes.iter().filter(|attribute| attribute.oid == oid);
            match (values.next(), values.next()) {
                (None, _) => {}
                (Some(attribute), None) => return Ok(Some(&attribute.value)),
                (Some(_), Some(_)) => return Err(Refusal::Ambiguous),
            }
        }
        Ok(None)
    }
}

/// The object identifier of a keyword, in any case: `CN`.
pub(super) fn oid_of(name: &str) -> Option<&'static str> {
    KEYWORDS.iter().find(|(_, keyword)| keyword.eq_ignore_ascii_case(name)).map(|(oid, _)| *oid)
}

/// Names that [`oid_of`] knows.
pub(super) fn keywords() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(_, keyword)| *keyword)
}

fn keyword(oid: &str) -> String {
    let known = KEYWORDS.iter().find(|(known, _)| *known == oid);
    known.map_or_else(|| format!("OID.{oid}"), |(_, keyword)| (*keyword).to_owned())
}

impl Attribute {
    fn read(pair: &[u8]) -> Result<Self, Refusal> {
        let (rest, oid) = Oid::from_der(pair).map_err(|_| Refusal::Subject)?;
        let (after, any) = Any::from_der(rest).map_err(|_| Refusal::Subject)?;
        if !after.is_empty() {
            return Err(Refusal::Subject);
        }
        let oid = oid.to_id_string();
        let Some(value) = string(&any)? else {
            let written = rest.iter().fold(String::from("#"), |text, byte| text + &format!("{byte:02x}"));
            return Ok(Self { oid, value: written.clone(), written, quoted: false });
        };
        if value.chars().any(is_control) {
            return Err(Refusal::ControlCharacter);
        }
        if value.len() > 1 && value.starts_with('"') && value.ends_with('"') {
            return Err(Refusal::Quoted);
        }
        let quoted = needs_quotes(&value);
        let escaped = value.replace('\\', r"\\").replace('"', r#"\""#);
        let written = if quoted { format!("\"{escaped}\"") } else { value.clone() };
        Ok(Self { oid, value, written, quoted })
    }
}

/// Whether Java quotes a value: special characters, space at either end, and two spaces in a row.
fn needs_quotes(value: &str) -> bool {
    value.contains(|character: char| QUOTE_MAKING.contains(character))
        || value.starts_with(' ')
        || value.ends_with(' ')
        || value.contains("  ")
}

/// A character that has no place in a name: it ends it, hides it, or breaks the line of a log.
pub(super) fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// The text of a value; `None` for what is no string.
///
/// Java takes broken text for U+FFFD, so that several certificates have one name; here it is refused.
fn string(any: &Any<'_>) -> Result<Option<String>, Refusal> {
    if any.header.class() != x509_parser::asn1_rs::Class::Universal || any.header.is_constructed() {
        return Ok(None);
    }
    let text = match any.tag() {
        Tag::Utf8String => String::from_utf8(any.data.to_vec()).ok(),
        Tag::PrintableString | Tag::Ia5String | Tag::GeneralString => {
            any.data.is_ascii().then(|| any.data.iter().copied().map(char::from).collect())
        }
        Tag::T61String => Some(any.data.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, rest) = any.data.as_chunks::<2>();
            let units: Vec<u16> = units.iter().copied().map(u16::from_be_bytes).collect();
            String::from_utf16(&units).ok().filter(|_| rest.is_empty())
        }
        Tag::UniversalString => {
            let (units, rest) = any.data.as_chunks::<4>();
            let text = units.iter().copied().map(u32::from_be_bytes).map(char::from_u32).collect::<Option<String>>();
            text.filter(|_| rest.is_empty())
        }
        _ => return Ok(None),
    };
    text.map(Some).ok_or(Refusal::Subject)
}

/// The content of one element that is all there is.
fn whole(der: &[u8], tag: Tag) -> Result<&[u8], Refusal> {
    match children(der)?.as_slice() {
        [(found, content)] => expect(*found, tag, content),
        _ => Err(Refusal::Subject),
    }
}

/// The elements of a content, each with its tag: constructed ones of the universal class.
fn children(content: &[u8]) -> Result<Vec<(Tag, &[u8])>, Refusal> {
    let (mut rest, mut found) = (content, Vec::new());
    while !rest.is_empty() {
        let (after, any) = Any::from_der(rest).map_err(|_| Refusal::Subject)?;
        if any.header.class() != x509_parser::asn1_rs::Class::Universal || !any.header.is_constructed() {
            return Err(Refusal::Subject);
        }
        found.push((any.tag(), any.data));
        rest = after;
    }
    Ok(found)
}

fn expect(found: Tag, expected: Tag, content: &[u8]) -> Result<&[u8], Refusal> {
    if found == expected { Ok(content) } else { Err(Refusal::Subject) }
}

#[cfg(test)]
mod tests;
