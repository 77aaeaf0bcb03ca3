//! Whether the script of a reindex may choose where a document goes.
//!
//! A script sees the destination as `_index` of `ctx`, and can spell that name in many ways. So the question is turned
//! around: a script passes if all that it does with `ctx` is `ctx._source` or `ctx.op`, and all that it does with
//! `params`, which holds `ctx` as well, is to read one member by its name.

use super::Scalar;

/// `path` and `scalar` as in [`super::Judge::scalar`].
pub(super) fn may_choose_destination(path: &str, scalar: Scalar<'_>) -> bool {
    match (path, scalar) {
        ("script" | "script.source" | "script.inline", Scalar::Text(source)) => !is_confined(source),
        ("script.lang", Scalar::Text(language)) => language != "painless",
        ("script.id" | "script.stored" | "script.file", _) => true,
        _ => false,
    }
}

fn is_confined(source: &str) -> bool {
    let mut rest = source;
    while let Some(start) = rest.find(is_word) {
        let from = rest.get(start..).unwrap_or_default();
        let end = from.find(|character| !is_word(character)).unwrap_or(from.len());
        let (word, behind) = from.split_at_checked(end).unwrap_or((from, ""));
        let allowed = match word {
            "ctx" => matches!(member(behind), Some(("_source" | "op", _))),
            "params" => member(behind).is_some_and(|(name, next)| name != "ctx" && !may_be_called(next)),
            "metadata" | "_index" => false,
            "field" | "$" => !may_be_called(behind),
            _ => true,
        };
        if !allowed {
            return false;
        }
        rest = behind;
    }
    true
}

/// Whether arguments follow, or a comment, behind which they may stand.
fn may_be_called(behind: &str) -> bool {
    let behind = behind.trim_start();
    ["(", "/*", "//"].iter().any(|start| behind.starts_with(start))
}

/// The name behind a `.`, and what follows it.
fn member(behind: &str) -> Option<(&str, &str)> {
    let name = behind.strip_prefix('.')?;
    let end = name.find(|character| !is_word(character)).unwrap_or(name.len());
    name.split_at_checked(end).filter(|(name, _)| !name.is_empty())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}
