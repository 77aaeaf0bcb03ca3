//! Whether an index expression can reach the internal indices of ML, `.ml-*`.

use std::borrow::Cow;

use crate::policy::classify::percent::decode;
use crate::policy::classify::segments::Letters;

/// What wildcards that do not begin with a dot expand to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    LeftOut,
    /// `expand_wildcards` asks for hidden indices.
    Included,
}

const INTERNAL: &[u8] = b".ml-";

/// `segment` is one path segment, percent-encoded as it came: a comma list of names, patterns, date math, `_all`.
/// An empty list means all indices.
pub(super) fn segment_reaches_ml(segment: &[u8], hidden: Hidden, letters: Letters) -> bool {
    list_reaches_ml(&decode(segment), hidden, letters)
}

/// The same for a list that is decoded already.
pub(super) fn list_reaches_ml(list: &[u8], hidden: Hidden, letters: Letters) -> bool {
    let list = match letters {
        Letters::Exact => Cow::Borrowed(list),
        Letters::Folded => Cow::Owned(list.to_ascii_lowercase()),
    };
    let mut items = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|item| !item.is_empty()).peekable();
    if items.peek().is_none() {
        return hidden == Hidden::Included;
    }
    // An exclusion never adds an index. It is not honoured as taking one away: whether it does depends on the order.
    items.any(|item| !item.starts_with(b"-") && item_reaches_ml(item, hidden))
}

/// No index has a `:` in its name: what stands in front of one is a cluster, which may be this one, and behind `::` is
/// a part of the index.
fn item_reaches_ml(item: &[u8], hidden: Hidden) -> bool {
    let item = item.strip_prefix(b"+").unwrap_or(item);
    let without_cluster = || item.iter().position(|byte| *byte == b':').and_then(|colon| item.get(colon + 1..));
    expression_reaches_ml(item, hidden) || without_cluster().is_some_and(|rest| expression_reaches_ml(rest, hidden))
}

/// A name, date math or a pattern; a `{` begins a placeholder, as in the aliases of templates.
fn expression_reaches_ml(item: &[u8], hidden: Hidden) -> bool {
    if let Some(date_math) = item.strip_prefix(b"<") {
        return date_math_reaches_ml(date_math, hidden);
    }
    if item == b"_all" {
        return hidden == Hidden::Included;
    }
    let literal = item.split(|byte| matches!(byte, b'*' | b'{')).next().unwrap_or_default();
    if literal.len() == item.len() { literal.starts_with(INTERNAL) } else { pattern_reaches_ml(literal, hidden) }
}

/// `literal` is what a pattern has in front of its first `*`. Only patterns with a dot in front, or in requests that
/// expand to hidden indices, match names with a dot in front.
fn pattern_reaches_ml(literal: &[u8], hidden: Hidden) -> bool {
    if literal.is_empty() {
        return hidden == Hidden::Included;
    }
    literal.starts_with(INTERNAL) || INTERNAL.starts_with(literal)
}

/// Date math without its `<`, such as `.ml-{now/d}>`. The closing `>` does not matter: a raw `/` in the expression has
/// moved it into another segment.
fn date_math_reaches_ml(expression: &[u8], hidden: Hidden) -> bool {
    let mut literal = Vec::new();
    let mut bytes = expression.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => literal.extend(bytes.next()),
            b'*' => return pattern_reaches_ml(&literal, hidden),
            b'{' => {
                // A date begins with a digit, unless it has a format of its own: that may write any text.
                let has_format = bytes.take_while(|byte| *byte != b'}').any(|byte| byte == b'{');
                return literal.starts_with(INTERNAL) || (has_format && INTERNAL.starts_with(&literal));
            }
            other => literal.push(other),
        }
    }
    literal.starts_with(INTERNAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(segment: &str, hidden: Hidden) -> bool {
        segment_reaches_ml(segment.as_bytes(), hidden, Letters::Exact)
    }

    #[test]
    fn these_reach_ml() {
        let cases = [
            ".ml-config",
            ".ml-",
            "%2Eml-config",
            "%2eml%2Dconfig",
            "a,.ml-config",
            "a%2C.ml-state",
            ".ml-*",
            ".m*",
            ".*",
            ".ml-anomalies-*,-.ml-anomalies-custom",
            "a*,.ml-x*",
            "<.ml-{now/d}>",
            "%3C.ml-%7Bnow%2Fd%7D%3E",
            "<.ml-{now",
            r"<\.ml-{now}>",
            "<.ml-x>",
            "<.{now{'ml-'yyyy}}>",
            "<{now/d{'.ml-'dd}}>",
            "<.m*{now}>",
            "*,.ml-x",
            "%20.ml-x",
            "+.ml-x",
            "local:.ml-x",
            "*:.ml-*",
            "local:<.ml-{now/d}>",
            ".ml-x::data",
            ".{index}",
        ];
        for segment in cases {
            assert!(reaches(segment, Hidden::LeftOut), "{segment}");
        }
    }

    #[test]
    fn these_do_not() {
        let cases = [
            "logs",
            "*",
            "_all",
            "",
            ",",
            "a,b",
            "-.ml-config",
            "*ml-config",
            "ml-*",
            ".kibana*",
            ".mlx-*",
            ".ml",
            "x.ml-config",
            "<logs-{now/d}>",
            "<{now/d}>",
            "<.{now/d}>",
            "<{now/d}-.ml->",
            "%252Eml-config",
            ".ML-config",
            "<*{now}>",
            "logs::failures",
            "remote:logs",
            "{index}-x",
            "*:*",
        ];
        for segment in cases {
            assert!(!reaches(segment, Hidden::LeftOut), "{segment}");
        }
    }

    #[test]
    fn hidden_indices_are_reached_when_asked_for() {
        for segment in ["*", "_all", "", "*ml-config", "*,-.ml-*", "<*{now}>", "a,*"] {
            assert!(reaches(segment, Hidden::Included), "{segment}");
        }
        for segment in ["logs*", "logs", ".kibana*", "-*"] {
            assert!(!reaches(segment, Hidden::Included), "{segment}");
        }
    }

    #[test]
    fn folded_letters_reach_more() {
        assert!(segment_reaches_ml(b".ML-Config", Hidden::LeftOut, Letters::Folded));
    }
}
