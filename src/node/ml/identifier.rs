//! Ids of jobs, datafeeds and groups, and the expressions that name several of them.
//!
//! Source: elasticsearch, `MlStrings.java`, `ExpandedIdsMatcher.java`.

use std::collections::BTreeSet;

use crate::node::http::ApiError;

const ID_LENGTH_MAX: usize = 64;

/// Whether it has only `a-z`, `0-9`, `_`, `-`, `.`, and starts and ends with a letter or digit.
fn is_valid(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = id.as_bytes();
    bytes.iter().all(|byte| plain(*byte) || b"_-.".contains(byte))
        && bytes.first().is_some_and(|first| plain(*first))
        && bytes.last().is_some_and(|last| plain(*last))
}

/// Checks a new id; `field` is `job_id` or `datafeed_id`.
///
/// # Errors
/// 400 `illegal_argument_exception`.
pub(crate) fn check_id(id: &str, field: &'static str) -> Result<(), ApiError> {
    if !is_valid(id) {
        return Err(ApiError::illegal_argument(format!(
            "Invalid {field}; '{id}' can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must start \
             and end with alphanumeric"
        )));
    }
    if id.len() > ID_LENGTH_MAX {
        let what = field.strip_suffix("_id").unwrap_or(field);
        return Err(ApiError::illegal_argument(format!(
            "The {what} id cannot contain more than {ID_LENGTH_MAX} characters."
        )));
    }
    Ok(())
}

/// Checks the name of a group.
///
/// # Errors
/// 400 `illegal_argument_exception`.
pub(crate) fn check_group(group: &str) -> Result<(), ApiError> {
    if is_valid(group) {
        return Ok(());
    }
    Err(ApiError::illegal_argument(format!(
        "Invalid group id '{group}'; must be non-empty string and may contain lowercase alphanumeric (a-z and 0-9), \
         hyphens or underscores; must start and end with alphanumeric"
    )))
}

/// Whether patterns that match nothing are an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMatch {
    Allowed,
    Refused,
}

impl From<bool> for NoMatch {
    fn from(allow_no_match: bool) -> Self {
        if allow_no_match { Self::Allowed } else { Self::Refused }
    }
}

/// Expands `a,b*,_all`. `known` gives each id with its other names (groups). Exact names must exist in any case.
///
/// # Errors
/// The parts that matched nothing, joined by commas.
pub(crate) fn expand<'a, Names>(
    expression: &str,
    known: impl Iterator<Item = (&'a str, Names)>,
    no_match: NoMatch,
) -> Result<BTreeSet<String>, String>
where
    Names: Iterator<Item = &'a str>,
{
    let trimmed: Vec<&str> = expression.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let everything = trimmed.is_empty() || trimmed.contains(&"_all");
    let parts = if everything { vec!["*"] } else { trimmed };
    let mut matched: BTreeSet<&str> = BTreeSet::new();
    let mut found = BTreeSet::new();
    for (id, names) in known {
        let names: Vec<&str> = std::iter::once(id).chain(names).collect();
        for part in &parts {
            if names.iter().any(|name| wildcard(part, name)) {
                matched.insert(part);
                found.insert(id.to_owned());
            }
        }
    }
    let required = |part: &&&str| no_match == NoMatch::Refused || !part.contains('*');
    let unmatched: Vec<&str> =
        parts.iter().filter(required).filter(|part| !matched.contains(**part)).copied().collect();
    if unmatched.is_empty() { Ok(found) } else { Err(unmatched.join(",")) }
}

/// Whole-string match, `*` stands for any text; linear in the product of the lengths.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let mut reached: BTreeSet<usize> = BTreeSet::from([0]);
    let text = text.as_bytes();
    for byte in pattern.bytes() {
        reached = if byte == b'*' {
            let first = reached.first().copied().unwrap_or_default();
            if reached.is_empty() { reached } else { (first..=text.len()).collect() }
        } else {
            reached.into_iter().filter(|at| text.get(*at) == Some(&byte)).map(|at| at + 1).collect()
        };
    }
    reached.contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(expression: &str, no_match: NoMatch) -> Result<Vec<String>, String> {
        let known = [("web-1", vec!["web"]), ("web-2", vec!["web"]), ("db", vec![])];
        let known = known.iter().map(|(id, groups)| (*id, groups.iter().copied()));
        expand(expression, known, no_match).map(|ids| ids.into_iter().collect())
    }

    #[test]
    fn expressions_expand_as_in_elasticsearch() {
        let ids = |ids: &[&str]| Ok(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        for (expression, no_match, expected) in [
            ("web-1", NoMatch::Allowed, ids(&["web-1"])),
            ("web", NoMatch::Allowed, ids(&["web-1", "web-2"])),
            ("db,web-*", NoMatch::Allowed, ids(&["db", "web-1", "web-2"])),
            ("_all", NoMatch::Allowed, ids(&["db", "web-1", "web-2"])),
            ("", NoMatch::Allowed, ids(&["db", "web-1", "web-2"])),
            ("*-1", NoMatch::Refused, ids(&["web-1"])),
            ("no*", NoMatch::Allowed, ids(&[])),
            ("no*", NoMatch::Refused, Err("no*".to_owned())),
            ("x,db,y", NoMatch::Allowed, Err("x,y".to_owned())),
        ] {
            assert_eq!(expanded(expression, no_match), expected, "{expression}");
        }
    }

    #[test]
    fn ids_are_checked() {
        for good in ["a", "a-1_b.c", "0"] {
            assert!(check_id(good, "job_id").is_ok());
        }
        for bad in ["", "A", "-a", "a-", "a b", "a*", "é", &"a".repeat(65)] {
            assert!(check_id(bad, "job_id").is_err(), "{bad}");
        }
    }

    #[test]
    fn wildcard_is_whole_string() {
        assert!(wildcard("a*c", "abc") && wildcard("*", "") && wildcard("a**", "a"));
        assert!(!wildcard("a*c", "abcd") && !wildcard("a", "ab") && !wildcard("ab", "a"));
    }
}
