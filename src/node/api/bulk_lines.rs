//! Reads the lines of a `_bulk` body.

use bytes::{Buf as _, Bytes, BytesMut};
use serde_json::Value;

use crate::node::http::ApiError;
use crate::node::json;

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

/// Reads a body that comes in parts, action by action.
#[derive(Default)]
pub(super) struct Lines {
    buffer: BytesMut,
    /// The buffer up to here has no newline.
    scanned: usize,
    line: usize,
    /// An action whose source has not come yet.
    waiting: Option<Action>,
    blank: bool,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { blank: true, ..Self::default() }
    }

    pub(super) fn add(&mut self, part: &[u8]) {
        self.blank = self.blank && part.iter().all(u8::is_ascii_whitespace);
        self.buffer.extend_from_slice(part);
    }

    /// How much has come and was not given out, in bytes.
    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The next action; `None` when more has to come first.
    ///
    /// # Errors
    /// 400 with Elasticsearch's text: nothing after a malformed line is read.
    pub(super) fn next(&mut self) -> Result<Option<Action>, ApiError> {
        let mut action = match self.waiting.take() {
            Some(action) => action,
            None => match self.head()? {
                Some(action) => action,
                None => return Ok(None),
            },
        };
        if action.kind != Kind::Delete {
            let Some(source) = self.take() else {
                self.waiting = Some(action);
                return Ok(None);
            };
            action.source = source;
        }
        Ok(Some(action))
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// A body that is empty, or does not end where an action ends.
    pub(super) fn end(&self) -> Result<(), ApiError> {
        if self.blank {
            return Err(ApiError::parse("request body is required"));
        }
        if !self.buffer.is_empty() {
            return Err(ApiError::illegal_argument("The bulk request must be terminated by a newline [\\n]"));
        }
        match &self.waiting {
            None => Ok(()),
            Some(_) => Err(ApiError::illegal_argument("Malformed action/metadata line, expected a source after it")),
        }
    }

    /// The next line that is whole.
    fn take(&mut self) -> Option<Bytes> {
        let Some(found) = memchr::memchr(b'\n', self.buffer.get(self.scanned..).unwrap_or_default()) else {
            self.scanned = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.scanned + found);
        self.buffer.advance(1);
        self.scanned = 0;
        self.line += 1;
        if line.ends_with(b"\r") {
            line.truncate(line.len() - 1);
        }
        Some(line.freeze())
    }

    fn head(&mut self) -> Result<Option<Action>, ApiError> {
        while let Some(line) = self.take() {
            // An empty line between actions says nothing.
            if !line.iter().all(u8::is_ascii_whitespace) {
                return self.read(&line).map(Some);
            }
        }
        Ok(None)
    }

    fn malformed(&self, what: &str) -> ApiError {
        ApiError::illegal_argument(format!("Malformed action/metadata line [{}], {what}", self.line))
    }

    fn read(&self, line: &[u8]) -> Result<Action, ApiError> {
        let value = json::parse(line).map_err(|problem| self.malformed(&problem.to_string()))?;
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
                ("if_seq_no", Value::Number(number)) if number.is_u64() => seq_no = number.as_u64(),
                ("if_primary_term", Value::Number(number)) if number.is_u64() => term = number.as_u64(),
                ("require_alias", Value::Bool(required)) => action.require_alias = *required,
                (known @ ("if_seq_no" | "if_primary_term" | "require_alias"), _) => {
                    return Err(self.malformed(&format!("failed to parse [{known}]")));
                }
                ("retry_on_conflict", _) if kind == Kind::Update => {}
                (other, _) => {
                    return Err(ApiError::illegal_argument(format!(
                        "Action/metadata line [{}] contains an unknown parameter [{other}]",
                        self.line
                    )));
                }
            }
        }
        if seq_no.is_some() != term.is_some() {
            return Err(self.malformed("[if_seq_no] and [if_primary_term] go together"));
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

    /// Reads a body that comes in parts of so many bytes.
    fn read_parts(body: &str, bytes: usize) -> Result<Vec<Read>, String> {
        let mut lines = Lines::new();
        let mut found = Vec::new();
        for part in body.as_bytes().chunks(bytes) {
            lines.add(part);
            while let Some(action) = lines.next().map_err(|error| error.reason().to_owned())? {
                found.push((action.kind.name(), action.id, String::from_utf8_lossy(&action.source).into_owned()));
            }
        }
        lines.end().map_err(|error| error.reason().to_owned())?;
        Ok(found)
    }

    fn read(body: &str) -> Result<Vec<Read>, String> {
        read_parts(body, usize::MAX)
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
            ("{\"index\":{}}\n", "Malformed action/metadata line, expected a source after it"),
            (" \n", "request body is required"),
            ("", "request body is required"),
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
        fn parts_make_no_difference(
            lines in proptest::collection::vec("\\{\"index\":\\{\\}\\}|\\{\"delete\":\\{\"_id\":\"a\"\\}\\}|\\{\\}| |\r|x", 0..12),
            end in "\n?",
            bytes in 1..40_usize,
        ) {
            let body = lines.join("\n") + &end;
            prop_assert_eq!(read_parts(&body, bytes), read(&body));
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
