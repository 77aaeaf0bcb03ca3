//! Dates as Elasticsearch reads them: `strict_date_optional_time`, epoch numbers, and date math.
//!
//! Source: elasticsearch, `DateFormatters.java`, `JavaDateMathParser.java`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};

/// What a text without all its parts stands for: `2026-03` is its first or its last millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Down,
    Up,
}

/// Reads an ISO-8601 text such as `2026`, `2026-03-01`, `2026-03-01T10:20:30.123+01:00`; milliseconds since 1970.
pub fn parse(text: &str, rounding: Rounding) -> Option<i64> {
    let (date, rest) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let mut fields = date.splitn(3, '-');
    let year: i16 = digits(fields.next()?, 4)?;
    let month: Option<i8> = fields.next().map(|text| digits(text, 2)).map_or(Some(None), |month| month.map(Some))?;
    let day: Option<i8> = fields.next().map(|text| digits(text, 2)).map_or(Some(None), |day| day.map(Some))?;
    let first = Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
    let (time, length, offset) = match rest {
        Some(rest) => {
            day?;
            let (time, offset) = split_offset(rest)?;
            let (at, length) = time_of_day(time)?;
            (at, length, offset)
        }
        None => (0, 0, Offset::UTC),
    };
    let start = milliseconds(first.to_datetime(Time::midnight()), offset)? + time;
    match rounding {
        Rounding::Down => Some(start),
        Rounding::Up if rest.is_some() => Some(start + length - 1),
        Rounding::Up => {
            let span = match (month, day) {
                (None, _) => Span::new().years(1),
                (Some(_), None) => Span::new().months(1),
                (Some(_), Some(_)) => Span::new().days(1),
            };
            Some(milliseconds(first.checked_add(span).ok()?.to_datetime(Time::midnight()), Offset::UTC)? - 1)
        }
    }
}

fn milliseconds(at: DateTime, offset: Offset) -> Option<i64> {
    Some(offset.to_timestamp(at).ok()?.as_millisecond())
}

fn digits<N: std::str::FromStr>(text: &str, length: usize) -> Option<N> {
    let exact = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if exact { text.parse().ok() } else { None }
}

/// `10:20:30.5` → milliseconds since midnight, and how long the smallest part that is given lasts.
fn time_of_day(text: &str) -> Option<(i64, i64)> {
    const HOUR: i64 = 3_600_000;
    let mut parts = text.splitn(3, ':');
    let hour: i64 = digits(parts.next()?, 2)?;
    let Some(minute) = parts.next() else { return (hour < 24).then_some((hour * HOUR, HOUR)) };
    let minute: i64 = digits(minute, 2)?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let at = hour * HOUR + minute * 60_000;
    let Some(seconds) = parts.next() else { return Some((at, 60_000)) };
    let (whole, fraction) = match seconds.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (seconds, None),
    };
    let second: i64 = digits(whole, 2)?;
    if second > 59 {
        return None;
    }
    let at = at + second * 1000;
    let Some(fraction) = fraction else { return Some((at, 1000)) };
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some((at + millis, 1))
}

fn split_offset(text: &str) -> Option<(&str, Offset)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, Offset::UTC));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, Offset::UTC)) };
    let (time, offset) = text.split_at(at);
    let negative = offset.starts_with('-');
    let plain: String = offset.chars().skip(1).filter(|letter| *letter != ':').collect();
    let (hours, minutes) = match plain.len() {
        2 => (plain.as_str(), "00"),
        4 => plain.split_at(2),
        _ => return None,
    };
    let seconds: i32 = digits::<i32>(hours, 2)? * 3600 + digits::<i32>(minutes, 2)? * 60;
    Some((time, Offset::from_seconds(if negative { -seconds } else { seconds }).ok()?))
}

/// Reads a date of a query: `now-1h/d`, `2026-03-01||+1M/M`, an ISO-8601 text, or milliseconds.
pub fn parse_math(text: &str, now_ms: i64, rounding: Rounding) -> Option<i64> {
    if let Some(math) = text.strip_prefix("now") {
        return apply_math(now_ms, math, rounding);
    }
    if let Some((anchor, math)) = text.split_once("||") {
        // With math the anchor is its first millisecond; the math itself rounds.
        return apply_math(parse_any(anchor, Rounding::Down)?, math, rounding);
    }
    parse_any(text, rounding)
}

/// An ISO-8601 text, or a text of milliseconds; four digits are a year, as `strict_date_optional_time` comes first.
pub fn parse_any(text: &str, rounding: Rounding) -> Option<i64> {
    parse(text, rounding).or_else(|| text.parse().ok())
}

fn apply_math(start_ms: i64, math: &str, rounding: Rounding) -> Option<i64> {
    let mut at = Offset::UTC.to_datetime(Timestamp::from_millisecond(start_ms).ok()?);
    let mut letters = math.chars().peekable();
    while let Some(operator) = letters.next() {
        let mut number = String::new();
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            number.push(digit);
        }
        let unit = letters.next()?;
        let count: i64 = if number.is_empty() { 1 } else { number.parse().ok()? };
        at = match operator {
            '+' => at.checked_add(span(unit, count)?).ok()?,
            '-' => at.checked_sub(span(unit, count)?).ok()?,
            '/' if number.is_empty() => round(at, unit, rounding)?,
            _ => return None,
        };
    }
    milliseconds(at, Offset::UTC)
}

fn span(unit: char, count: i64) -> Option<Span> {
    match unit {
        'y' => Span::new().try_years(count),
        'M' => Span::new().try_months(count),
        'w' => Span::new().try_weeks(count),
        'd' => Span::new().try_days(count),
        'h' | 'H' => Span::new().try_hours(count),
        'm' => Span::new().try_minutes(count),
        's' => Span::new().try_seconds(count),
        _ => return None,
    }
    .ok()
}

fn round(at: DateTime, unit: char, rounding: Rounding) -> Option<DateTime> {
    let midnight = |date: Date| date.to_datetime(Time::midnight());
    let day = at.date();
    let start = match unit {
        'y' => midnight(day.first_of_year()),
        'M' => midnight(day.first_of_month()),
        'w' => midnight(day.checked_sub(Span::new().days(day.weekday().to_monday_zero_offset())).ok()?),
        'd' => midnight(day),
        'h' | 'H' => at.with().minute(0).second(0).subsec_nanosecond(0).build().ok()?,
        'm' => at.with().second(0).subsec_nanosecond(0).build().ok()?,
        's' => at.with().subsec_nanosecond(0).build().ok()?,
        _ => return None,
    };
    match rounding {
        Rounding::Down => Some(start),
        Rounding::Up => start.checked_add(span(unit, 1)?).ok()?.checked_sub(Span::new().milliseconds(1)).ok(),
    }
}

/// `2026-03-01T10:20:30.123Z`
pub fn format(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time stamp").as_millisecond()
    }

    #[test]
    fn reads_what_is_left_out_as_the_start_or_the_end() {
        for (text, first, last) in [
            ("2026", "2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z"),
            ("2026-02", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59.999Z"),
            ("2026-02-03", "2026-02-03T00:00:00Z", "2026-02-03T23:59:59.999Z"),
            ("2026-02-03T04", "2026-02-03T04:00:00Z", "2026-02-03T04:59:59.999Z"),
            ("2026-02-03T04:05Z", "2026-02-03T04:05:00Z", "2026-02-03T04:05:59.999Z"),
            ("2026-02-03T04:05:06+01:00", "2026-02-03T03:05:06Z", "2026-02-03T03:05:06.999Z"),
            ("2026-02-03T04:05:06.7-0130", "2026-02-03T05:35:06.7Z", "2026-02-03T05:35:06.7Z"),
            ("2026-02-03T04:05:06.123456789", "2026-02-03T04:05:06.123Z", "2026-02-03T04:05:06.123Z"),
        ] {
            assert_eq!(parse(text, Rounding::Down), Some(at(first)), "{text}");
            assert_eq!(parse(text, Rounding::Up), Some(at(last)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in ["", "x", "26-01-01", "2026-13", "2026-02-30", "2026T10:00", "2026-01-01T24", "2026-01-01T10:60"] {
            assert_eq!(parse(text, Rounding::Down), None, "{text}");
        }
    }

    #[test]
    fn date_math_adds_and_rounds() {
        let now = at("2026-03-31T10:20:30.5Z");
        for (text, expected) in [
            ("now", "2026-03-31T10:20:30.5Z"),
            ("now-1M", "2026-02-28T10:20:30.5Z"),
            ("now/d", "2026-03-31T00:00:00Z"),
            ("now-1h/h", "2026-03-31T09:00:00Z"),
            ("now/w", "2026-03-30T00:00:00Z"),
            ("2026-01-01||+1M/M", "2026-02-01T00:00:00Z"),
        ] {
            assert_eq!(parse_math(text, now, Rounding::Down), Some(at(expected)), "{text}");
        }
        assert_eq!(parse_math("now/d", now, Rounding::Up), Some(at("2026-03-31T23:59:59.999Z")));
        assert_eq!(parse_math("now/1d", now, Rounding::Down), None);
        assert_eq!(parse_math("now+", now, Rounding::Down), None);
    }

    #[test]
    fn formats_with_milliseconds() {
        assert_eq!(format(at("2026-03-31T10:20:30Z")), "2026-03-31T10:20:30.000Z");
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*", now in any::<i64>()) {
            let _ = parse_math(&text, now, Rounding::Up);
        }

        #[test]
        fn reads_what_it_formats(ms in -62_135_596_800_000_i64..253_402_300_799_999) {
            prop_assert_eq!(parse(&format(ms), Rounding::Down), Some(ms));
        }
    }
}
