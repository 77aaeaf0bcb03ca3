//! One line of the route table.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::Method;

use crate::node::Node;
use crate::node::http::{ApiError, Reply, Request};

/// What a handler gives back.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Reply, ApiError>> + Send>>;

/// `|node, request| Box::pin(open(node, request))` for an `async fn open(node: Arc<Node>, request: Request)`.
pub type Handler = fn(Arc<Node>, Request) -> HandlerFuture;

/// An API: which requests it takes and which action a caller needs for it.
#[derive(Clone, Debug)]
pub struct Route {
    pub method: Method,
    /// Such as `/_ml/anomaly_detectors/{job_id}/_open`.
    pub template: &'static str,
    /// The transport action, such as `cluster:admin/xpack/ml/job/open`. `cluster:..` is authorized by the router by cluster
    /// privileges; `indices:..` by the handler, index by index, through `request.access`; an empty one needs no privilege.
    pub action: &'static str,
    /// Query parameters that the handler reads. Path parameters of the template and the common ones need no mention.
    pub parameters: &'static [&'static str],
    pub handler: Handler,
    /// Whether it is also there as `/_xpack/ml/..`, with a deprecation warning.
    pub legacy: bool,
    /// Whether the handler reads the body itself, part by part.
    pub streams: bool,
    /// What a `Warning` header says of the API itself.
    pub deprecation: Option<&'static str>,
}

/// Below these, `/_ml/..` was once `/_xpack/ml/..`.
const LEGACY_FAMILIES: [&str; 7] = [
    "/_ml/_delete_expired_data",
    "/_ml/anomaly_detectors",
    "/_ml/calendars",
    "/_ml/datafeeds",
    "/_ml/filters",
    "/_ml/info",
    "/_ml/set_upgrade_mode",
];

impl Route {
    /// A route of the ML families has its legacy form unless [`Route::without_legacy`] takes it away.
    pub fn new(
        method: Method,
        template: &'static str,
        action: &'static str,
        parameters: &'static [&'static str],
        handler: Handler,
    ) -> Self {
        let legacy = LEGACY_FAMILIES.iter().any(|family| template.starts_with(family));
        Self { method, template, action, parameters, handler, legacy, streams: false, deprecation: None }
    }

    #[must_use]
    pub fn streaming(mut self) -> Self {
        self.streams = true;
        self
    }

    #[must_use]
    pub fn deprecated(mut self, text: &'static str) -> Self {
        self.deprecation = Some(text);
        self
    }

    /// For APIs that are younger than the legacy prefix, such as `_reset`.
    #[must_use]
    pub fn without_legacy(mut self) -> Self {
        self.legacy = false;
        self
    }
}
