//! The head of a request as it goes to a node.

use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Version};

use super::body::Upload;
use super::peer::Addressed;
use super::received::Received;
use super::snapshot::Cluster;
use super::{forward, forwarded, hop_headers, identity};
use crate::realm::{RunAs, Verified};
use crate::rejection::Rejection;

/// Method, target and end-to-end headers stay; the rest is the gateway's. `Host` is set per node.
///
/// # Errors
/// 403 when the caller's identity cannot be passed on, 400 for credentials in a query that have to end here.
pub(super) fn build(
    received: Received,
    caller: &Verified,
    addressed: &Addressed,
    settings: &Cluster,
    run_as: &RunAs,
) -> Result<Request<Upload>, Rejection> {
    if let Ok(target) = received.target() {
        identity::check_query(&target, settings)?;
    }
    let Received { method, target, version, mut headers, body, peer, .. } = received;
    let trailers = wants_trailers(&headers);
    hop_headers::remove(&mut headers);
    identity::apply(&mut headers, caller, peer.trusted, (settings, &addressed.cluster), run_as)?;
    forwarded::apply(&mut headers, version, &peer, addressed);
    forward::frame(&mut headers, &body);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    if version == Version::HTTP_2 {
        join_cookies(&mut headers);
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target;
    *request.headers_mut() = headers;
    Ok(request)
}

fn wants_trailers(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::TE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// HTTP/2 may split a cookie header into several, HTTP/1.1 has one (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(header::COOKIE).iter().nth(1).is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}
