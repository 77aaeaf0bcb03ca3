//! Writes a reply out: `filter_path`, `pretty`, `format`, `error_trace`, and the headers that clients rely on.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Map, Value};

use super::trace;
use crate::node::documents::source_filter::{exclude, include};
use crate::node::http::{Content, Query, Reply};

const PRODUCT: HeaderName = HeaderName::from_static("x-elastic-product");
const OPAQUE_ID: HeaderName = HeaderName::from_static("x-opaque-id");

/// How an object is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Json,
    Yaml,
}

/// How the caller wants the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    pretty: bool,
    filter: Vec<String>,
    error_trace: bool,
    /// `None`: `format` does not say.
    format: Option<Format>,
    /// The version of the vendor media type.
    pub(super) version: Option<u8>,
}

impl Style {
    /// Reads the common parameters; what cannot be read changes nothing, so that an error can be written too.
    pub(super) fn of(query: &Query) -> Self {
        let pretty = query.flag("pretty").ok().flatten().unwrap_or(false);
        let filter = query.text("filter_path").unwrap_or_default();
        let filter = filter.split(',').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        let error_trace = query.flag("error_trace").ok().flatten().unwrap_or(false);
        let format = match query.text("format") {
            Some("yaml") => Some(Format::Yaml),
            Some("json") => Some(Format::Json),
            _ => None,
        };
        Self { pretty, filter, error_trace, format, version: None }
    }

    /// What `Accept` asks for counts where `format` does not say.
    pub(super) fn accept(&mut self, accepted: Format) {
        self.format.get_or_insert(accepted);
    }
}

/// The response on the wire.
pub(super) fn render(reply: Reply, style: &Style, request: &HeaderMap) -> Response<Bytes> {
    let Reply { status, content, headers } = reply;
    let (body, media_type) = match content {
        Content::Json(mut value) => {
            // Who is not let in is told no more than that.
            if style.error_trace && status != StatusCode::UNAUTHORIZED {
                trace::add(&mut value);
            }
            let format = style.format.unwrap_or_default();
            (written(value, format, style), Some(media_type(format, style.version)))
        }
        Content::Text(text) => (text.into_bytes(), Some(HeaderValue::from_static("text/plain; charset=UTF-8"))),
        Content::Empty => (Vec::new(), None),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    if let Some(media_type) = media_type {
        headers.entry(CONTENT_TYPE).or_insert(media_type);
    }
    // As Elasticsearch, which tells those whom it does not let in nothing of itself.
    if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        headers.insert(PRODUCT, HeaderValue::from_static("Elasticsearch"));
    }
    if let Some(id) = request.get(&OPAQUE_ID) {
        headers.insert(OPAQUE_ID, id.clone());
    }
    response
}

fn media_type(format: Format, version: Option<u8>) -> HeaderValue {
    let (name, plain) = match format {
        Format::Json => ("json", "application/json"),
        Format::Yaml => ("yaml", "application/yaml"),
    };
    let vendor = version.map(|version| format!("application/vnd.elasticsearch+{name};compatible-with={version}"));
    let vendor = vendor.and_then(|text| HeaderValue::try_from(text).ok());
    vendor.unwrap_or(HeaderValue::from_static(plain))
}

fn written(value: Value, format: Format, style: &Style) -> Vec<u8> {
    let value = filtered(value, &style.filter);
    if format == Format::Yaml {
        let yaml = serde_saphyr::to_string(&value).unwrap_or_else(|_| value.to_string());
        return format!("---\n{yaml}").into_bytes();
    }
    if !style.pretty {
        return value.to_string().into_bytes();
    }
    let mut text = serde_json::to_vec_pretty(&value).unwrap_or_default();
    text.push(b'\n');
    text
}

fn filtered(value: Value, paths: &[String]) -> Value {
    let split = |path: &'_ str| -> Vec<String> { path.split('.').map(str::to_owned).collect() };
    let included: Vec<_> = paths.iter().filter(|path| !path.starts_with('-')).map(|path| split(path)).collect();
    let excluded: Vec<_> = paths.iter().filter_map(|path| path.strip_prefix('-')).map(split).collect();
    let value = match views(&included).as_slice() {
        [] => value,
        patterns => include(&value, patterns).unwrap_or_else(|| Value::Object(Map::new())),
    };
    match views(&excluded).as_slice() {
        [] => value,
        patterns => exclude(value, patterns),
    }
}

fn views(patterns: &[Vec<String>]) -> Vec<Vec<&str>> {
    patterns.iter().map(|pattern| pattern.iter().map(String::as_str).collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn shown(query: &str, value: Value) -> String {
        let style = Style::of(&Query::parse(query).expect("a query"));
        let response = render(Reply::json(value), &style, &HeaderMap::new());
        String::from_utf8(response.body().to_vec()).expect("text")
    }

    #[test]
    fn filters_and_prints() {
        let value = json!({"took": 1, "hits": {"total": 2, "hits": [{"_id": "1", "_score": 1}]}});
        assert_eq!(shown("filter_path=hits.hits._id", value.clone()), r#"{"hits":{"hits":[{"_id":"1"}]}}"#);
        assert_eq!(shown("filter_path=-hits", value.clone()), r#"{"took":1}"#);
        assert_eq!(shown("filter_path=x", value.clone()), "{}");
        assert_eq!(shown("pretty&filter_path=took", value), "{\n  \"took\": 1\n}\n");
    }

    /// Texts that YAML would read as something else.
    const TRICKY: &[&str] = &[
        "",
        "null",
        "true",
        "no",
        "~",
        "-",
        "- a",
        "1e3",
        "0x1f",
        ".inf",
        "2026-01-01",
        ": ",
        "# ",
        "a: b",
        "[",
        "{a}",
        "\n",
        "%",
    ];

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(Value::from),
            ".*".prop_map(Value::from),
            prop::sample::select(TRICKY).prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z: #]{0,6}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn yaml_says_the_same_as_json(value in any_json()) {
            let yaml = shown("format=yaml", value.clone());
            let read: Value = serde_saphyr::from_str(&yaml).map_err(|problem| TestCaseError::fail(problem.to_string()))?;
            prop_assert_eq!(read, value, "{}", yaml);
        }
    }
}
