//! What the cluster is told of the way of a request: `Via`, `X-Forwarded-*`, `Forwarded`.

use http::Version;
use http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};

use super::peer::{Addressed, Peer};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Sets them from what the gateway sees. What the caller sent of them stays in front only if it is a trusted proxy.
///
/// `Host` must still be the caller's.
pub(super) fn apply(headers: &mut HeaderMap, version: Version, peer: &Peer, addressed: &Addressed) {
    let via = match version {
        Version::HTTP_2 => HeaderValue::from_static("2 mlgate"),
        Version::HTTP_10 => HeaderValue::from_static("1.0 mlgate"),
        _ => HeaderValue::from_static("1.1 mlgate"),
    };
    headers.append(header::VIA, via);
    let host = headers.get(header::HOST).cloned();
    if peer.trusted {
        add(headers, FOR, peer.address_header());
        add(headers, header::FORWARDED, &addressed.forwarded);
        headers.entry(PROTO).or_insert(HeaderValue::from_static(peer.protocol()));
        if let Some(host) = host {
            headers.entry(HOST).or_insert(host);
        }
        return;
    }
    headers.insert(FOR, peer.address_header().clone());
    headers.insert(header::FORWARDED, addressed.forwarded.clone());
    headers.insert(PROTO, HeaderValue::from_static(peer.protocol()));
    match host {
        Some(host) => headers.insert(HOST, host),
        None => headers.remove(HOST),
    };
}

/// Adds an element to a list that an earlier proxy has begun.
fn add(headers: &mut HeaderMap, name: HeaderName, element: &HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(vacant) => {
            vacant.insert(element.clone());
        }
        Entry::Occupied(mut occupied) => {
            occupied.append(element.clone());
        }
    }
}
