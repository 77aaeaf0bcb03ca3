//! TLS to the nodes of a cluster.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};
use rustls::client::Resumption;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

use super::certificate::{Certificate, Pair, TlsFault};
use super::fingerprint::Fingerprint;
use super::provider;
use super::verifier::NodeVerifier;

/// Elasticsearch's `verification_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Verification {
    /// Issuer and host name.
    Full,
    /// The issuer only.
    Certificate,
    None,
}

/// TLS 1.2 and 1.3 with `http/1.1`. Without `authorities` and `fingerprint` the system's authorities are trusted.
///
/// Sessions are not resumed here: the store of rustls has a lock, and workers share none. A worker that wants to resume
/// clones the config and gives it a store of its own.
///
/// # Errors
/// Authorities that cannot be trust anchors, or none at all.
pub(in crate::config) fn client_config(
    authorities: Vec<Certificate>,
    verification: Verification,
    fingerprint: Option<Fingerprint>,
    pair: Option<Pair>,
) -> Result<ClientConfig, TlsFault> {
    let roots = if authorities.is_empty() && fingerprint.is_none() && verification != Verification::None {
        system_roots()?
    } else {
        named_roots(authorities)?
    };
    let verifier = NodeVerifier::new(roots, verification, fingerprint, &provider());
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsFault::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match pair {
        Some(pair) => builder.with_client_auth_cert(pair.chain, pair.key).map_err(TlsFault::UnusableCertificate)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Equal only where the same nodes are believed: of what they are verified by, not of the gateway's own certificate.
pub(in crate::config) fn trust(
    authorities: &[Certificate],
    verification: Verification,
    fingerprint: Option<Fingerprint>,
) -> Vec<u8> {
    let mut parts = Context::new(&SHA256);
    parts.update(format!("{verification:?} {fingerprint:?}").as_bytes());
    for authority in authorities {
        // Each of one length, so that no two lists look alike.
        parts.update(digest(&SHA256, authority.der()).as_ref());
    }
    parts.finish().as_ref().to_vec()
}

fn named_roots(authorities: Vec<Certificate>) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.der).map_err(TlsFault::UnusableCertificate)?;
    }
    Ok(roots)
}

/// Some systems carry an odd certificate beside the good ones: those that cannot be read are left out.
fn system_roots() -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 { Err(TlsFault::NoAuthorities) } else { Ok(roots) }
}
