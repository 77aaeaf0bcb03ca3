//! Tokens and headers that somebody made up, one a line, with the answer.

mod claims;
mod dates;
mod headers;
mod keys;
mod shapes;

use mlgate::realm::jwt::Refusal;
use mlgate::realm::{Malformed, Unauthenticated};

use super::Worker;
use super::tokens::{jwt_settings, realms_of};

/// What it tries, the values of `Authorization`, and the name of the user or why there is none.
pub(super) struct Line {
    name: &'static str,
    headers: Vec<String>,
    expected: Result<String, Unauthenticated>,
}

fn refused(name: &'static str, header: String, refusal: Refusal) -> Line {
    Line { name, headers: vec![header], expected: Err(Unauthenticated::Token(refusal)) }
}

fn malformed(name: &'static str, header: String, cause: Malformed) -> Line {
    Line { name, headers: vec![header], expected: Err(Unauthenticated::Malformed(cause)) }
}

/// Odd, but taken as Elasticsearch takes it: as jane.
fn good(name: &'static str, header: String) -> Line {
    is(name, header, "jane")
}

fn is(name: &'static str, header: String, user: &str) -> Line {
    Line { name, headers: vec![header], expected: Ok(user.to_owned()) }
}

fn not_allowed(name: &str) -> Refusal {
    Refusal::NotAllowed(name.to_owned())
}

fn wrong_type(name: &str) -> Refusal {
    Refusal::WrongType(name.to_owned())
}

fn missing(name: &str) -> Refusal {
    Refusal::Missing(name.to_owned())
}

#[tokio::test]
async fn what_somebody_made_up_is_answered_as_the_table_says() {
    let realms = realms_of(jwt_settings());
    let worker = Worker::new();
    let mut lines = Vec::new();
    for table in [keys::lines, headers::lines, claims::lines, dates::lines, shapes::lines] {
        lines.extend(table());
    }
    let mut names: Vec<_> = lines.iter().map(|line| line.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
    assert!(names.len() >= 200, "{}", names.len());
    let mut wrong = Vec::new();
    for Line { name, headers, expected } in lines {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        // Twice: a refusal leaves nothing behind that the second time would be believed.
        for _ in 0..2 {
            let answer =
                worker.ask(&realms, &headers).await.map(|verified| super::caller(Ok(verified)).username.clone());
            if answer != expected {
                wrong.push(format!("{name}: {answer:?}, expected {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
