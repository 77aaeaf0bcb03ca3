//! What handlers take and give: a request after routing, a reply before it is written out.

mod body;
mod error;
mod query;
mod reply;
mod table;

pub use body::{BODY_BYTES_MAX, Body, Room};
pub use error::ApiError;
pub use query::{Query, QueryProblem, decode, duration};
pub use reply::{Content, Reply};
pub use table::{Cell, Column, Table};

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::elasticsearch::error_body::Exception;
use crate::node::json;
use crate::node::security::{Access, Caller};

/// A request that the router has matched, authenticated and authorized.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    /// The raw path, as received, without the query.
    pub path: String,
    /// The decoded path parameters of the template; what the template lacks is looked up in the query.
    pub parameters: BTreeMap<&'static str, String>,
    pub query: Query,
    pub headers: HeaderMap,
    /// At most [`BODY_BYTES_MAX`]; the `source` parameter where there is no body.
    pub body: Bytes,
    /// In place of `body` on a route that streams.
    pub stream: Option<Body>,
    pub caller: Caller,
    /// What the caller may do with indices.
    pub access: Access,
}

impl Request {
    /// A path parameter, or the query parameter of the same name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).or_else(|| self.query.text(name))
    }

    /// The path decoded, as error texts show it.
    pub fn decoded_path(&self) -> String {
        percent_encoding::percent_decode_str(&self.path).decode_utf8_lossy().into_owned()
    }

    /// The body as JSON; `None` without one.
    ///
    /// # Errors
    /// 400 `parsing_exception` for what is not one JSON value.
    pub fn json(&self) -> Result<Option<Value>, ApiError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        json::parse(&self.body).map(Some).map_err(|problem| {
            let cause = Exception::new("x_content_parse_exception", problem.to_string());
            ApiError::new(400, Exception::new("parse_exception", "Failed to parse content to map").caused_by(cause))
        })
    }

    /// Refuses a body on a handler that takes none.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub fn without_body(&self) -> Result<(), ApiError> {
        if self.body.is_empty() {
            return Ok(());
        }
        let path = self.decoded_path();
        Err(ApiError::illegal_argument(format!("request [{} {path}] does not support having a body", self.method)))
    }
}
