//! Plays a script on a target.

use std::time::Instant;

use super::expectation::check;
use super::expression::{Variables, fill};
use super::script::{Action, BodyLine, Call, Script};
use super::target::Target;
use crate::harness::{Client, PATIENCE, Response};

/// # Errors
/// Line number and what is not as expected.
pub(super) fn play(script: &Script, target: &Target) -> Result<(), String> {
    let mut client = Client::connect(target.address());
    let mut variables = Variables::from([("now".to_owned(), target.now_ms().to_string())]);
    for step in &script.steps {
        let played = match &step.action {
            Action::Clock(time_ms) => {
                target.set_clock(*time_ms);
                variables.insert("now".to_owned(), time_ms.to_string());
                Ok(())
            }
            Action::Call(call) => played(call, target, &mut client, &mut variables),
        };
        played.map_err(|problem| format!("{}: {problem}", step.line))?;
    }
    Ok(())
}

fn played(call: &Call, target: &Target, client: &mut Client, variables: &mut Variables) -> Result<(), String> {
    let request = request(call, target, variables)?;
    let begun = Instant::now();
    loop {
        let answer = client.ask(&request);
        let problem = match compared(call, &answer, variables) {
            Ok(()) => return Ok(()),
            Err(problem) => problem,
        };
        if !call.until || begun.elapsed() > PATIENCE {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("{} {}\n  {problem}\n  {} {body}", call.method, call.target, answer.status));
        }
        std::thread::yield_now();
    }
}

fn compared(call: &Call, answer: &Response, variables: &mut Variables) -> Result<(), String> {
    let status = answer.status.to_string();
    let same = call.status.len() == status.len()
        && call.status.chars().zip(status.chars()).all(|(wanted, found)| wanted == 'x' || wanted == found);
    if !same {
        return Err(format!("expected status [{}], found [{status}]", call.status));
    }
    for (line, expectation) in &call.expectations {
        let expectation = fill(expectation, variables)?;
        check(&expectation, answer, variables).map_err(|problem| format!("line {line}: {problem}"))?;
    }
    Ok(())
}

/// The bytes of the request.
fn request(call: &Call, target: &Target, variables: &Variables) -> Result<String, String> {
    let uri = fill(&call.target, variables)?;
    let body = body(&call.body, variables)?;
    let mut head = format!("{} {uri} HTTP/1.1\r\nHost: localhost\r\n", call.method);
    head.push_str(&target.credentials(call.user.as_deref()));
    for header in &call.headers {
        head.push_str(&format!("{header}\r\n"));
    }
    if !body.is_empty() {
        if !call.headers.iter().any(|header| header.to_ascii_lowercase().starts_with("content-type:")) {
            let path = uri.split('?').next().unwrap_or_default();
            let kind = if path.ends_with("/_bulk") { "x-ndjson" } else { "json" };
            head.push_str(&format!("Content-Type: application/{kind}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    Ok(format!("{head}\r\n{body}"))
}

fn body(lines: &[BodyLine], variables: &Variables) -> Result<String, String> {
    let mut body = String::new();
    let mut add = |line: &str, variables: &Variables| -> Result<(), String> {
        body.push_str(&fill(line, variables)?);
        body.push('\n');
        Ok(())
    };
    for line in lines {
        match line {
            BodyLine::Text(line) => add(line, variables)?,
            BodyLine::Each { name, from, to, lines } => {
                let mut variables = variables.clone();
                for number in *from..*to {
                    variables.insert(name.clone(), number.to_string());
                    lines.iter().try_for_each(|line| add(line, &variables))?;
                }
            }
        }
    }
    Ok(body)
}
