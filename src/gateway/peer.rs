//! The other end of a downstream connection, and what is worked out once for all its requests.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use http::HeaderValue;
use rustls::pki_types::CertificateDer;

use super::host;
use super::view::{View, WorkerCluster};

/// Who is connected, from where and how.
pub struct Peer {
    address: SocketAddr,
    pub(super) secure: bool,
    pub(super) http2: bool,
    /// Its `X-Forwarded-*` are kept.
    pub(super) trusted: bool,
    pub(super) server_name: Option<Box<str>>,
    certificates: Vec<CertificateDer<'static>>,
    address_header: HeaderValue,
    /// A caller asks for the same host again and again.
    last: RefCell<Option<Rc<Addressed>>>,
}

/// What follows from the host that a request names.
pub(super) struct Addressed {
    host: Option<HeaderValue>,
    generation: u64,
    pub(super) cluster: Rc<WorkerCluster>,
    /// `Forwarded` (RFC 7239) for this caller and host.
    pub(super) forwarded: HeaderValue,
}

/// Why no cluster takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unaddressed {
    InvalidHost,
    /// No cluster answers to it, or another one than to the name of the TLS handshake.
    Misdirected,
}

impl Peer {
    pub(super) fn new(
        address: SocketAddr,
        secured: Option<(bool, Option<Box<str>>, Vec<CertificateDer<'static>>)>,
        trusted: bool,
    ) -> Self {
        let secure = secured.is_some();
        let (http2, server_name, certificates) = secured.unwrap_or((false, None, Vec::new()));
        let text = address.ip().to_canonical().to_string();
        let address_header = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        Self { address, secure, http2, trusted, server_name, certificates, address_header, last: RefCell::new(None) }
    }

    /// Where the connection comes from.
    pub const fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// Verified by the TLS handshake, the leaf first; empty when none was shown.
    pub fn client_certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The caller's address, for `X-Forwarded-For`.
    pub(super) const fn address_header(&self) -> &HeaderValue {
        &self.address_header
    }

    pub(super) const fn protocol(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The cluster that answers to `host`; none is named by an HTTP/1.0 request without `Host`.
    pub(super) fn address(&self, host: Option<&HeaderValue>, view: &View) -> Result<Rc<Addressed>, Unaddressed> {
        if let Some(last) = self.last.borrow().as_ref()
            && last.generation == view.generation
            && last.host.as_ref() == host
        {
            return Ok(Rc::clone(last));
        }
        let name = match host {
            Some(host) => host::name_of(host.as_bytes()).ok_or(Unaddressed::InvalidHost)?,
            None => String::new(),
        };
        let cluster = view.cluster_for(&name).ok_or(Unaddressed::Misdirected)?;
        if let Some(server_name) = &self.server_name
            && view.cluster_for(server_name).is_none_or(|named| !Rc::ptr_eq(&named, &cluster))
        {
            return Err(Unaddressed::Misdirected);
        }
        let addressed = Rc::new(Addressed {
            host: host.cloned(),
            generation: view.generation,
            cluster,
            forwarded: self.forwarded(host),
        });
        *self.last.borrow_mut() = Some(Rc::clone(&addressed));
        Ok(addressed)
    }

    fn forwarded(&self, host: Option<&HeaderValue>) -> HeaderValue {
        let node = match self.address.ip().to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("\"[{address}]\""),
        };
        let host = host.and_then(|host| host.to_str().ok()).map_or(String::new(), |host| format!(";host=\"{host}\""));
        let text = format!("for={node}{host};proto={}", self.protocol());
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("for=unknown"))
    }
}
