//! A reply before it is written out.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// What the body is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Written as JSON, through `filter_path` and `pretty`.
    Json(Value),
    /// Written as it is, `text/plain; charset=UTF-8`.
    Text(String),
    Empty,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub content: Content,
    pub headers: HeaderMap,
}

impl Reply {
    /// 200 with a JSON value.
    pub fn json(value: Value) -> Self {
        Self::with_status(StatusCode::OK, value)
    }

    pub fn with_status(status: StatusCode, value: Value) -> Self {
        Self { status, content: Content::Json(value), headers: HeaderMap::new() }
    }

    /// 200 with plain text, as `_cat` answers.
    pub fn text(text: String) -> Self {
        Self { status: StatusCode::OK, content: Content::Text(text), headers: HeaderMap::new() }
    }

    pub fn empty(status: StatusCode) -> Self {
        Self { status, content: Content::Empty, headers: HeaderMap::new() }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }
}
