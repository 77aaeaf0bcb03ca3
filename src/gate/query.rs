//! The query of `set_upgrade_mode`, read as Elasticsearch reads it.
//!
//! Source: elasticsearch, `RestSetUpgradeModeAction.java`, `RestUtils.java`, `Booleans.java`, `TimeValue.java`.

use std::borrow::Cow;
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// What the request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchQuery {
    /// A bare request switches the mode off.
    pub enabled: bool,
    pub timeout: Duration,
}

/// Why the query is answered 400 by the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryProblem {
    #[error("Failed to parse value [{0}] as only [true] or [false] are allowed.")]
    NotBoolean(String),
    #[error("failed to parse setting [timeout] with value [{0}] as a time value: unit is missing or unrecognized")]
    NotTime(String),
    /// Servers differ in which of several values they take.
    #[error("request [{path}] contains parameter [{name}] more than once")]
    Twice { path: &'static str, name: &'static str },
}

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// `-1` and anything longer: a wait that never ends would keep the gate for ever.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

impl SwitchQuery {
    /// Reads the query, without its `?`.
    ///
    /// # Errors
    /// Values that Elasticsearch refuses, and `enabled` or `timeout` given twice.
    pub fn parse(query: Option<&str>) -> Result<Self, QueryProblem> {
        let (mut enabled, mut timeout) = (None, None);
        for (name, value) in pieces(query.unwrap_or_default()) {
            match &*name {
                "enabled" => once(&mut enabled, "enabled", boolean(&value)?)?,
                "timeout" => once(&mut timeout, "timeout", time(&value)?)?,
                _ => {}
            }
        }
        Ok(Self { enabled: enabled.unwrap_or(false), timeout: timeout.unwrap_or(TIMEOUT_DEFAULT) })
    }

    /// The target with `left` as its `timeout`: all other parts stay as they came.
    pub(super) fn retimed(target: &str, left: Duration) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let timeout = format!("timeout={}ms", left.as_millis());
        let mut kept: Vec<&str> = query
            .split(['&', ';'])
            .filter(|piece| !piece.is_empty() && *decoded(piece.split('=').next().unwrap_or_default()) != *"timeout")
            .collect();
        kept.push(&timeout);
        format!("{path}?{}", kept.join("&"))
    }
}

fn once<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), QueryProblem> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(QueryProblem::Twice { path: "/_ml/set_upgrade_mode", name }),
    }
}

/// Name and value of each part, decoded; `&` and `;` separate, `+` is a space.
fn pieces(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split(['&', ';']).filter(|piece| !piece.is_empty()).map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    } else {
        percent_decode_str(text).decode_utf8_lossy()
    }
}

fn boolean(value: &str) -> Result<bool, QueryProblem> {
    match value {
        "" | "true" => Ok(true),
        "false" => Ok(false),
        other => Err(QueryProblem::NotBoolean(other.to_owned())),
    }
}

/// `500ms`, `30s`, `10m`, `1h`, `1d`, `micros`, `nanos`; `0` and `-1` need no unit.
fn time(value: &str) -> Result<Duration, QueryProblem> {
    let problem = || QueryProblem::NotTime(value.to_owned());
    let text = value.trim().to_ascii_lowercase();
    match text.as_str() {
        "-1" => return Ok(TIMEOUT_MAX),
        "0" => return Ok(Duration::ZERO),
        _ => {}
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(problem)?;
    let number: u64 = number.parse().map_err(|_| problem())?;
    let time = match unit.trim_start() {
        "nanos" => Duration::from_nanos(number),
        "micros" => Duration::from_micros(number),
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        "h" => Duration::from_secs(number.saturating_mul(60 * 60)),
        "d" => Duration::from_secs(number.saturating_mul(24 * 60 * 60)),
        _ => return Err(problem()),
    };
    Ok(time.min(TIMEOUT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> Result<SwitchQuery, String> {
        SwitchQuery::parse(Some(query)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_bare_request_switches_off_with_thirty_seconds() {
        let off = SwitchQuery { enabled: false, timeout: Duration::from_secs(30) };
        assert_eq!(SwitchQuery::parse(None), Ok(off));
        assert_eq!(parsed("pretty"), Ok(off));
    }

    #[test]
    fn values_are_read_as_elasticsearch_reads_them() {
        for (query, enabled, seconds) in [
            ("enabled", true, 30),
            ("enabled=", true, 30),
            ("enabled=true&timeout=10m", true, 600),
            ("timeout=2h;enabled=false", false, 7200),
            ("%65nabled=tru%65&timeout=0", true, 0),
            ("enabled=true&timeout=-1", true, 86_400),
            ("enabled=true&timeout=400d", true, 86_400),
        ] {
            assert_eq!(parsed(query), Ok(SwitchQuery { enabled, timeout: Duration::from_secs(seconds) }), "{query}");
        }
    }

    #[test]
    fn what_elasticsearch_refuses_is_refused() {
        for (query, problem) in [
            ("enabled=TRUE", "Failed to parse value [TRUE] as only [true] or [false] are allowed."),
            ("enabled=+true", "Failed to parse value [ true] as only [true] or [false] are allowed."),
            (
                "timeout=5",
                "failed to parse setting [timeout] with value [5] as a time value: unit is missing or unrecognized",
            ),
            (
                "timeout=",
                "failed to parse setting [timeout] with value [] as a time value: unit is missing or unrecognized",
            ),
            (
                "enabled=true&enabled=false",
                "request [/_ml/set_upgrade_mode] contains parameter [enabled] more than once",
            ),
        ] {
            assert_eq!(parsed(query), Err(problem.to_owned()), "{query}");
        }
    }

    #[test]
    fn only_the_timeout_is_exchanged() {
        let left = Duration::from_millis(1500);
        assert_eq!(
            SwitchQuery::retimed("/_ml/set_upgrade_mode?enabled=true&timeout=10m&pretty", left),
            "/_ml/set_upgrade_mode?enabled=true&pretty&timeout=1500ms"
        );
        assert_eq!(SwitchQuery::retimed("/_ml/set_upgrade_mode/", left), "/_ml/set_upgrade_mode/?timeout=1500ms");
        assert_eq!(SwitchQuery::retimed("/x?%74imeout=1s", left), "/x?timeout=1500ms");
    }
}
