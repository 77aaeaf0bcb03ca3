//! An error as a handler gives it: a status and Elasticsearch's exception, or its simple shape.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::Reply;
use crate::elasticsearch::error_body::{self, Exception};

/// What a request is answered when it cannot be served.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    shape: Shape,
    headers: HeaderMap,
}

#[derive(Clone, Debug)]
enum Shape {
    Full { exception: Exception, reason: String },
    Simple { text: String, with_status: bool },
    Empty,
}

impl ApiError {
    /// `status` outside 400..=599 becomes 500.
    pub fn new(status: u16, exception: Exception) -> Self {
        let reason = exception.reason().to_owned();
        Self::shaped(status, Shape::Full { exception, reason })
    }

    /// `{"error":"text","status":N}`.
    pub fn simple(status: u16, text: impl Into<String>) -> Self {
        Self::shaped(status, Shape::Simple { text: text.into(), with_status: true })
    }

    /// `{"error":"text"}`, as `no handler found` has it.
    pub fn bare(status: u16, text: impl Into<String>) -> Self {
        Self::shaped(status, Shape::Simple { text: text.into(), with_status: false })
    }

    /// 400: there is no such API.
    pub fn no_handler(uri: &str, method: &Method) -> Self {
        Self::bare(400, format!("no handler found for uri [{uri}] and method [{method}]"))
    }

    /// No body.
    pub fn empty(status: StatusCode) -> Self {
        Self::shaped(status.as_u16(), Shape::Empty)
    }

    fn shaped(status: u16, shape: Shape) -> Self {
        let status = StatusCode::from_u16(status).ok().filter(|status| status.as_u16() >= 400 && status.as_u16() < 600);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(Box::new(Inner { status, shape, headers: HeaderMap::new() }))
    }

    /// 400 `illegal_argument_exception`.
    pub fn illegal_argument(reason: impl Into<String>) -> Self {
        Self::new(400, Exception::new("illegal_argument_exception", reason))
    }

    /// 400 `parse_exception`: what a value or a body is written in.
    pub fn parse(reason: impl Into<String>) -> Self {
        Self::new(400, Exception::new("parse_exception", reason))
    }

    /// 400 `parsing_exception`: what stands in a search.
    pub fn parsing(reason: impl Into<String>) -> Self {
        Self::new(400, Exception::new("parsing_exception", reason))
    }

    /// 400 `x_content_parse_exception`.
    pub fn content(reason: impl Into<String>) -> Self {
        Self::new(400, Exception::new("x_content_parse_exception", reason))
    }

    /// 400 `action_request_validation_exception`: `Validation Failed: 1: first;2: second;`.
    pub fn validation(problems: &[String]) -> Self {
        let listed: String = problems.iter().enumerate().map(|(at, text)| format!(" {}: {text};", at + 1)).collect();
        Self::new(400, Exception::new("action_request_validation_exception", format!("Validation Failed:{listed}")))
    }

    /// 404 `resource_not_found_exception`.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(404, Exception::new("resource_not_found_exception", reason))
    }

    /// 400 `resource_already_exists_exception`.
    pub fn already_exists(reason: impl Into<String>) -> Self {
        Self::new(400, Exception::new("resource_already_exists_exception", reason))
    }

    /// 409 `status_exception`.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::new(409, Exception::new("status_exception", reason))
    }

    /// 429 `status_exception`.
    pub fn too_many_requests(reason: impl Into<String>) -> Self {
        Self::new(429, Exception::new("status_exception", reason))
    }

    /// `status_exception` with any status.
    pub fn status_exception(status: u16, reason: impl Into<String>) -> Self {
        Self::new(status, Exception::new("status_exception", reason))
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    pub fn status(&self) -> u16 {
        self.0.status.as_u16()
    }

    /// The reason of the exception, or the text of the simple shape.
    pub fn reason(&self) -> &str {
        match &self.0.shape {
            Shape::Full { reason, .. } => reason,
            Shape::Simple { text, .. } => text,
            Shape::Empty => "",
        }
    }

    /// The object that items of `_bulk` and `failures` hold: the exception without `root_cause`.
    pub fn item(&self) -> Value {
        match &self.0.shape {
            Shape::Full { exception, .. } => exception.item(),
            Shape::Simple { .. } | Shape::Empty => Exception::new("exception", self.reason()).item(),
        }
    }

    pub fn into_reply(self) -> Reply {
        let Inner { status, shape, headers } = *self.0;
        let body = match shape {
            Shape::Full { exception, .. } => exception.full(status.as_u16()),
            Shape::Simple { text, with_status } => error_body::simple(&text, with_status.then_some(status.as_u16())),
            Shape::Empty => return Reply { headers, ..Reply::empty(status) },
        };
        Reply { headers, ..Reply::with_status(status, body) }
    }
}
