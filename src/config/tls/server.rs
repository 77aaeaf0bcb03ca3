//! TLS of a listener.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use super::certificate::{Certificate, Pair, TlsFault};
use super::provider;
use super::revocation::RevocationList;

/// Whether callers that show no certificate are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum ClientCertificates {
    Optional,
    Required,
}

/// TLS 1.2 and 1.3, `h2` and `http/1.1` by ALPN. Nothing is kept here per session.
///
/// Sessions are resumed by encrypted tickets where callers show no certificate. Where they do, none is resumed: the
/// certificate would not be looked at again, however it stands by then.
///
/// # Errors
/// A certificate that rustls refuses.
pub(in crate::config) fn server_config(
    pair: Pair,
    client_verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, TlsFault> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsFault::Setup)?;
    let resumes = client_verifier.is_none();
    let builder = match client_verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(pair.chain, pair.key).map_err(TlsFault::UnusableCertificate)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if resumes {
        config.ticketer = Ticketer::new().map_err(TlsFault::Setup)?;
    } else {
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// Verifies client certificates: a chain to one of `authorities`, in time, for the use of a client.
///
/// With `revocation_lists` each certificate below the authority must stand in no list of its issuer, and there must be
/// such a list that has not run out: what cannot be looked up is refused.
///
/// # Errors
/// Authorities that cannot be trust anchors, or lists that cannot be used.
pub(in crate::config) fn client_verifier(
    authorities: Vec<Certificate>,
    revocation_lists: Vec<RevocationList>,
    certificates: ClientCertificates,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFault> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.der).map_err(TlsFault::UnusableCertificate)?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .with_crls(revocation_lists.into_iter().map(|list| list.der))
        .enforce_revocation_expiration();
    if certificates == ClientCertificates::Optional {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(TlsFault::Verifier)
}
