//! Stage 2: TLS, within the time for a head.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A connection whose handshake is done.
pub(super) struct Secured {
    pub(super) stream: Box<TlsStream<TcpStream>>,
    /// By ALPN; without it HTTP/1.1.
    pub(super) http2: bool,
    /// The name that the caller asked for, in lower case.
    pub(super) server_name: Option<Box<str>>,
    /// Verified by rustls against the CAs of the listener, the leaf first; empty when none was shown.
    pub(super) client_certificates: Vec<CertificateDer<'static>>,
}

/// `None` when the handshake fails or takes too long: there is nobody to tell.
pub(super) async fn handshake(tcp: TcpStream, config: &Arc<ServerConfig>, limit: Duration) -> Option<Secured> {
    let accepted = tokio::time::timeout(limit, TlsAcceptor::from(Arc::clone(config)).accept(tcp)).await;
    let stream = match accepted {
        Ok(Ok(stream)) => Box::new(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "tls handshake failed");
            return None;
        }
        Err(_) => {
            tracing::debug!("tls handshake took too long");
            return None;
        }
    };
    let session = stream.get_ref().1;
    let http2 = session.alpn_protocol() == Some(b"h2");
    let server_name = session.server_name().map(|name| name.to_ascii_lowercase().into_boxed_str());
    let client_certificates =
        session.peer_certificates().map(|chain| chain.iter().map(|one| one.clone().into_owned()).collect());
    Some(Secured { http2, server_name, client_certificates: client_certificates.unwrap_or_default(), stream })
}
