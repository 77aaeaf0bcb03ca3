//! A refusal as an HTTP answer: status, headers, body.

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderValue, Method, Response, StatusCode, Uri};
use serde_json::Value;

use super::{ErrorStatus, Rejection, body};
use crate::gate::Held;
use crate::policy::Unroutable;
use crate::realm::Unauthenticated;
use crate::upstream::UpstreamError;

/// What an answer needs to know of the request.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub accept: Option<&'a HeaderValue>,
    pub opaque_id: Option<&'a HeaderValue>,
    pub request_id: &'a HeaderValue,
    /// What `WWW-Authenticate` offers on this connection.
    pub challenges: &'a [HeaderValue],
}

/// As much of `X-Opaque-Id` is echoed.
const OPAQUE_ID_BYTES_MAX: usize = 1024;
const PRODUCT: HeaderName = HeaderName::from_static("x-elastic-product");
const OPAQUE_ID: HeaderName = HeaderName::from_static("x-opaque-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The answer to a refused request. `HEAD` gets the headers of the body and not the body.
pub fn answer(rejection: &Rejection, asked: &Asked<'_>) -> Response<Bytes> {
    let status = rejection.status();
    let mut response = json(status.code(), &body::body(rejection, asked), asked);
    let headers = response.headers_mut();
    match status {
        // As in Elasticsearch: these two do not say what product refuses.
        ErrorStatus::UNAUTHORIZED => {
            headers.remove(PRODUCT);
            for challenge in asked.challenges {
                headers.append(header::WWW_AUTHENTICATE, challenge.clone());
            }
        }
        ErrorStatus::FORBIDDEN => {
            headers.remove(PRODUCT);
        }
        _ => {}
    }
    if let Rejection::Unroutable(Unroutable::MethodNotAllowed(allowed) | Unroutable::Options(allowed)) = rejection
        && let Ok(value) = HeaderValue::try_from(allowed.join(","))
    {
        headers.insert(header::ALLOW, value);
    }
    if let Some(seconds) = retry_after_seconds(rejection) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if rejection.closes() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What the answer says, for the audit trail; for a token, a certificate or an API key also what the answer hides.
pub fn reason(rejection: &Rejection, asked: &Asked<'_>) -> Option<String> {
    // A query may hold secrets.
    let path = Uri::builder().path_and_query(asked.path()).build().ok()?;
    let body = body::body(rejection, &Asked { uri: &path, ..*asked });
    let error = body.get("error")?;
    let told = error.get("reason").unwrap_or(error).as_str()?;
    Some(match rejection {
        Rejection::Unauthenticated(Unauthenticated::Token(refusal)) => format!("{told}: {refusal}"),
        Rejection::Unauthenticated(Unauthenticated::Certificate(refusal)) => format!("{told}: {refusal}"),
        Rejection::Unauthenticated(Unauthenticated::Undisclosed { detail }) => format!("{told}: {detail}"),
        _ => told.to_owned(),
    })
}

/// Elasticsearch's answer to `OPTIONS` on a known path.
pub fn options(allowed: &[&'static str], asked: &Asked<'_>) -> Response<Bytes> {
    let mut response = plain(StatusCode::OK, Bytes::new(), asked);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"));
    if let Ok(value) = HeaderValue::try_from(allowed.join(",")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// A whole HTTP/1.1 answer to what could not be parsed: 400, 414 or 431.
pub fn unparsed(status: u16) -> Bytes {
    let body = body::unparsed(status).to_string();
    let reason =
        StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Bad Request");
    Bytes::from(format!(
        "HTTP/1.1 {status} {reason}\r\nx-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))
}

impl Asked<'_> {
    /// Path and query.
    pub fn target(&self) -> &str {
        self.uri.path_and_query().map_or("", |target| target.as_str())
    }

    pub fn path(&self) -> &str {
        self.uri.path()
    }
}

fn json(status: StatusCode, body: &Value, asked: &Asked<'_>) -> Response<Bytes> {
    let mut response = plain(status, Bytes::from(body.to_string()), asked);
    response.headers_mut().insert(header::CONTENT_TYPE, media_type(asked.accept));
    response
}

fn plain(status: StatusCode, body: Bytes, asked: &Asked<'_>) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let head_only = *asked.method == Method::HEAD;
    let mut response = Response::new(if head_only { Bytes::new() } else { body });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(PRODUCT, HeaderValue::from_static("Elasticsearch"));
    headers.insert(header::CONTENT_LENGTH, length);
    headers.insert(REQUEST_ID, asked.request_id.clone());
    if let Some(id) = asked.opaque_id
        && id.len() <= OPAQUE_ID_BYTES_MAX
        && id.to_str().is_ok()
    {
        headers.insert(OPAQUE_ID, id.clone());
    }
    response
}

/// The vendor type with the caller's version when it asks for one of JSON, as Elasticsearch spells it.
fn media_type(accept: Option<&HeaderValue>) -> HeaderValue {
    let version = accept.and_then(|value| value.to_str().ok()).and_then(compatible_with);
    HeaderValue::from_static(match version {
        Some(7) => "application/vnd.elasticsearch+json;compatible-with=7",
        Some(8) => "application/vnd.elasticsearch+json;compatible-with=8",
        Some(9) => "application/vnd.elasticsearch+json;compatible-with=9",
        _ => "application/json",
    })
}

fn compatible_with(accept: &str) -> Option<u8> {
    accept.split(',').find_map(|range| {
        let (kind, parameters) = range.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("application/vnd.elasticsearch+json") {
            return None;
        }
        parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("compatible-with").then(|| value.trim().parse().ok())?
        })
    })
}

fn retry_after_seconds(rejection: &Rejection) -> Option<u64> {
    match rejection {
        Rejection::Held { held: Held::Unknown, .. } | Rejection::Unauthenticated(Unauthenticated::Unavailable) => {
            Some(1)
        }
        Rejection::Throttled { wait, .. } => Some(wait.as_millis().div_ceil(1000).try_into().unwrap_or(1)),
        Rejection::Held { held: Held::Fenced { .. }, .. } => Some(30),
        Rejection::Upstream(
            UpstreamError::NoHealthyNode
            | UpstreamError::Connect { .. }
            | UpstreamError::ConnectTimeout { .. }
            | UpstreamError::Exhausted { .. },
        ) => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_trail_does_not_tell_the_query() {
        let (method, id) = (Method::GET, HeaderValue::from_static("id"));
        let uri = Uri::from_static("/_cat/indices?token=secret");
        let asked =
            Asked { method: &method, uri: &uri, accept: None, opaque_id: None, request_id: &id, challenges: &[] };
        let told = reason(&Rejection::Missing, &asked).unwrap();
        assert!(told.contains("[/_cat/indices]") && !told.contains("secret"), "{told}");
        let answered = body::body(&Rejection::Missing, &asked).to_string();
        assert!(answered.contains("token=secret"), "the caller is told its own target: {answered}");
    }

    #[test]
    fn the_media_type_follows_accept() {
        for (accept, expected) in [
            (
                "application/vnd.elasticsearch+json; compatible-with=9",
                "application/vnd.elasticsearch+json;compatible-with=9",
            ),
            (
                "text/plain, Application/Vnd.Elasticsearch+json;q=1;compatible-with=8",
                "application/vnd.elasticsearch+json;compatible-with=8",
            ),
            ("application/vnd.elasticsearch+json;compatible-with=66", "application/json"),
            ("application/vnd.elasticsearch+x-ndjson;compatible-with=8", "application/json"),
            ("*/*", "application/json"),
        ] {
            assert_eq!(media_type(Some(&HeaderValue::from_static(accept))), expected, "{accept}");
        }
        assert_eq!(media_type(None), "application/json");
    }

    #[test]
    fn an_unparsed_head_gets_a_whole_answer() {
        for status in [400, 414, 431] {
            let answer = unparsed(status);
            let text = std::str::from_utf8(&answer).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["status"], status);
        }
    }
}
