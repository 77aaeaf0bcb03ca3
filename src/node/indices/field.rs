//! One field of a mapping: its type, and which JSON values it takes.

use serde_json::Value;

use super::dates::{self, Rounding};

/// The field types that the node knows. What is not here is refused by name when a mapping is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Object,
    /// An object with `enabled: false`: stored, not looked into.
    Opaque,
    Text,
    Keyword,
    Long,
    Integer,
    Short,
    Byte,
    Double,
    Float,
    HalfFloat,
    Boolean,
    Date,
    Ip,
}

#[rustfmt::skip] // a table: one type a line
const NAMES: [(&str, Kind); 13] = [
    ("object", Kind::Object),
    ("text", Kind::Text),
    ("keyword", Kind::Keyword),
    ("long", Kind::Long),
    ("integer", Kind::Integer),
    ("short", Kind::Short),
    ("byte", Kind::Byte),
    ("double", Kind::Double),
    ("float", Kind::Float),
    ("half_float", Kind::HalfFloat),
    ("boolean", Kind::Boolean),
    ("date", Kind::Date),
    ("ip", Kind::Ip),
];

impl Kind {
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("object", |(name, _)| name)
    }

    pub fn is_whole_number(self) -> bool {
        self.whole_range().is_some()
    }

    pub fn is_number(self) -> bool {
        self.is_whole_number() || matches!(self, Self::Double | Self::Float | Self::HalfFloat)
    }

    fn whole_range(self) -> Option<(i64, i64)> {
        match self {
            Self::Long => Some((i64::MIN, i64::MAX)),
            Self::Integer => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
            Self::Short => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
            Self::Byte => Some((i64::from(i8::MIN), i64::from(i8::MAX))),
            _ => None,
        }
    }
}

/// A leaf or an object of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub kind: Kind,
    /// Longer keywords are stored, not found.
    pub ignore_above: Option<usize>,
    /// How a date's numbers and texts are read.
    pub formats: DateFormats,
    /// A value that does not fit is left out instead of refused.
    pub ignore_malformed: bool,
}

impl Field {
    pub fn new(kind: Kind) -> Self {
        Self { kind, ignore_above: None, formats: DateFormats::default(), ignore_malformed: false }
    }

    /// Whether a value of this type may be stored in the field.
    ///
    /// # Errors
    /// Why not, as the cause of Elasticsearch's `document_parsing_exception`.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match self.kind {
            Kind::Object | Kind::Opaque => Ok(()),
            Kind::Text | Kind::Keyword if value.is_object() => {
                Err("Can't get text on a START_OBJECT at 1:1".to_owned())
            }
            Kind::Text | Kind::Keyword => Ok(()),
            Kind::Boolean => match value {
                Value::Bool(_) => Ok(()),
                Value::String(text) if matches!(text.as_str(), "true" | "false" | "") => Ok(()),
                other => {
                    Err(format!("Failed to parse value [{}] as only [true] or [false] are allowed.", plain(other)))
                }
            },
            Kind::Date => self.formats.milliseconds(value).map(|_| ()).ok_or_else(|| {
                format!("failed to parse date field [{}] with format [{}]", plain(value), self.formats.text())
            }),
            Kind::Ip => match value {
                Value::String(text) if text.parse::<std::net::IpAddr>().is_ok() => Ok(()),
                other => Err(format!("'{}' is not an IP string literal.", plain(other))),
            },
            Kind::Long | Kind::Integer | Kind::Short | Kind::Byte | Kind::Double | Kind::Float | Kind::HalfFloat => {
                self.check_number(value)
            }
        }
    }

    fn check_number(&self, value: &Value) -> Result<(), String> {
        let number = number(value).ok_or_else(|| format!("For input string: \"{}\"", plain(value)))?;
        match self.kind.whole_range() {
            Some((least, most)) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "the ends of the range need no more digits to tell what is outside"
                )]
                let inside = number >= least as f64 && number <= most as f64;
                if inside {
                    Ok(())
                } else {
                    Err(format!("Value [{}] is out of range for a {}", plain(value), self.kind.name()))
                }
            }
            None if number.is_finite() => Ok(()),
            None => Err(format!("[{}] supports only finite values, but got [{}]", self.kind.name(), plain(value))),
        }
    }
}

/// A JSON number, or a text of one.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number, exactly; fractions are cut off as Elasticsearch's `coerce` does.
pub fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(exact) if exact.is_i64() => exact.as_i64(),
        Value::String(text) if text.trim().parse::<i64>().is_ok() => text.trim().parse().ok(),
        other => {
            let cut = number(other)?.trunc();
            #[expect(clippy::cast_possible_truncation, reason = "checked to be inside the range of i64")]
            (cut.abs() < 9.2e18).then_some(cut as i64)
        }
    }
}

/// A value as it stands in error texts and as a keyword: texts without quotes.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The formats of a date field, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormats(Vec<DateFormat>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DateFormat {
    OptionalTime(&'static str),
    EpochMillis,
    EpochSecond,
    Pattern(&'static str, &'static str),
}

const FORMATS: [DateFormat; 11] = [
    DateFormat::OptionalTime("strict_date_optional_time"),
    DateFormat::OptionalTime("date_optional_time"),
    DateFormat::OptionalTime("strict_date_optional_time_nanos"),
    DateFormat::OptionalTime("strict_date_time"),
    DateFormat::OptionalTime("date_time"),
    DateFormat::OptionalTime("strict_date"),
    DateFormat::EpochMillis,
    DateFormat::EpochSecond,
    DateFormat::Pattern("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S"),
    DateFormat::Pattern("yyyy/MM/dd HH:mm:ss", "%Y/%m/%d %H:%M:%S"),
    DateFormat::OptionalTime("yyyy-MM-dd"),
];

impl Default for DateFormats {
    fn default() -> Self {
        Self(vec![DateFormat::OptionalTime("strict_date_optional_time"), DateFormat::EpochMillis])
    }
}

impl DateFormats {
    /// Reads `strict_date_optional_time||epoch_millis`; `None` for a format that the node does not know.
    pub fn parse(text: &str) -> Option<Self> {
        let known = |name: &str| FORMATS.iter().copied().find(|format| format.name() == name);
        text.split("||").map(known).collect::<Option<Vec<_>>>().map(Self)
    }

    pub fn text(&self) -> String {
        self.0.iter().map(|format| format.name()).collect::<Vec<_>>().join("||")
    }

    /// Milliseconds since 1970 of a stored value.
    pub fn milliseconds(&self, value: &Value) -> Option<i64> {
        self.read(value, Rounding::Down)
    }

    pub fn read(&self, value: &Value, rounding: Rounding) -> Option<i64> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return None,
        };
        self.0.iter().find_map(|format| format.read(&text, rounding))
    }
}

impl DateFormat {
    fn name(self) -> &'static str {
        match self {
            Self::OptionalTime(name) | Self::Pattern(name, _) => name,
            Self::EpochMillis => "epoch_millis",
            Self::EpochSecond => "epoch_second",
        }
    }

    fn read(self, text: &str, rounding: Rounding) -> Option<i64> {
        match self {
            Self::OptionalTime(_) => dates::parse(text, rounding),
            Self::EpochMillis => whole(&Value::String(text.to_owned())),
            Self::EpochSecond => whole(&Value::String(text.to_owned()))?.checked_mul(1000),
            Self::Pattern(_, pattern) => {
                let at = jiff::civil::DateTime::strptime(pattern, text).ok()?;
                Some(jiff::tz::Offset::UTC.to_timestamp(at).ok()?.as_millisecond())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_checked_by_their_range() {
        assert!(Field::new(Kind::Byte).check(&json!(127)).is_ok());
        assert_eq!(Field::new(Kind::Byte).check(&json!(128)), Err("Value [128] is out of range for a byte".to_owned()));
        assert!(Field::new(Kind::Long).check(&json!("12")).is_ok());
        assert!(Field::new(Kind::Long).check(&json!("x")).is_err());
    }

    #[test]
    fn whole_numbers_keep_all_digits() {
        assert_eq!(whole(&json!(9_007_199_254_740_993_i64)), Some(9_007_199_254_740_993));
        assert_eq!(whole(&json!(1.9)), Some(1));
        assert_eq!(whole(&json!(1e300)), None);
    }

    #[test]
    fn date_formats_are_tried_in_order() {
        let formats = DateFormats::parse("yyyy-MM-dd HH:mm:ss||epoch_second").expect("known formats");
        assert_eq!(formats.milliseconds(&json!("1970-01-01 00:00:01")), Some(1000));
        assert_eq!(formats.milliseconds(&json!(2)), Some(2000));
        assert_eq!(DateFormats::parse("QQQ"), None);
    }
}
