//! TLS of listeners and to nodes: certificates and keys from PEM files to rustls configs.

mod certificate;
mod client;
mod fingerprint;
mod revocation;
mod server;
mod verifier;

pub(super) use certificate::{Certificate, Pair, certificates, private_key};
pub use certificate::{CertificateFault, TlsFault};
pub(super) use client::{Verification, client_config, trust};
pub(super) use fingerprint::Fingerprint;
pub(super) use revocation::{RevocationList, revocation_lists};
pub(super) use server::{ClientCertificates, client_verifier, server_config};

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// The one crypto library, given by hand: no process-wide default can be missing or another.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests;
