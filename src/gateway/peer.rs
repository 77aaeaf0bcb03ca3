//! The other end of a downstream connection, and what is worked out once for all its requests.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use http::HeaderValue;

use super::host;
use super::view::{View, WorkerCluster};
use crate::realm::pki::ClientCertificate;

/// Who is connected, from where and how.
pub struct Peer {
    address: SocketAddr,
    pub(super) secure: bool,
    pub(super) http2: bool,
    /// Its `X-Forwarded-*` are kept.
    pub(super) trusted: bool,
    pub(super) server_name: Option<Box<str>>,
    /// The position of its listener in the snapshot.
    listener: usize,
    certificate: Option<ClientCertificate>,
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

/// What a TLS handshake has shown.
#[derive(Default)]
pub(super) struct Handshake {
    /// By ALPN; without it HTTP/1.1.
    pub(super) http2: bool,
    /// The name that the caller asked for, in lower case.
    pub(super) server_name: Option<Box<str>>,
    /// Verified by rustls against the authorities of the listener.
    pub(super) certificate: Option<ClientCertificate>,
}

/// The handshake of the connection would fail by the present settings.
#[derive(Debug)]
pub(super) struct Unacceptable;

/// Why no cluster takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unaddressed {
    InvalidHost,
    /// No cluster answers to it, or another one than to the name of the TLS handshake.
    Misdirected,
}

impl Peer {
    /// A connection to the listener at a position of the snapshot; `secured`: what its handshake has shown.
    pub(super) fn new(address: SocketAddr, listener: usize, trusted: bool, secured: Option<Handshake>) -> Self {
        let secure = secured.is_some();
        let Handshake { http2, server_name, certificate } = secured.unwrap_or_default();
        let text = address.ip().to_canonical().to_string();
        let address_header = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        let last = RefCell::new(None);
        Self { address, secure, http2, trusted, server_name, listener, certificate, address_header, last }
    }

    /// Where the connection comes from.
    pub const fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the handshake, if the listener accepts it at present as well; `None` if none was shown.
    ///
    /// # Errors
    /// The handshake would fail now: the certificate has run out or is revoked, the listener wants one, or wants none.
    pub(super) fn certificate(
        &self,
        view: &View,
        moment: (SystemTime, Instant),
    ) -> Result<Option<&ClientCertificate>, Unacceptable> {
        let listener = view.snapshot.listeners.get(self.listener);
        let verifier = listener.and_then(|listener| listener.client_verifier.as_deref());
        match (&self.certificate, verifier) {
            (None, None) => Ok(None),
            (None, Some(verifier)) if !verifier.client_auth_mandatory() => Ok(None),
            (Some(shown), Some(verifier)) if shown.is_acceptable(verifier, view.generation, moment) => Ok(Some(shown)),
            (None | Some(_), _) => Err(Unacceptable),
        }
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
