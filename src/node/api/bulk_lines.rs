//! Reads the lines of a `_bulk` body.

use bytes::Bytes;
use serde_json::Value;

use crate::node::http::ApiError;

/// One action of a bulk body.
#[derive(Debug, PartialEq)]
pub(super) struct Action {
    pub(super) kind: Kind,
    pub(super) index: Option<String>,
    pub(super) id: Option<String>,
    /// `if_seq_no`, `if_primary_term`
    pub(super) expected: Option<(u64, u64)>,
    pub(super) require_alias: bool,
    /// Empty for a delete.
    pub(super) source: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Index,
    Create,
    Update,
    Delete,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Goes through a body, action by action.
pub(super) struct Lines {
    rest: Bytes,
    line: usize,
}

impl Lines {
    /// # Errors
    /// A body without a newline at its end.
    pub(super) fn new(body: Bytes) -> Result<Self, ApiError> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(ApiError::new(
                400,
                crate::elasticsearch::error_body::Exception::new("parse_exception", "request body is required"),
            ));
        }
        if !body.ends_with(b"\n") {
            return Err(ApiError::illegal_argument("The bulk request must be terminated by a newline [\\n]"));
        }
        Ok(Self { rest: body, line: 0 })
    }

    /// The next action; `None` at the end.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text: nothing after a malformed line is read.
    pub(super) fn next(&mut self) -> Result<Option<Action>, ApiError> {
        let head = loop {
            match self.take() {
                None => return Ok(None),
                // An empty line between actions says nothing.
                Some(line) if line.iter().all(u8::is_ascii_whitespace) => {}
                Some(line) => break line,
            }
        };
        let mut action = self.head(&head)?;
        if action.kind != Kind::Delete {
            let missing = || ApiError::illegal_argument("Malformed action/metadata line, expected a source after it");
            action.source = self.take().ok_or_else(missing)?;
        }
        Ok(Some(action))
    }

    fn take(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let end = memchr::memchr(b'\n', &self.rest).unwrap_or(self.rest.len());
        let mut line = self.rest.split_to(end);
        let _ = self.rest.split_to(self.rest.len().min(1));
        if line.ends_with(b"\r") {
            line.truncate(line.len() - 1);
        }
        Some(line)
    }

    fn malformed(&self, what: &str) -> ApiError {
        ApiError::illegal_argument(format!("Malformed action/metadata line [{}], {what}", self.line))
    }

    fn head(&self, line: &[u8]) -> Result<Action, ApiError> {
        let value: Value = serde_json::from_slice(line).map_err(|_| self.malformed("expected START_OBJECT"))?;
        let members = value.as_object().ok_or_else(|| self.malformed("expected START_OBJECT"))?;
        let mut members = members.iter();
        let (name, parameters) =
            members.next().ok_or_else(|| self.malformed("expected FIELD_NAME but found [END_OBJECT]"))?;
        if members.next().is_some() {
            return Err(self.malformed("expected END_OBJECT but found [FIELD_NAME]"));
        }
        let kind = match name.as_str() {
            "index" => Kind::Index,
            "create" => Kind::Create,
            "update" => Kind::Update,
            "delete" => Kind::Delete,
            other => {
                let what = format!("expected field [create], [delete], [index] or [update] but found [{other}]");
                return Err(self.malformed(&what));
            }
        };
        let parameters = parameters.as_object().ok_or_else(|| self.malformed("expected START_OBJECT or END_OBJECT"))?;
        let mut action =
            Action { kind, index: None, id: None, expected: None, require_alias: false, source: Bytes::new() };
        let (mut seq_no, mut term) = (None, None);
        for (key, value) in parameters {
            match (key.as_str(), value) {
                ("_index", Value::String(index)) => action.index = Some(index.clone()),
                ("_id", Value::String(id)) => action.id = Some(id.clone()),
                ("_id", Value::Number(id)) => action.id = Some(id.to_string()),
                ("_id" | "_index", Value::Null) => {}
                ("if_seq_no", value) => seq_no = value.as_u64(),
                ("if_primary_term", value) => term = value.as_u64(),
                ("require_alias", value) => action.require_alias = value.as_bool().unwrap_or(false),
                ("retry_on_conflict", _) if kind == Kind::Update => {}
                (other, _) => {
                    return Err(ApiError::illegal_argument(format!(
                        "Action/metadata line [{}] contains an unknown parameter [{other}]",
                        self.line
                    )));
                }
            }
        }
        action.expected = seq_no.zip(term);
        Ok(action)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Read = (&'static str, Option<String>, String);

    fn read(body: &str) -> Result<Vec<Read>, String> {
        let mut lines = Lines::new(Bytes::from(body.to_owned())).map_err(|error| error.reason().to_owned())?;
        let mut found = Vec::new();
        while let Some(action) = lines.next().map_err(|error| error.reason().to_owned())? {
            found.push((action.kind.name(), action.id, String::from_utf8_lossy(&action.source).into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn reads_actions_and_sources() {
        let body = "{\"index\":{\"_id\":\"1\"}}\r\n{\"a\":1}\r\n\n{\"delete\":{\"_id\":2}}\n{\"create\":{}}\n{}\n";
        let found = read(body).expect("actions");
        assert_eq!(
            found,
            [
                ("index", Some("1".to_owned()), "{\"a\":1}".to_owned()),
                ("delete", Some("2".to_owned()), String::new()),
                ("create", None, "{}".to_owned())
            ]
        );
    }

    #[test]
    fn says_which_line_is_wrong() {
        for (body, reason) in [
            ("{\"index\":{}}\n{}", "The bulk request must be terminated by a newline [\\n]"),
            ("[]\n", "Malformed action/metadata line [1], expected START_OBJECT"),
            ("{\"index\":{\"x\":1}}\n{}\n", "Action/metadata line [1] contains an unknown parameter [x]"),
            (
                "{\"delete\":{}}\n{\"upsert\":{}}\n",
                "Malformed action/metadata line [2], expected field [create], [delete], [index] or [update] but found [upsert]",
            ),
            (" \n", "request body is required"),
        ] {
            assert_eq!(read(body), Err(reason.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn never_panics(body in "[{}\":a-z_\n\r ]{0,60}") {
            let _ = read(&body);
        }

        #[test]
        fn finds_every_document(sources in proptest::collection::vec("[a-z]{0,9}", 0..20)) {
            let mut body = String::new();
            for source in &sources {
                body.push_str(&format!("{{\"index\":{{}}}}\n{{\"f\":\"{source}\"}}\n"));
            }
            prop_assume!(!sources.is_empty());
            prop_assert_eq!(read(&body).map(|found| found.len()), Ok(sources.len()));
        }
    }
}
