//! `ignore_unavailable`, `allow_no_indices`, `expand_wildcards`.

use crate::node::http::{ApiError, Request};
use crate::node::indices::{IndexExpression, IndicesOptions};

/// The index expression of a request: its path, and the three parameters.
pub(super) fn expression(request: &Request) -> Result<IndexExpression, ApiError> {
    let mut options = IndicesOptions::default();
    if let Some(flag) = request.query.flag("ignore_unavailable")? {
        options.ignore_unavailable = flag;
    }
    if let Some(flag) = request.query.flag("allow_no_indices")? {
        options.allow_no_indices = flag;
    }
    if let Some(text) = request.query.text("expand_wildcards") {
        let unknown = |word| ApiError::illegal_argument(format!("No valid expand wildcard value [{word}]"));
        options = options.expanding(text.split(',')).map_err(unknown)?;
    }
    let text = request.parameters.get("index").map_or("", String::as_str);
    if text.contains('<') {
        return Err(ApiError::illegal_argument(format!(
            "date math in index name [{text}] is not supported by this node"
        )));
    }
    Ok(IndexExpression::parse(text).with(options))
}
