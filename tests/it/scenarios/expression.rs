//! `${...}`: a variable, or whole numbers and variables with `+ - * / %`, the last three first.

use std::collections::BTreeMap;

pub(super) type Variables = BTreeMap<String, String>;

/// Puts the values in place.
///
/// # Errors
/// An unknown variable, or what is no expression.
pub(super) fn fill(text: &str, variables: &Variables) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (expression, tail) = after.split_once('}').ok_or_else(|| format!("[{after}] has no closing brace"))?;
        filled.push_str(before);
        match variables.get(expression) {
            Some(value) => filled.push_str(value),
            None => filled.push_str(&sum(expression, variables)?.to_string()),
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn sum(text: &str, variables: &Variables) -> Result<i64, String> {
    let mut total = 0;
    let mut rest = text;
    let mut sign = 1;
    loop {
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        total += sign * product(&rest[..end], variables)?;
        match rest[end..].chars().next() {
            None => return Ok(total),
            Some(operator) => sign = if operator == '+' { 1 } else { -1 },
        }
        rest = &rest[end + 1..];
    }
}

fn product(text: &str, variables: &Variables) -> Result<i64, String> {
    let mut total: Option<i64> = None;
    let mut rest = text;
    let mut operator = '*';
    loop {
        let end = rest.find(['*', '/', '%']).unwrap_or(rest.len());
        let value = value(rest[..end].trim(), variables)?;
        total = Some(match (total, operator) {
            (None, _) => value,
            (Some(left), '/') => left / value,
            (Some(left), '%') => left % value,
            (Some(left), _) => left * value,
        });
        match rest[end..].chars().next() {
            None => return Ok(total.unwrap_or_default()),
            Some(next) => operator = next,
        }
        rest = &rest[end + 1..];
    }
}

fn value(text: &str, variables: &Variables) -> Result<i64, String> {
    let number = variables.get(text).map_or(text, String::as_str);
    number.parse().map_err(|_| format!("[{text}] is neither a number nor a variable that is one"))
}

#[test]
fn binds_as_arithmetic_does() {
    let variables = Variables::from([("n".to_owned(), "4".to_owned()), ("id".to_owned(), "a-b".to_owned())]);
    assert_eq!(fill("/${id}/${100+n*7%11-1}", &variables), Ok("/a-b/105".to_owned()));
    assert!(fill("${x}", &variables).is_err());
}
