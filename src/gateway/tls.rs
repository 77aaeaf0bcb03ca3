//! Stage 2: TLS, within the time for a head.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::peer::Handshake;
use crate::realm::pki::ClientCertificate;

/// A connection whose handshake is done.
pub(super) struct Secured {
    pub(super) stream: Box<TlsStream<TcpStream>>,
    pub(super) shown: Handshake,
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
    let chain = session.peer_certificates().unwrap_or_default();
    let certificate = ClientCertificate::new(chain.iter().map(|one| one.clone().into_owned()).collect());
    Some(Secured { shown: Handshake { http2, server_name, certificate }, stream })
}
