//! Why a request came to nothing.

use std::io;

use http::StatusCode;
use serde_json::Value;

/// A request without a usable answer. `request` is method and target.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("cannot connect to [{url}]{}", no_tls(.source))]
    Connect {
        url: String,
        #[source]
        source: io::Error,
    },
    #[error("connecting to [{url}] took too long")]
    ConnectTimeout { url: String },
    #[error("[{request}] cannot be sent")]
    Unsendable { request: String },
    /// It may have been carried out all the same.
    #[error("[{request}] broke off{}", no_http(.source))]
    Broken {
        request: String,
        #[source]
        source: hyper::Error,
    },
    /// It may have been carried out all the same.
    #[error("[{request}] was not answered in time")]
    Timeout { request: String },
    #[error("the answer of [{request}] is larger than [{limit}] bytes")]
    TooLarge { request: String, limit: usize },
    #[error("[{request}] was answered with status [{}]: {reason}", .status.as_u16())]
    Refused { request: String, status: StatusCode, reason: String },
    #[error("[{request}] was answered with no JSON that is known; is this Elasticsearch?")]
    Unreadable { request: String },
}

/// More of a body that is no Elasticsearch error is not shown.
const SHOWN_CHARACTERS_MAX: usize = 200;

impl ClientError {
    pub(super) fn refused(request: &str, status: StatusCode, body: &[u8]) -> Self {
        Self::Refused { request: request.to_owned(), status, reason: reason(body) }
    }

    /// The status of a refusal.
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same request may succeed a little later, and the server may have carried it out already.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::ConnectTimeout { .. } | Self::Broken { .. } => true,
            Self::Refused { status, .. } => matches!(status.as_u16(), 502..=504),
            Self::Unsendable { .. } | Self::Timeout { .. } | Self::TooLarge { .. } | Self::Unreadable { .. } => false,
        }
    }
}

/// What a server that speaks plain HTTP makes of a handshake says nothing to people.
fn no_tls(source: &io::Error) -> &'static str {
    let inner = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => {
            ", which does not speak TLS; is it [http://]?"
        }
        _ => "",
    }
}

fn no_http(source: &hyper::Error) -> &'static str {
    if source.is_parse() { ", the server does not speak plain HTTP; is it [https://]?" } else { "" }
}

/// What the server said: reason and causes, or the beginning of what is no Elasticsearch error.
fn reason(body: &[u8]) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    match parsed.as_ref().and_then(|body| body.get("error")) {
        Some(Value::String(text)) => text.clone(),
        Some(error) => {
            // Some errors, such as that there is no master, have a type alone.
            let said = |error: &Value, member| error.get(member).and_then(Value::as_str).map(str::to_owned);
            let text = |error: &Value| {
                said(error, "reason").or_else(|| said(error, "type")).unwrap_or_else(|| "no reason".to_owned())
            };
            let cause = error.get("caused_by").map(|cause| format!(": {}", text(cause)));
            text(error) + &cause.unwrap_or_default()
        }
        None => String::from_utf8_lossy(body).chars().take(SHOWN_CHARACTERS_MAX).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_server_said() {
        let full = br#"{"error":{"type":"t","reason":"held","caused_by":{"reason":"on"}},"status":429}"#;
        assert_eq!(reason(full), "held: on");
        assert_eq!(reason(br#"{"error":"no handler found"}"#), "no handler found");
        let masterless = br#"{"error":{"type":"master_not_discovered_exception","reason":null},"status":503}"#;
        assert_eq!(reason(masterless), "master_not_discovered_exception");
        assert_eq!(reason(b"<html>"), "<html>");
        assert_eq!(reason("ä".repeat(300).as_bytes()).chars().count(), 200);
    }
}
