//! Stage 3: a request as the pipeline sees it, and what HTTP itself makes us refuse.

use std::rc::Rc;
use std::time::{Instant, SystemTime};

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Uri, Version};
use hyper::body::Incoming;

use super::body::Upload;
use super::hop_headers;
use super::peer::Peer;
use super::request_id::RequestId;
use super::source::Source;
use super::watch::Watch;
use super::{Limits, Timeouts};
use crate::policy::{Target, TargetProblem, Unroutable};
use crate::rejection::{Malformation, Rejection};

/// One request: head, streaming body, and the moment it came.
pub(super) struct Received {
    pub(super) method: Method,
    /// As hyper gave it; origin form after [`Received::check`].
    pub(super) target: Uri,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) body: Upload,
    pub(super) peer: Rc<Peer>,
    pub(super) id: RequestId,
    pub(super) instant: Instant,
    pub(super) wall: SystemTime,
    /// Its request line had a `#`.
    pub(super) fragment: bool,
}

/// What an answer of the gateway's own needs of the request, which may be gone by then.
pub(super) struct Arrival {
    pub(super) id: RequestId,
    pub(super) instant: Instant,
    pub(super) wall: SystemTime,
}

impl Received {
    pub(super) fn new(
        request: http::Request<Incoming>,
        arrival: &Arrival,
        peer: &Rc<Peer>,
        watch: &Rc<Watch>,
        (limits, timeouts): (&Limits, &Timeouts),
    ) -> Self {
        let (Parts { method, uri, version, headers, .. }, incoming) = request.into_parts();
        let now = tokio::time::Instant::from_std(arrival.instant);
        Self {
            method,
            target: uri,
            version,
            headers,
            body: Upload::new(Source::new(incoming, limits.max_content_length, timeouts.body, Rc::clone(watch), now)),
            peer: Rc::clone(peer),
            id: arrival.id,
            instant: arrival.instant,
            wall: arrival.wall,
            fragment: watch.take_fragment(),
        }
    }

    /// Refuses what is ambiguous or unwanted, and brings the target into origin form.
    ///
    /// # Errors
    /// [`Malformation`]: 400, 405, 413 or 417; the connection is closed after most of them.
    pub(super) fn check(&mut self, bytes_max: u64) -> Result<(), Rejection> {
        match self.method {
            Method::CONNECT | Method::TRACE => return Err(Rejection::Method),
            _ => {}
        }
        if self.peer.http2 { self.check_authority() } else { self.check_http1() }.map_err(Rejection::Malformed)?;
        if self.fragment {
            return Err(Rejection::Unroutable(Unroutable::Target(TargetProblem::Fragment)));
        }
        if let Some(expected) = self.headers.remove(header::EXPECT)
            && !expected.as_bytes().eq_ignore_ascii_case(b"100-continue")
        {
            return Err(Rejection::Expectation);
        }
        if declared_length(&self.headers).is_some_and(|length| length > bytes_max) {
            return Err(Rejection::TooLarge);
        }
        Ok(())
    }

    /// The target exactly as it goes upstream.
    pub(super) fn target(&self) -> Result<Target<'_>, TargetProblem> {
        Target::parse(self.target.path_and_query().map_or("", |target| target.as_str()))
    }

    /// The `Host` of the request, checked to be one.
    pub(super) fn host(&self) -> Option<&HeaderValue> {
        self.headers.get(header::HOST)
    }

    fn check_http1(&mut self) -> Result<(), Malformation> {
        let mut hosts = self.headers.get_all(header::HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(Malformation::SeveralHosts);
        }
        if host.is_none() && self.version != Version::HTTP_10 {
            return Err(Malformation::NoHost);
        }
        if self.headers.contains_key(header::UPGRADE) {
            return Err(Malformation::Upgrade);
        }
        if hop_headers::takes_what_decides(&self.headers) {
            return Err(Malformation::ConnectionNames);
        }
        let mut codings = self.headers.get_all(header::TRANSFER_ENCODING).iter();
        if let Some(coding) = codings.next() {
            let plain = codings.next().is_none() && coding.as_bytes().eq_ignore_ascii_case(b"chunked");
            if !plain || self.version == Version::HTTP_10 {
                return Err(Malformation::TransferEncoding);
            }
            if self.headers.contains_key(header::CONTENT_LENGTH) {
                return Err(Malformation::TwoLengths);
            }
        }
        if let Some(authority) = self.target.authority() {
            let host = host.map_or(&b""[..], HeaderValue::as_bytes);
            if !authority.as_str().as_bytes().eq_ignore_ascii_case(host) {
                return Err(Malformation::HostDisagrees);
            }
            self.drop_authority();
        }
        Ok(())
    }

    /// HTTP/2 names the host in `:authority`; `Host` may repeat it.
    fn check_authority(&mut self) -> Result<(), Malformation> {
        let mut hosts = self.headers.get_all(header::HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(Malformation::SeveralHosts);
        }
        match (self.target.authority(), host) {
            (None, None) => return Err(Malformation::NoHost),
            (None, Some(_)) => {}
            (Some(authority), Some(host)) => {
                if !authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) {
                    return Err(Malformation::HostDisagrees);
                }
            }
            (Some(authority), None) => {
                let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Malformation::InvalidHost)?;
                self.headers.insert(header::HOST, host);
            }
        }
        self.drop_authority();
        Ok(())
    }

    fn drop_authority(&mut self) {
        if let Some(target) = self.target.path_and_query() {
            self.target = Uri::from(target.clone());
        }
    }
}

/// The value of `Content-Length`; hyper has refused those that are no number or disagree.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
