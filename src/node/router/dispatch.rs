//! One request from its head to its reply, in Elasticsearch's order: authentication, media types and query, route, body, parameters,
//! authorization, handler.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};

use super::media_type::negotiate;
use super::render::{Style, render};
use super::table::{Entry, Match, Table};
use super::unknown_parameter;
use crate::elasticsearch::error_body::Exception;
use crate::node::Node;
use crate::node::http::{ApiError, Body, Content, Query, Reply, Request};
use crate::node::security::{Access, Caller, Gatekeeper};

const WARNING: HeaderName = HeaderName::from_static("warning");

/// The head of a request, as it came.
#[derive(Clone, Debug)]
pub struct Head {
    pub method: Method,
    /// The whole target, for texts.
    pub uri: String,
    /// What stands before the first `?`, not decoded. The whole target, if it is in absolute form: no route matches it.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub has_body: bool,
}

/// Answers requests.
pub struct Dispatcher {
    node: Arc<Node>,
    gatekeeper: Arc<Gatekeeper>,
    table: Table,
}

impl Dispatcher {
    pub fn new(node: Arc<Node>, gatekeeper: Arc<Gatekeeper>, table: Table) -> Self {
        Self { node, gatekeeper, table }
    }

    /// Answers one request; `body` is read only when the request is let in.
    pub async fn handle(&self, head: Head, body: Body) -> Response<Bytes> {
        let query = Query::parse(&head.query);
        let mut style = query.as_ref().map(Style::of).unwrap_or_default();
        let reply = self.answer(&head, query, &mut style, body).await;
        render(reply.unwrap_or_else(ApiError::into_reply), &style, &head.headers)
    }

    async fn answer(
        &self,
        head: &Head,
        query: Result<Query, crate::node::http::QueryProblem>,
        style: &mut Style,
        mut body: Body,
    ) -> Result<Reply, ApiError> {
        if head.method == Method::OPTIONS {
            return Ok(self.options(head));
        }
        let caller = self.gatekeeper.authenticate(&head.headers, &head.uri).await?;
        let access = self.gatekeeper.access(&caller);
        let negotiated = negotiate(&head.headers, head.has_body)?;
        style.version = negotiated.version;
        style.accept(negotiated.format);
        let query = query.map_err(|problem| {
            let cause = Exception::new("illegal_argument_exception", problem.to_string());
            ApiError::new(400, Exception::new("bad_parameter_exception", problem.to_string()).caused_by(cause))
        })?;
        let entry = self.entry(head)?;
        if negotiated.ndjson && !takes_ndjson(&entry) {
            return Err(ApiError::simple(406, "Content-Type header [application/x-ndjson] is not supported"));
        }
        let bytes = if entry.route.streams { Bytes::new() } else { body.whole().await? };
        let mut request = request(head, &entry, query, bytes, caller, access)?;
        let refused = refuse(&request, &entry);
        if entry.route.streams {
            if refused.is_err() {
                body.drain().await;
            }
            request.stream = Some(if request.body.is_empty() { body } else { body.replaced(request.body.clone()) });
        }
        refused?;
        let reply = (entry.route.handler)(Arc::clone(&self.node), request).await?;
        Ok(match deprecation(&entry) {
            Some(text) => warned(reply, &text),
            None => reply,
        })
    }

    /// `OPTIONS` is answered without authentication: the methods that are there.
    fn options(&self, head: &Head) -> Reply {
        let reply = Reply { content: Content::Text(String::new()), ..Reply::empty(StatusCode::OK) };
        match self.table.find(&head.method, &head.path) {
            Match::Options(methods) if !methods.is_empty() => reply.header(ALLOW, allow(&listed(methods))),
            _ => reply,
        }
    }

    fn entry(&self, head: &Head) -> Result<Arc<Entry>, ApiError> {
        let Head { method, uri, .. } = head;
        match self.table.find(method, &head.path) {
            Match::Found(entry) => Ok(entry),
            Match::WrongMethod(methods) => {
                let list = listed(methods);
                let text = format!("Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{list}]");
                Err(ApiError::simple(405, text).header(ALLOW, allow(&list)))
            }
            Match::Options(_) | Match::NoHandler => Err(ApiError::no_handler(uri, method)),
        }
    }
}

fn listed(methods: BTreeSet<String>) -> String {
    methods.into_iter().collect::<Vec<_>>().join(",")
}

fn allow(list: &str) -> HeaderValue {
    HeaderValue::try_from(list).unwrap_or(HeaderValue::from_static(""))
}

fn takes_ndjson(entry: &Entry) -> bool {
    entry.template.ends_with("/_bulk") || entry.template.ends_with("/_data")
}

fn request(
    head: &Head,
    entry: &Entry,
    query: Query,
    body: Bytes,
    caller: Caller,
    access: Access,
) -> Result<Request, ApiError> {
    let parameters = entry.parameters(&head.path).map_err(|problem| ApiError::simple(405, problem.to_string()))?;
    // A body may come as the parameter `source`.
    let body = match query.text("source") {
        Some(source) if body.is_empty() && !(entry.route.streams && head.has_body) => Bytes::from(source.to_owned()),
        _ => body,
    };
    let (method, path, headers) = (head.method.clone(), head.path.clone(), head.headers.clone());
    Ok(Request { method, path, parameters, query, headers, body, stream: None, caller, access })
}

fn refuse(request: &Request, entry: &Entry) -> Result<(), ApiError> {
    unknown_parameter::refuse(request, entry)?;
    refuse_format(request)?;
    authorize(request, entry.route.action)
}

fn refuse_format(request: &Request) -> Result<(), ApiError> {
    for name in ["pretty", "human", "error_trace"] {
        request.query.flag(name)?;
    }
    match request.query.text("format") {
        Some(format @ ("cbor" | "smile")) => {
            Err(ApiError::simple(406, format!("format [{format}] is not supported by this node")))
        }
        _ => Ok(()),
    }
}

fn authorize(request: &Request, action: &str) -> Result<(), ApiError> {
    let Access::Granted(permissions) = &request.access else { return Ok(()) };
    // Actions on indices are authorized where the indices are known.
    if !action.starts_with("cluster:") || permissions.allows_cluster(action) {
        return Ok(());
    }
    Err(ApiError::new(403, Exception::new("security_exception", permissions.cluster_denial(action))))
}

/// What there is to warn of: the API, or the old name under which it was called.
fn deprecation(entry: &Entry) -> Option<String> {
    let (method, old, new) = (&entry.route.method, &entry.template, entry.route.template);
    let renamed = || format!("[{method} {old}] is deprecated! Use [{method} {new}] instead.");
    entry.route.deprecation.map(str::to_owned).or_else(|| entry.legacy.then(renamed))
}

fn warned(reply: Reply, text: &str) -> Reply {
    let warning = format!("299 Elasticsearch-{}-{} \"{text}\"", crate::node::VERSION, crate::node::BUILD_HASH);
    match HeaderValue::try_from(warning) {
        Ok(value) => reply.header(WARNING, value),
        Err(_) => reply,
    }
}
