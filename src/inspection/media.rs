//! What kind of body the headers announce.

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

use super::Unread;

/// How the text of a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Plain,
    Gzip,
}

const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/x-ndjson",
    "application/vnd.elasticsearch+json",
    "application/vnd.elasticsearch+x-ndjson",
];

/// The encoding of a JSON or NDJSON body.
///
/// # Errors
/// Headers that are missing, come twice, or announce anything else.
pub fn encoding(headers: &HeaderMap) -> Result<Encoding, Unread> {
    let media_type = single(headers, &header::CONTENT_TYPE).map_err(|()| Unread::MediaType)?;
    if !media_type.is_some_and(is_json) {
        return Err(Unread::MediaType);
    }
    match single(headers, &header::CONTENT_ENCODING) {
        Ok(None) => Ok(Encoding::Plain),
        Ok(Some(coding)) if coding.eq_ignore_ascii_case("gzip") => Ok(Encoding::Gzip),
        Ok(Some(coding)) if coding.eq_ignore_ascii_case("identity") => Ok(Encoding::Plain),
        Ok(Some(_)) | Err(()) => Err(Unread::Encoding),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::to_str).transpose().map_err(drop)?;
    if values.next().is_some() { Err(()) } else { Ok(first.map(str::trim)) }
}

/// With no other parameters than those that leave the text what it is: UTF-8.
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    MEDIA_TYPES.iter().any(|known| essence.eq_ignore_ascii_case(known))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            Some((name, _version)) => name.eq_ignore_ascii_case("compatible-with"),
            None => parameter.is_empty(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&'static str, &'static str)]) -> Result<Encoding, Unread> {
        let pairs = lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        encoding(&headers)
    }

    #[test]
    fn json_and_ndjson_are_read() {
        let types = [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/x-ndjson;charset=\"utf-8\"",
            "application/vnd.elasticsearch+json; compatible-with=8",
            "application/vnd.elasticsearch+x-ndjson;compatible-with=9;",
        ];
        for media_type in types {
            assert_eq!(read(&[("content-type", media_type)]), Ok(Encoding::Plain), "{media_type}");
        }
        let json = ("content-type", "application/json");
        assert_eq!(read(&[json, ("content-encoding", "GZIP")]), Ok(Encoding::Gzip));
        assert_eq!(read(&[json, ("content-encoding", "identity")]), Ok(Encoding::Plain));
    }

    #[test]
    fn everything_else_is_not() {
        let types = [
            "",
            "text/plain",
            "application/smile",
            "application/cbor",
            "application/yaml",
            "application/vnd.elasticsearch+cbor;compatible-with=8",
            "application/json; charset=utf-16",
            "application/json; q=1",
            "application/json, application/smile",
            "application/*",
        ];
        for media_type in types {
            assert_eq!(read(&[("content-type", media_type)]), Err(Unread::MediaType), "{media_type}");
        }
        let json = ("content-type", "application/json");
        assert_eq!(read(&[]), Err(Unread::MediaType));
        assert_eq!(read(&[json, json]), Err(Unread::MediaType));
        for coding in ["deflate", "br", "gzip, gzip", "zstd", ""] {
            assert_eq!(read(&[json, ("content-encoding", coding)]), Err(Unread::Encoding), "{coding}");
        }
        assert_eq!(read(&[json, ("content-encoding", "gzip"), ("content-encoding", "gzip")]), Err(Unread::Encoding));
    }
}
