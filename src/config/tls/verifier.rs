//! Whether the certificate of a node is believed.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::client::Verification;
use super::fingerprint::Fingerprint;

/// Verifies as Elasticsearch's `verification_mode` and `ca_trusted_fingerprint` say.
#[derive(Debug)]
pub(super) struct NodeVerifier {
    roots: RootCertStore,
    verification: Verification,
    fingerprint: Option<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl NodeVerifier {
    pub(super) fn new(
        roots: RootCertStore,
        verification: Verification,
        fingerprint: Option<Fingerprint>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        Self { roots, verification, fingerprint, algorithms }
    }

    /// The trusted authorities, and the shown certificate that has the trusted fingerprint.
    ///
    /// The fingerprint makes an anchor of that certificate, no more: the chain up to it and the name are verified as ever.
    fn anchors(&self, shown: &[CertificateDer<'_>]) -> Result<RootCertStore, Error> {
        let mut anchors = self.roots.clone();
        let trusted = shown.iter().find(|der| self.fingerprint.is_some_and(|fingerprint| fingerprint.is_of(der)));
        if let Some(authority) = trusted {
            anchors.add(authority.clone().into_owned())?;
        }
        Ok(anchors)
    }
}

impl ServerCertVerifier for NodeVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verification == Verification::None {
            return Ok(ServerCertVerified::assertion());
        }
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let with_anchors;
        let anchors = if self.fingerprint.is_some() {
            with_anchors = self.anchors(intermediates)?;
            &with_anchors
        } else {
            &self.roots
        };
        verify_server_cert_signed_by_trust_anchor(&certificate, anchors, intermediates, now, self.algorithms.all)?;
        if self.verification == Verification::Full {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
