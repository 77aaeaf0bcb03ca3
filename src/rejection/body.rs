//! The one place that writes the gateway's Elasticsearch error bodies.
//!
//! Texts are Elasticsearch's where it has one for the case.
//!
//! Source: elasticsearch, `RestController.java`, `BaseRestHandler.java`, `DefaultAuthenticationFailureHandler.java`,
//! `MlUpgradeModeActionFilter.java`, `AbstractTransportSetUpgradeModeAction.java`.

use http::HeaderValue;
use serde_json::{Map, Value, json};

use super::reply::Asked;
use super::{Malformation, Rejection};
use crate::elasticsearch::error_body::{Exception, simple};
use crate::gate::{Held, SwitchRefusal};
use crate::policy::{Denial, TargetProblem, Unroutable};
use crate::realm::{Malformed, Unauthenticated};
use crate::telemetry::clock;
use crate::upstream::UpstreamError;

/// The body of a refusal.
pub(super) fn body(rejection: &Rejection, asked: &Asked<'_>) -> Value {
    let status = rejection.status().code().as_u16();
    let full = |exception: Exception| exception.full(status);
    match rejection {
        Rejection::Malformed(problem) => full(malformed(*problem)),
        Rejection::Method => simple(&format!("Unexpected http method: {}", asked.method), Some(status)),
        Rejection::Expectation => full(state("only the expectation [100-continue] is supported")),
        Rejection::Misdirected => full(state("no cluster answers to this host")),
        Rejection::TooLarge => full(state("the request body is larger than [limits.max_content_length]")),
        Rejection::BodyTimeout => full(Exception::new("timeout_exception", "the request body did not arrive in time")),
        Rejection::BodyBroken => full(argument("the request body broke off or is not framed correctly")),
        Rejection::Unroutable(unroutable) => unroutable_body(unroutable, asked, status),
        Rejection::Missing => full(security(
            format!("missing authentication credentials for REST request [{}]", asked.target()),
            asked.challenges,
        )),
        Rejection::Unauthenticated(unauthenticated) => full(unauthenticated_body(unauthenticated, asked)),
        Rejection::Denied { denial, username, on } => {
            let body = on.as_ref().map(|name| format!("the body reaches [{name}]"));
            full(denied(denial, username, body, asked))
        }
        Rejection::Uninspected { unread, .. } if unread.is_malformed() => full(argument(unread.to_string())),
        Rejection::Uninspected { unread, denial, username } => {
            let body = Some(format!("the body cannot be inspected: {unread}"));
            full(denied(denial, username, body, asked))
        }
        Rejection::Throttled { username, .. } => full(Exception::new(
            "es_rejected_execution_exception",
            format!("requests of user [{username}] come faster than [limits.requests_per_second_per_principal] allows"),
        )),
        Rejection::RunAs { username, run_as, roles } => full(Exception::new(
            "security_exception",
            format!(
                "user [{username}] with effective roles [{}] is unauthorized to run as [{run_as}]",
                roles.join(",")
            ),
        )),
        Rejection::UnspeakableUser => full(Exception::new(
            "security_exception",
            "the name of the user cannot be passed on: it is not plain ASCII",
        )),
        Rejection::NotAsUser { username, what } => full(Exception::new(
            "security_exception",
            format!("the gateway does not act as user [{username}] for {what}: the user may do more than the caller"),
        )),
        Rejection::Held { held, action, job_reset, .. } => full(held_body(held, *action, *job_reset, asked)),
        Rejection::BodyNotSupported => {
            full(argument(format!("request [{} {}] does not support having a body", asked.method, asked.path())))
        }
        Rejection::Parameter { name } => {
            full(argument(format!("request [{}] contains unrecognized parameter: [{name}]", asked.path())))
        }
        Rejection::Switch(refusal) => full(switch_body(refusal)),
        Rejection::Upstream(error) => full(upstream(error)),
        Rejection::Internal(what) => full(Exception::new("illegal_state_exception", *what)),
    }
}

/// The answer to a head that is no HTTP, or too large to be read.
pub(super) fn unparsed(status: u16) -> Value {
    let text = match status {
        414 => "the request line is larger than [limits.max_header_bytes]",
        431 => "the request head is larger than [limits.max_header_bytes]",
        _ => "the request is not valid HTTP",
    };
    let kind = if status == 400 { "illegal_argument_exception" } else { "status_exception" };
    Exception::new(kind, text).full(status)
}

fn argument(reason: impl Into<String>) -> Exception {
    Exception::new("illegal_argument_exception", reason)
}

fn state(reason: impl Into<String>) -> Exception {
    Exception::new("status_exception", reason)
}

fn malformed(problem: Malformation) -> Exception {
    argument(problem.to_string())
}

fn unroutable_body(unroutable: &Unroutable, asked: &Asked<'_>, status: u16) -> Value {
    let (uri, method) = (asked.target(), asked.method);
    match unroutable {
        Unroutable::NoHandler => simple(&format!("no handler found for uri [{uri}] and method [{method}]"), None),
        Unroutable::MethodNotAllowed(allowed) | Unroutable::Options(allowed) => {
            let allowed = allowed.join(", ");
            let text = format!("Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{allowed}]");
            simple(&text, Some(status))
        }
        Unroutable::Target(problem) => {
            let why = match problem {
                TargetProblem::ForbiddenByte => "has a byte that must be escaped",
                TargetProblem::MalformedEscape => "has an escape that is not two hexadecimal digits",
                TargetProblem::Fragment => "has a fragment",
                TargetProblem::NotOriginForm => "does not start with a slash",
                TargetProblem::AmbiguousMl => {
                    "could be read as a machine learning path by one server and not by another"
                }
            };
            argument(format!("the request target {why}")).full(status)
        }
    }
}

/// `body` says what of the body it is for.
fn denied(denial: &Denial, username: &str, body: Option<String>, asked: &Asked<'_>) -> Exception {
    let mut reason = denial.reason(username, &format!("{} {}", asked.method, asked.path()));
    if let Some(body) = body {
        reason.push_str(&format!("; {body}"));
    }
    Exception::new("security_exception", reason)
}

/// With the challenges beside the reason: one as a string, several as an array.
fn security(reason: String, challenges: &[HeaderValue]) -> Exception {
    let texts: Vec<&str> = challenges.iter().filter_map(|value| value.to_str().ok()).collect();
    let value = match texts.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    Exception::new("security_exception", reason).with("header", json!({ "WWW-Authenticate": value }))
}

fn unauthenticated_body(unauthenticated: &Unauthenticated, asked: &Asked<'_>) -> Exception {
    let challenged = |reason: String| security(reason, asked.challenges);
    match unauthenticated {
        Unauthenticated::Malformed(Malformed::SeveralHeaders) => {
            argument("multiple values for single-valued header [Authorization].")
        }
        Unauthenticated::Malformed(Malformed::SeveralRunAs) => {
            argument("multiple values for single-valued header [es-security-runas-user].")
        }
        Unauthenticated::Malformed(Malformed::SeveralSecrets) => {
            argument("multiple values for single-valued header [ES-Client-Authentication].")
        }
        Unauthenticated::Malformed(Malformed::BasicEncoding) => {
            challenged("invalid basic authentication header encoding".to_owned())
        }
        Unauthenticated::Malformed(Malformed::BasicValue) => {
            challenged("invalid basic authentication header value".to_owned())
        }
        Unauthenticated::Malformed(Malformed::TooLong | Malformed::Scheme)
        | Unauthenticated::Token(_)
        | Unauthenticated::Certificate(_)
        | Unauthenticated::Undisclosed { .. }
        | Unauthenticated::Credentials { detail: None } => challenged(REFUSED.to_owned()),
        Unauthenticated::Limited { username: None } => challenged(REFUSED.to_owned()),
        Unauthenticated::User { username } | Unauthenticated::Limited { username: Some(username) } => {
            challenged(format!("unable to authenticate user [{username}] for REST request [{}]", asked.target()))
        }
        Unauthenticated::Credentials { detail: Some(detail) } => {
            challenged(REFUSED.to_owned()).with("additional_unsuccessful_credentials", json!(detail))
        }
        Unauthenticated::Forbidden { reason } => Exception::new("security_exception", reason.clone()),
        Unauthenticated::Unavailable => {
            state("the cluster does not say at present who the caller is; nobody is let in without its word")
        }
        Unauthenticated::Busy => Exception::new(
            "es_rejected_execution_exception",
            "too many authentications are waiting for their verification",
        ),
    }
}

const REFUSED: &str =
    "unable to authenticate with provided credentials and anonymous access is not allowed for this request";

/// Elasticsearch's text as it is, since callers compare it; what it does not tell stands beside it.
fn held_body(held: &Held, action: Option<&str>, job_reset: bool, asked: &Asked<'_>) -> Exception {
    let Held::Fenced { state: gate, facts } = held else {
        return state("the upgrade mode of the cluster is not known at present");
    };
    let exception = match action {
        _ if job_reset => state("cannot reset job while indices are being upgraded"),
        Some(action) => state(format!("Cannot perform {action} action while upgrade mode is enabled")),
        None => state(format!("Cannot perform [{} {}] while upgrade mode is enabled", asked.method, asked.path())),
    };
    let mut told = Map::new();
    told.insert("state".to_owned(), json!(gate.name()));
    told.insert("since".to_owned(), json!(clock::rfc3339(facts.since)));
    told.extend(facts.by.iter().map(|by| ("by".to_owned(), json!(by))));
    told.extend(facts.reason.iter().map(|reason| ("reason".to_owned(), json!(reason))));
    exception.with("upgrade_mode", Value::Object(told))
}

fn switch_body(refusal: &SwitchRefusal) -> Exception {
    let timeout = |reason: String| Exception::new("timeout_exception", reason);
    match refusal {
        SwitchRefusal::Query(problem) => argument(problem.to_string()),
        SwitchRefusal::Busy { to, from } => state(
            "Cannot change [upgrade_mode] for feature name [ml-set-upgrade-mode]. Previous request is still being processed.",
        )
        .caused_by(Exception::new(
            "illegal_state_exception",
            format!(
                "Attempted to set [upgrade_mode] for feature name [ml-set-upgrade-mode] to [{to}] from [{from}] while previous request was processing."
            ),
        )),
        SwitchRefusal::StillAdmitted { requests } => timeout(format!(
            "[{requests}] requests admitted before upgrade mode have not ended; the cluster was not asked"
        )),
        SwitchRefusal::Unverified(against) => timeout(format!(
            "the cluster acknowledged, but it is not proved that machine learning tasks are where they should be: {against}"
        )),
        SwitchRefusal::HalfDone { answer, against } => timeout(format!(
            "upgrade mode is on, but not in effect: {against}; nothing new starts, and the same request again waits on"
        ))
        .caused_by(state(format!("the cluster did not acknowledge: {answer}"))),
        SwitchRefusal::GoesOn(against) => timeout(format!(
            "the time is over, and upgrade mode is still being switched for another request: {against}"
        )),
        SwitchRefusal::Upstream(error) => upstream(error),
        SwitchRefusal::Stopping => state("the gateway is stopping"),
    }
}

/// Without the name of the node: that is in the log.
fn upstream(error: &UpstreamError) -> Exception {
    match error {
        UpstreamError::NoHealthyNode | UpstreamError::Connect { .. } | UpstreamError::ConnectTimeout { .. } => {
            Exception::new("no_node_available_exception", "no node of the cluster can be reached")
        }
        UpstreamError::Exhausted { .. } => {
            Exception::new("es_rejected_execution_exception", "too many requests wait for a connection to the cluster")
        }
        UpstreamError::Broken { .. } | UpstreamError::Unusable { .. } | UpstreamError::AnswerTooLarge { .. } => {
            state("the node of the cluster gave no valid answer")
        }
        UpstreamError::ResponseTimeout { .. } => {
            Exception::new("timeout_exception", "the cluster did not answer in time")
        }
    }
}
