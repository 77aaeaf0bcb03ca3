//! `${VAR}` and `${VAR:-default}` in scalars.
//!
//! They are replaced in the tree, after YAML is read: what a variable holds can never add a key, a list or a comment.

use super::yaml::{Mark, Node, Scalar, Value};

/// Reads a variable; `None`: it is not set.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is wrong with a `${...}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableFault {
    #[error("the variable [{0}] is not set; set it, or write ${{{0}:-default}}")]
    NotSet(String),
    #[error("[${{] without [}}]; write $${{ for the characters themselves")]
    NotClosed,
    #[error("[{0}] is no name of a variable (letters, digits and _, no digit first)")]
    Name(String),
}

/// Replaces the variables in every scalar below `node`.
pub(super) fn replace(node: &mut Node, environment: Environment<'_>, faults: &mut Vec<(Mark, VariableFault)>) {
    match &mut node.value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| replace(node, environment, faults)),
        Value::Mapping(entries) => entries.iter_mut().for_each(|entry| replace(&mut entry.node, environment, faults)),
        Value::Scalar(scalar) => {
            if let Err(fault) = replace_scalar(scalar, environment) {
                faults.push((node.mark, fault));
            }
        }
    }
}

fn replace_scalar(scalar: &mut Scalar, environment: Environment<'_>) -> Result<(), VariableFault> {
    if !scalar.text.contains("${") {
        return Ok(());
    }
    let replaced = expand(&scalar.text, environment)?;
    scalar.template = Some(std::mem::replace(&mut scalar.text, replaced));
    Ok(())
}

fn expand(text: &str, environment: Environment<'_>) -> Result<String, VariableFault> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(escaped) = before.strip_suffix('$') {
            expanded.push_str(escaped);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let (inside, behind) = after.split_once('}').ok_or(VariableFault::NotClosed)?;
        expanded.push_str(&value(inside, environment)?);
        rest = behind;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// As in the shell: with `:-` a variable that is set but empty counts as not set.
fn value(inside: &str, environment: Environment<'_>) -> Result<String, VariableFault> {
    let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, default)| (name, Some(default)));
    let starts_well = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if !starts_well || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(VariableFault::Name(name.to_owned()));
    }
    match (environment(name), default) {
        (Some(value), Some(default)) if value.is_empty() => Ok(default.to_owned()),
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(VariableFault::NotSet(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("10.0.0.1".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${HOST}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn replaces_as_the_shell_does() {
        for (text, expected) in [
            ("https://${HOST}:9200", "https://10.0.0.1:9200"),
            ("${HOST}${HOST}", "10.0.0.110.0.0.1"),
            ("${NONE:-x:-y}", "x:-y"),
            ("${EMPTY:-x}", "x"),
            ("a${EMPTY}b", "ab"),
            ("${NONE:-}", ""),
            ("$${HOST} costs $5", "${HOST} costs $5"),
            ("${NESTED}", "${HOST}"),
        ] {
            assert_eq!(expand(text, &environment).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, expected) in [
            ("${NONE}", VariableFault::NotSet("NONE".to_owned())),
            ("${HOST", VariableFault::NotClosed),
            ("${}", VariableFault::Name(String::new())),
            ("${1A}", VariableFault::Name("1A".to_owned())),
            ("${A B}", VariableFault::Name("A B".to_owned())),
        ] {
            assert_eq!(expand(text, &environment), Err(expected), "{text}");
        }
        assert_eq!(
            VariableFault::NotSet("NONE".to_owned()).to_string(),
            "the variable [NONE] is not set; set it, or write ${NONE:-default}"
        );
        assert_eq!(VariableFault::NotClosed.to_string(), "[${] without [}]; write $${ for the characters themselves");
    }
}
