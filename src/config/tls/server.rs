//! TLS of a listener.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};

use super::certificate::{Pair, TlsFault};
use super::provider;

/// TLS 1.2 and 1.3, `h2` and `http/1.1` by ALPN, sessions resumed by encrypted tickets: nothing is kept here per session.
///
/// # Errors
/// A certificate that rustls refuses.
pub(in crate::config) fn server_config(pair: Pair) -> Result<ServerConfig, TlsFault> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsFault::Setup)?
        .with_no_client_auth()
        .with_single_cert(pair.chain, pair.key)
        .map_err(TlsFault::UnusableCertificate)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Ticketer::new().map_err(TlsFault::Setup)?;
    Ok(config)
}
