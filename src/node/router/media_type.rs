//! `Accept`, `Content-Type` and `compatible-with`.
//!
//! Source: elasticsearch, `RestRequest.java`, `RestCompatibleVersionHelper.java`, `ParsedMediaType.java`.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};

use super::render::Format;
use crate::elasticsearch::error_body::Exception;
use crate::node::http::ApiError;

const VERSIONS: [u8; 3] = [7, 8, 9];

/// What the two headers ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Negotiated {
    /// The version whose vendor type the answer gets; `None`: plain `application/json`.
    pub(super) version: Option<u8>,
    /// The body is newline-delimited JSON.
    pub(super) ndjson: bool,
    /// What the answer is written in.
    pub(super) format: Format,
}

/// Parts of a media type that matter.
#[derive(Debug, PartialEq, Eq)]
struct MediaType {
    name: String,
    version: Option<u8>,
}

/// Reads both headers.
///
/// # Errors
/// 400 for versions that are not served or do not agree, 406 for formats that the node does not write or read.
pub(super) fn negotiate(headers: &HeaderMap, has_body: bool) -> Result<Negotiated, ApiError> {
    let accept = single(headers, &ACCEPT)?.map(|text| parse(text, "Accept")).transpose()?.flatten();
    let content = single(headers, &CONTENT_TYPE)?.map(|text| parse(text, "Content-Type")).transpose()?.flatten();
    if let Some(accept) = &accept
        && is_foreign(&accept.name)
    {
        return Err(ApiError::simple(406, format!("Accept header [{}] is not supported", accept.name)));
    }
    let version = accept.as_ref().and_then(|accept| accept.version);
    let format = accept.as_ref().map(|accept| format_of(&accept.name)).unwrap_or_default();
    if !has_body {
        return Ok(Negotiated { version, ndjson: false, format });
    }
    let Some(content) = content else { return Err(ApiError::simple(406, "Content-Type header is missing")) };
    if let (Some(accept), Some(given)) = (&accept, headers.get(CONTENT_TYPE))
        && accept.version != content.version
    {
        let accepted = headers.get(ACCEPT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let cause = format!(
            "A compatible version is required on both Content-Type and Accept headers if either one has requested a compatible \
             version and the compatible versions must match. Accept={}, Content-Type={}",
            accepted.unwrap_or_default(),
            String::from_utf8_lossy(given.as_bytes())
        );
        return Err(invalid("Accept, Content-Type", cause));
    }
    let ndjson = match content.name.as_str() {
        "application/json" | "application/vnd.elasticsearch+json" => false,
        "application/x-ndjson" | "application/vnd.elasticsearch+x-ndjson" => true,
        _ => {
            let given = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            let text = format!("Content-Type header [{}] is not supported", given.unwrap_or_default());
            return Err(ApiError::simple(406, text));
        }
    };
    Ok(Negotiated { version: version.or(content.version), ndjson, format })
}

fn is_foreign(name: &str) -> bool {
    matches!(subtype(name), Some("cbor" | "smile"))
}

fn format_of(name: &str) -> Format {
    if subtype(name) == Some("yaml") { Format::Yaml } else { Format::Json }
}

fn subtype(name: &str) -> Option<&str> {
    name.strip_prefix("application/vnd.elasticsearch+").or_else(|| name.strip_prefix("application/"))
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let cause = format!("Incorrect header [{}]. Only one value should be provided", shown(name));
        return Err(invalid(shown(name), cause));
    }
    let text = first.to_str().map_err(|_| invalid(shown(name), "invalid media-type".to_owned()))?;
    if text.trim().is_empty() {
        return Err(invalid(shown(name), "Header cannot be empty.".to_owned()));
    }
    Ok(Some(text))
}

fn shown(name: &HeaderName) -> &'static str {
    if *name == ACCEPT { "Accept" } else { "Content-Type" }
}

/// `None` for `*/*` and for lists, which ask for nothing in particular.
fn parse(text: &str, header: &'static str) -> Result<Option<MediaType>, ApiError> {
    if text.trim() == "*/*" || text.contains(',') {
        return Ok(None);
    }
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !name.contains('/') {
        return Err(invalid(header, format!("invalid media-type [{text}]")));
    }
    let mut version = None;
    for part in parts.filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once('=') else {
            return Err(invalid(header, format!("invalid parameters for header [{text}]")));
        };
        if key.eq_ignore_ascii_case("compatible-with") {
            let wanted = value.parse::<u8>().ok().filter(|version| VERSIONS.contains(version));
            version = Some(wanted.ok_or_else(|| {
                invalid(
                    header,
                    format!("{header} version must be either version 9 or 8, but found {value}. {header}={text}"),
                )
            })?);
        }
    }
    Ok(Some(MediaType { name, version }))
}

fn invalid(headers: &str, cause: String) -> ApiError {
    let reason = format!("Invalid media-type value on headers [{headers}]");
    let cause = Exception::new("status_exception", cause);
    ApiError::new(400, Exception::new("media_type_header_exception", reason).caused_by(cause))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn negotiated(accept: &'static str, content: &'static str) -> Result<Negotiated, u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ACCEPT, accept), (CONTENT_TYPE, content)] {
            if !value.is_empty() {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        negotiate(&headers, !content.is_empty()).map_err(|error| error.status())
    }

    #[test]
    fn versions_follow_accept() {
        const V8: &str = "application/vnd.elasticsearch+json; compatible-with=8";
        const V9: &str = "application/vnd.elasticsearch+json;compatible-with=9";
        let plain = Negotiated::default();
        assert_eq!(negotiated("", ""), Ok(plain));
        assert_eq!(negotiated("text/html, */*", ""), Ok(plain));
        assert_eq!(negotiated(V8, V8), Ok(Negotiated { version: Some(8), ..plain }));
        assert_eq!(negotiated(V8, V9), Err(400));
        assert_eq!(negotiated("application/json", V9), Err(400));
        assert_eq!(negotiated("application/vnd.elasticsearch+json;compatible-with=6", ""), Err(400));
        let ndjson = "application/vnd.elasticsearch+x-ndjson; compatible-with=8";
        assert_eq!(negotiated(V8, ndjson), Ok(Negotiated { version: Some(8), ndjson: true, ..plain }));
    }

    #[test]
    fn yaml_is_written_and_not_read() {
        assert_eq!(negotiated("application/yaml", "").map(|negotiated| negotiated.format), Ok(Format::Yaml));
        assert_eq!(negotiated("", "application/yaml"), Err(406));
    }

    #[test]
    fn other_formats_are_refused() {
        assert_eq!(negotiated("application/cbor", ""), Err(406));
        assert_eq!(negotiated("application/vnd.elasticsearch+cbor;compatible-with=9", ""), Err(406));
        assert_eq!(negotiated("", "text/plain"), Err(406));
        assert_eq!(negotiated("", "application/smile"), Err(406));
    }
}
