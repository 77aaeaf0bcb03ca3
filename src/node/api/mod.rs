//! The generic APIs: the cluster, indices, documents, search, security.

mod bulk;
mod bulk_lines;
mod cat;
mod cluster;
mod document;
mod index;
mod indices_options;
mod license;
mod nodes;
mod search;
mod search_body;
mod security;
mod write_options;

use super::router::Route;

/// `route!(GET "/template" "action" ["parameter", ..] => handler)`
macro_rules! route {
    ($method:ident $template:literal $action:literal [$($parameter:literal),*] => $handler:path) => {
        $crate::node::router::Route::new(
            http::Method::$method,
            $template,
            $action,
            &[$($parameter),*],
            |node, request| Box::pin($handler(node, request)),
        )
    };
}
use route;

/// The routes of the generic APIs.
pub(super) fn routes() -> Vec<Route> {
    [
        cluster::routes(),
        index::routes(),
        document::routes(),
        bulk::routes(),
        search::routes(),
        cat::routes(),
        license::routes(),
        nodes::routes(),
        security::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
