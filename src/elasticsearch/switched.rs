//! Who switched upgrade mode on, when and why: a gateway says it on its answers to `GET /_ml/info`, in headers of its own.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::Serialize;

const SINCE: HeaderName = HeaderName::from_static("x-mlgate-upgrade-mode-since");
const BY: HeaderName = HeaderName::from_static("x-mlgate-upgrade-mode-by");
const REASON: HeaderName = HeaderName::from_static("x-mlgate-upgrade-mode-reason");
/// What no header value can hold, and what escapes it.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// What is known of the last switch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Switched {
    /// RFC 3339.
    pub since: Option<String>,
    pub by: Option<String>,
    pub reason: Option<String>,
}

impl Switched {
    /// Puts what is known into the headers of an answer, percent-encoded, in place of what was there.
    pub fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in [(SINCE, &self.since), (BY, &self.by), (REASON, &self.reason)] {
            headers.remove(&name);
            let encoded = value.as_ref().map(|value| utf8_percent_encode(value, ESCAPED).to_string());
            if let Some(value) = encoded.and_then(|encoded| HeaderValue::try_from(encoded).ok()) {
                headers.insert(name, value);
            }
        }
    }

    /// What an answer says; nothing of it where no gateway has answered.
    pub fn read(headers: &HeaderMap) -> Self {
        let decoded = |name| {
            let text = headers.get(name)?.to_str().ok()?;
            Some(percent_decode_str(text).decode_utf8_lossy().into_owned())
        };
        Self { since: decoded(SINCE), by: decoded(BY), reason: decoded(REASON) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(since in any::<Option<String>>(), by in any::<Option<String>>(), reason in any::<Option<String>>()) {
            let switched = Switched { since, by, reason };
            let mut headers = HeaderMap::new();
            headers.insert(BY, HeaderValue::from_static("somebody else"));
            switched.write(&mut headers);
            prop_assert_eq!(Switched::read(&headers), switched);
        }
    }
}
