//! `model_plot_config`: which expectations are kept beside the results.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::node::http::ApiError;
use crate::node::ml::detector::Plot;

/// Reads it, nothing for a job without one.
///
/// # Errors
/// 400; annotations are refused, since there are none.
pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Plot>, ApiError> {
    let Some(config) = fields.object("model_plot_config")? else { return Ok(None) };
    let config = Fields::new("model_plot_config", config).only(&["enabled", "terms"], &["annotations_enabled"])?;
    let Some(enabled) = config.flag("enabled")? else {
        return Err(ApiError::illegal_argument("Required [enabled]"));
    };
    let terms = config.text("terms")?.unwrap_or_default().split(',').map(str::trim);
    Ok(Some(Plot { enabled, terms: terms.filter(|term| !term.is_empty()).map(str::to_owned).collect() }))
}

/// As `GET` shows it.
pub(super) fn shown(plot: &Plot) -> Value {
    let mut shown = Map::new();
    shown.insert("enabled".to_owned(), json!(plot.enabled));
    if !plot.terms.is_empty() {
        let terms: Vec<&str> = plot.terms.iter().map(String::as_str).collect();
        shown.insert("terms".to_owned(), json!(terms.join(",")));
    }
    shown.insert("annotations_enabled".to_owned(), json!(false));
    Value::Object(shown)
}
