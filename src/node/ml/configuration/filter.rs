//! A filter: a list of values that the scopes of custom rules refer to.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::job::inconsistent;
use crate::node::http::ApiError;
use crate::node::ml::detector;
use crate::node::ml::identifier::check_id;

/// Source: elasticsearch, `MlFilter.java`, `MAX_ITEMS`.
const ITEMS_MAX: usize = 10_000;

/// A validated filter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    pub(crate) id: String,
    items: BTreeSet<String>,
    source: Map<String, Value>,
}

impl Filter {
    /// Reads the body of `PUT _ml/filters/{id}`.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text.
    pub(crate) fn create(id: &str, body: &Map<String, Value>) -> Result<Self, ApiError> {
        let fields = Fields::new("ml_filter", body).only(&["filter_id", "description", "items"], &[])?;
        if let Some(other) = fields.text("filter_id")?.filter(|other| *other != id) {
            return Err(inconsistent("filter_id", other, id));
        }
        check_id(id, "filter_id")?;
        let items = fields.texts("items")?.unwrap_or_default();
        Self::new(id, fields.text("description")?, items.into_iter().collect())
    }

    /// Reads what [`Filter::source`] gave.
    ///
    /// # Errors
    /// As [`Filter::create`].
    pub(crate) fn read(source: &Map<String, Value>) -> Result<Self, ApiError> {
        let id = source.get("filter_id").and_then(Value::as_str).unwrap_or_default();
        Self::create(id, source)
    }

    /// Applies the body of `_update`.
    ///
    /// # Errors
    /// 400 for an item that is to be removed and is not there, or too many items.
    pub(crate) fn updated(&self, body: &Map<String, Value>) -> Result<Self, ApiError> {
        let fields = Fields::new("update_filter_request", body)
            .only(&["filter_id", "description", "add_items", "remove_items"], &[])?;
        if let Some(other) = fields.text("filter_id")?.filter(|other| *other != self.id) {
            return Err(inconsistent("filter_id", other, &self.id));
        }
        let mut items = self.items.clone();
        items.extend(fields.texts("add_items")?.unwrap_or_default());
        for item in fields.texts("remove_items")?.unwrap_or_default() {
            if !items.remove(&item) {
                let reason = format!("Cannot remove item [{item}] as it is not present in filter [{}]", self.id);
                return Err(ApiError::status_exception(400, reason));
            }
        }
        let old = self.source.get("description").and_then(Value::as_str);
        Self::new(&self.id, fields.text("description")?.or(old), items)
    }

    fn new(id: &str, description: Option<&str>, items: BTreeSet<String>) -> Result<Self, ApiError> {
        if items.len() > ITEMS_MAX {
            return Err(ApiError::status_exception(
                400,
                format!("Filter [{id}] contains too many items; up to [{ITEMS_MAX}] items are allowed"),
            ));
        }
        let mut source = Map::new();
        source.insert("filter_id".to_owned(), json!(id));
        if let Some(description) = description {
            source.insert("description".to_owned(), json!(description));
        }
        source.insert("items".to_owned(), json!(items));
        Ok(Self { id: id.to_owned(), items, source })
    }

    /// As `GET` shows it; the items in order.
    pub(crate) fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// As the detector looks values up in it.
    pub(crate) fn lookup(&self) -> detector::Filter {
        detector::Filter::new(self.items.iter().cloned())
    }
}
