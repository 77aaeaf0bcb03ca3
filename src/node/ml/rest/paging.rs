//! Pages of what is in the metadata.

use serde_json::{Map, Value, json};

use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;

/// `from` and `size`.
///
/// Source: elasticsearch, `PageParams.java`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) from: usize,
    pub(super) size: usize,
    /// Whether the request said anything of it.
    pub(super) given: bool,
}

impl Page {
    /// Of the members themselves, or of their `page`.
    ///
    /// # Errors
    /// 400 for what is negative or no number.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, ApiError> {
        let empty = Map::new();
        let page = Fields::new("page", fields.object("page")?.unwrap_or(&empty)).only(&["from", "size"], &[])?;
        let one = |name: &str| match page.integer(name)?.or(fields.integer(name)?) {
            Some(number) => usize::try_from(number)
                .map(Some)
                .map_err(|_| ApiError::illegal_argument(format!("Parameter [{name}] cannot be < 0"))),
            None => Ok(None),
        };
        let (from, size) = (one("from")?, one("size")?);
        Ok(Self { from: from.unwrap_or(0), size: size.unwrap_or(100), given: from.is_some() || size.is_some() })
    }

    /// The page of a list, with the length of the whole list as `count`.
    pub(super) fn reply(self, name: &str, all: Vec<Map<String, Value>>) -> Reply {
        let count = all.len();
        let page: Vec<Value> = all.into_iter().skip(self.from).take(self.size).map(Value::Object).collect();
        let mut shown = Map::new();
        shown.insert("count".to_owned(), json!(count));
        shown.insert(name.to_owned(), json!(page));
        Reply::json(Value::Object(shown))
    }
}
