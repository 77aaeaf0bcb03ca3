//! What the ML handlers take: the node, the request, and the action it was authorized for.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::elasticsearch::error_body::Exception;
use crate::node::Node;
use crate::node::http::{ApiError, Content, Reply, Request};
use crate::node::indices::dates::{Rounding, parse_math};
use crate::node::ml::configuration::Fields;
use crate::node::ml::identifier::NoMatch;
use crate::node::ml::metadata::Metadata;
use crate::node::ml::{Parts, upgrade_mode};
use crate::node::router::HandlerFuture;
use crate::node::store::Batch;

/// One call of an ML API.
pub(super) struct Call {
    pub(super) node: Arc<Node>,
    pub(super) request: Request,
    pub(super) action: &'static str,
}

/// Runs a handler to its end even if the caller goes away: what is on disk must become visible.
pub(super) fn answer(
    human: bool,
    handler: impl Future<Output = Result<Reply, ApiError>> + Send + 'static,
) -> HandlerFuture {
    Box::pin(async move {
        let answered = tokio::spawn(handler).await.unwrap_or_else(|problem| {
            tracing::error!(%problem, "an ML request was not finished");
            Err(ApiError::new(500, Exception::new("exception", "the request was not finished")))
        });
        let mut reply = answered?;
        if let Content::Json(value) = &mut reply.content
            && human
        {
            super::human::add(value);
        }
        Ok(reply)
    })
}

impl Call {
    pub(super) fn parts(&self) -> &Arc<Parts> {
        &self.node.ml.parts
    }

    pub(super) fn metadata(&self) -> Arc<Metadata> {
        self.parts().cluster.now()
    }

    /// Refuses what upgrade mode refuses; after the request has been read, before anything is looked up.
    ///
    /// # Errors
    /// 429.
    pub(super) fn permit(&self) -> Result<(), ApiError> {
        upgrade_mode::filter(self.parts(), self.action)
    }

    /// Changes the metadata, unless upgrade mode has been switched on in the meantime.
    ///
    /// # Errors
    /// 429, what the change refuses, and what the store cannot do.
    pub(super) async fn change<T>(
        &self,
        change: impl FnOnce(&mut Metadata, &mut Batch) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let update = self.parts().cluster.update(|metadata, batch| {
            upgrade_mode::refuse(metadata, self.action)?;
            change(metadata, batch)
        });
        update.await
    }

    /// An id or expression: of the path, else of the query, else everything.
    pub(super) fn expression(&self, name: &str) -> String {
        self.request.parameter(name).unwrap_or("_all").to_owned()
    }

    /// The body as an object.
    ///
    /// # Errors
    /// 400 for no body, or one that is no object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, ApiError> {
        match self.request.json()? {
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(ApiError::content("the body is not an object")),
            None => Err(ApiError::parse("request body is required")),
        }
    }

    /// Options that come either in the body or in the query, as JSON.
    ///
    /// # Errors
    /// 400 for a body that is no object, and for query parameters beside a body.
    pub(super) fn options(&self, known: &[&str]) -> Result<Map<String, Value>, ApiError> {
        let given: Vec<&str> = known.iter().copied().filter(|name| self.request.query.text(name).is_some()).collect();
        match self.request.json()? {
            None => Ok(given
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), Value::from(self.request.query.text(name)?))))
                .collect()),
            Some(Value::Object(_)) if !given.is_empty() => {
                let plural = if given.len() > 1 { "s" } else { "" };
                let names: Vec<String> = given.iter().map(|name| format!("[{name}]")).collect();
                Err(ApiError::illegal_argument(format!(
                    "request [{}] contains unrecognized parameter{plural}: {}",
                    self.request.decoded_path(),
                    names.join(", ")
                )))
            }
            Some(Value::Object(body)) => Ok(body),
            Some(_) => Err(ApiError::content("the body is not an object")),
        }
    }

    /// `allow_no_match` or its old name, of the query.
    ///
    /// # Errors
    /// 400 for what is neither true nor false.
    pub(super) fn no_match(&self, old_name: &str) -> Result<NoMatch, ApiError> {
        let given = self.request.query.flag("allow_no_match")?.or(self.request.query.flag(old_name)?);
        Ok(NoMatch::from(given.unwrap_or(true)))
    }

    /// Reads a time: date math, ISO-8601 or milliseconds since 1970.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub(super) fn time_ms(&self, fields: &Fields<'_>, name: &str) -> Result<Option<i64>, ApiError> {
        let text = match fields.value(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        self.time(name, &text).map(Some)
    }

    /// As [`Call::time_ms`], for a parameter of the query.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub(super) fn query_time_ms(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.request.query.text(name).map(|text| self.time(name, text)).transpose()
    }

    fn time(&self, name: &str, text: &str) -> Result<i64, ApiError> {
        let now_ms = self.node.core.clock.now_ms();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let epoch = if digits.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None };
        epoch.or_else(|| parse_math(text, now_ms, Rounding::Down)).ok_or_else(|| {
            ApiError::parse(format!(
                "Query param [{name}] with value [{text}] cannot be parsed as a date or converted to a number (epoch)."
            ))
        })
    }
}
