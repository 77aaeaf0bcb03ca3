//! `indices_options` of a datafeed: what becomes of indices that are missing, hidden or closed.
//!
//! Source: elasticsearch, `IndicesOptions.java`, `DatafeedConfig.java`.

use serde_json::{Value, json};

use super::fields::Fields;
use crate::node::http::ApiError;
use crate::node::indices::IndicesOptions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) indices: IndicesOptions,
    /// Kept as it is: there are no frozen indices.
    ignore_throttled: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { indices: IndicesOptions::default(), ignore_throttled: true }
    }
}

impl Options {
    /// # Errors
    /// 400 for what is unknown or of the wrong type.
    pub(super) fn read(datafeed: &Fields<'_>) -> Result<Self, ApiError> {
        let mut options = Self::default();
        let Some(given) = datafeed.object("indices_options")? else { return Ok(options) };
        let given = Fields::new("indices_options", given)
            .only(&["expand_wildcards", "ignore_unavailable", "allow_no_indices", "ignore_throttled"], &[])?;
        if let Some(words) = given.texts("expand_wildcards")? {
            let unknown = |word| ApiError::illegal_argument(format!("No valid expand wildcard value [{word}]"));
            options.indices = options.indices.expanding(words.iter().map(String::as_str)).map_err(unknown)?;
        }
        let flags = [
            ("ignore_unavailable", &mut options.indices.ignore_unavailable),
            ("allow_no_indices", &mut options.indices.allow_no_indices),
            ("ignore_throttled", &mut options.ignore_throttled),
        ];
        for (name, flag) in flags {
            *flag = given.flag(name)?.unwrap_or(*flag);
        }
        Ok(options)
    }

    pub(super) fn shown(self) -> Value {
        json!({
            "expand_wildcards": self.indices.expanded().collect::<Vec<_>>(),
            "ignore_unavailable": self.indices.ignore_unavailable,
            "allow_no_indices": self.indices.allow_no_indices,
            "ignore_throttled": self.ignore_throttled,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: Value) -> Result<Value, String> {
        let datafeed = json!({"indices_options": options});
        let options = Options::read(&Fields::of("datafeed_config", &datafeed).unwrap());
        options.map(Options::shown).map_err(|problem| problem.reason().to_owned())
    }

    #[test]
    fn what_is_said_is_shown_and_the_rest_is_elasticsearchs() {
        let shown = |words: &[&str], unavailable: bool, throttled: bool| {
            Ok(json!({
                "expand_wildcards": words, "ignore_unavailable": unavailable, "allow_no_indices": true, "ignore_throttled": throttled,
            }))
        };
        assert_eq!(read(Value::Null), shown(&["open"], false, true));
        assert_eq!(read(json!({"ignore_unavailable": "true"})), shown(&["open"], true, true));
        assert_eq!(read(json!({"expand_wildcards": "all"})), shown(&["open", "closed", "hidden"], false, true));
        assert_eq!(read(json!({"expand_wildcards": ["hidden"]})), shown(&["hidden"], false, true));
        assert_eq!(read(json!({"expand_wildcards": ["none"], "ignore_throttled": false})), shown(&[], false, false));
        for (given, reason) in [
            (json!({"expand_wildcards": ["open", "colour"]}), "No valid expand wildcard value [colour]"),
            (json!({"ignore_throttled": "no"}), "Failed to parse value [no] as only [true] or [false] are allowed."),
            (json!({"colour": true}), "[indices_options] unknown field [colour]"),
        ] {
            assert_eq!(read(given), Err(reason.to_owned()));
        }
    }
}
