//! One line below `=> STATUS`: a place in the answer, and what stands there.

use std::cmp::Ordering;

use regex_lite::Regex;
use serde_json::Value;

use super::expression::Variables;
use crate::harness::Response;

/// Compares one line with an answer; `PATH as NAME` keeps what is there as a variable.
///
/// # Errors
/// What was found instead.
pub(super) fn check(line: &str, answer: &Response, variables: &mut Variables) -> Result<(), String> {
    let (path, rest) = line.split_once(' ').ok_or_else(|| format!("[{line}] is no expectation"))?;
    let (operator, wanted) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let found = find(path, answer);
    let holds = match (operator, &found) {
        ("exists", found) => found.is_some(),
        ("absent", found) => found.is_none(),
        ("as", Some(value)) => {
            variables.insert(wanted.to_owned(), text(value));
            true
        }
        ("=", Some(value)) => equal(value, &json(wanted)?),
        ("!=", Some(value)) => !equal(value, &json(wanted)?),
        ("has", Some(value)) => has(value, &json(wanted)?),
        ("length", Some(value)) => length(value) == wanted.parse().ok(),
        ("~", Some(value)) => Regex::new(wanted).map_err(|problem| problem.to_string())?.is_match(&text(value)),
        ("<" | "<=" | ">" | ">=", Some(value)) => compares(value, operator, &json(wanted)?),
        (_, None) => false,
        (other, _) => return Err(format!("[{other}] is no operator")),
    };
    let found = found.map_or("nothing".to_owned(), |found| found.to_string());
    if holds { Ok(()) } else { Err(format!("expected [{line}], found [{found}]")) }
}

/// `.` is the whole body, `@name` a header, otherwise keys and indices with dots between; `\.` is a dot within a key.
fn find(path: &str, answer: &Response) -> Option<Value> {
    if let Some(header) = path.strip_prefix('@') {
        return answer.values(header).first().map(|value| Value::from(*value));
    }
    let is_json = answer.value("content-type").is_some_and(|kind| kind.contains("json"));
    let body = if is_json { answer.json() } else { Value::from(String::from_utf8_lossy(&answer.body).into_owned()) };
    if path == "." {
        return Some(body);
    }
    let path = path.replace("\\.", "\0");
    path.split('.').try_fold(body, |value, key| {
        let key = key.replace('\0', ".");
        match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?).cloned(),
            value => value.get(&key).cloned(),
        }
    })
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|_| format!("[{text}] is not JSON"))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `1` and `1.0` are the same number.
fn equal(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| equal(found, wanted))
        }
        (Value::Object(found), Value::Object(wanted)) => {
            found.len() == wanted.len()
                && wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| equal(found, wanted)))
        }
        (found, wanted) => found == wanted,
    }
}

/// Every member of the wanted object, every element of the wanted array is there; there may be more.
fn has(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| has(found, wanted)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            wanted.iter().all(|wanted| found.iter().any(|found| has(found, wanted)))
        }
        (found, wanted) => equal(found, wanted),
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        Value::String(text) => Some(text.chars().count()),
        _ => None,
    }
}

fn compares(found: &Value, operator: &str, wanted: &Value) -> bool {
    let order = found.as_f64().zip(wanted.as_f64()).and_then(|(found, wanted)| found.partial_cmp(&wanted));
    match operator {
        "<" => order == Some(Ordering::Less),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        ">" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

#[test]
fn an_expectation_can_fail() {
    let body = br#"{"a":{"b.c":[1,{"d":"text"}]}}"#.to_vec();
    let answer = Response {
        status: 200,
        head: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-A: b".to_owned(),
        raw_body: body.clone(),
        body,
    };
    let holds = |line: &str| check(line, &answer, &mut Variables::new()).is_ok();
    for line in [
        r"a.b\.c.0 = 1.0",
        r#"a.b\.c.1.d = "text""#,
        r"a.b\.c.1.d ~ ^te",
        r"a.b\.c length 2",
        r#"a has {"b.c": [{"d": "text"}]}"#,
        r"a.b\.c.0 >= 1",
        r"a.x absent",
        r"@x-a ~ ^b$",
    ] {
        assert!(holds(line), "{line}");
    }
    for line in [
        r"a.b\.c.0 = 2",
        r"a.b\.c.0 != 1",
        r"a.b\.c.1.d ~ ^ex",
        r"a.b\.c length 1",
        r#"a has {"b.c": [{"e": 1}]}"#,
        r"a.b\.c.0 > 1",
        r"a absent",
        r"x = 1",
        r"@x-b exists",
    ] {
        assert!(!holds(line), "{line}");
    }
}
