//! TLS of the client: whom it believes and what it shows.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// As curl's options of the same names mean them.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// PEM; `None`: the system's authorities.
    pub cacert: Option<PathBuf>,
    /// PEM chain to show, with `key`.
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Believes every certificate.
    pub insecure: bool,
}

/// Why no TLS can be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsProblem {
    #[error("[{}] has no certificate or key that can be read", .file.display())]
    Pem {
        file: PathBuf,
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    #[error("[{}] has no certificate in it", .file.display())]
    NoCertificate { file: PathBuf },
    #[error("the system has no certificate authorities; name some by --cacert")]
    NoAuthorities,
    #[error("[{0}] is no host name")]
    Name(String),
    #[error("the certificates cannot be used")]
    Unusable(#[from] Error),
}

pub(super) fn config(settings: &TlsSettings) -> Result<ClientConfig, TlsProblem> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = if settings.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        builder.with_root_certificates(roots(settings)?)
    };
    let mut config = match (&settings.cert, &settings.key) {
        (Some(cert), Some(key)) => {
            let shown = PrivateKeyDer::from_pem_file(key);
            let shown = shown.map_err(|source| TlsProblem::Pem { file: key.clone(), source })?;
            builder.with_client_auth_cert(certificates(cert)?, shown)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(settings: &TlsSettings) -> Result<RootCertStore, TlsProblem> {
    let mut roots = RootCertStore::empty();
    match &settings.cacert {
        Some(file) => certificates(file)?.into_iter().try_for_each(|certificate| roots.add(certificate))?,
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() { Err(TlsProblem::NoAuthorities) } else { Ok(roots) }
}

fn certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match read {
        Ok(found) if found.is_empty() => Err(TlsProblem::NoCertificate { file: file.clone() }),
        Ok(found) => Ok(found),
        Err(source) => Err(TlsProblem::Pem { file: file.clone(), source }),
    }
}

/// `--insecure`: whoever answers is believed; the handshake's signatures are verified all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
