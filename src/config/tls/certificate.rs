//! Certificates and private keys in PEM files.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::VerifierBuilderError;
use rustls::sign::CertifiedKey;
use x509_parser::parse_x509_certificate;

use super::provider;

/// When a certificate's end is worth a word.
const SOON: Duration = Duration::from_hours(30 * 24);

/// Why a PEM file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    #[error("not a PEM file: a section is malformed")]
    Pem,
    #[error("no certificate in it; expected [-----BEGIN CERTIFICATE-----]")]
    NoCertificate,
    #[error("certificate {position} cannot be read")]
    Certificate {
        /// In the file, from 1.
        position: usize,
    },
    #[error("no revocation list in it; expected [-----BEGIN X509 CRL-----]")]
    NoRevocationList,
    #[error("revocation list {position} cannot be read")]
    RevocationList {
        /// In the file, from 1.
        position: usize,
    },
    #[error("no private key in it; expected [-----BEGIN PRIVATE KEY-----]")]
    NoKey,
    #[error("the private key is encrypted; take off the passphrase with [openssl pkey -in FILE -out FILE]")]
    EncryptedKey,
}

/// Why no TLS can be made of what was read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TlsFault {
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    #[error("the private key is of a kind that cannot be used")]
    UnusableKey,
    #[error("certificate cannot be used")]
    UnusableCertificate(#[source] rustls::Error),
    #[error("the system has no certificate authorities; name some in [certificate_authorities]")]
    NoAuthorities,
    #[error("client certificates cannot be verified")]
    Verifier(#[source] VerifierBuilderError),
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// A certificate and the end of its time.
#[derive(Clone, Debug)]
pub(in crate::config) struct Certificate {
    pub(in crate::config) der: CertificateDer<'static>,
    subject: String,
    not_before: SystemTime,
    not_after: SystemTime,
}

/// A certificate chain with the private key of its first.
#[derive(Debug)]
pub(in crate::config) struct Pair {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Pair {
    /// # Errors
    /// The key is of an unknown kind, or not that of the first certificate.
    pub(in crate::config) fn new(chain: Vec<Certificate>, key: PrivateKeyDer<'static>) -> Result<Self, TlsFault> {
        let chain: Vec<_> = chain.into_iter().map(|certificate| certificate.der).collect();
        let signing = provider().key_provider.load_private_key(key.clone_key()).map_err(|_| TlsFault::UnusableKey)?;
        match CertifiedKey::new(chain.clone(), signing).keys_match() {
            // `Unknown`: rustls cannot tell the public key of this kind.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(Self { chain, key }),
            Err(rustls::Error::InconsistentKeys(_)) => Err(TlsFault::Mismatch),
            Err(error) => Err(TlsFault::UnusableCertificate(error)),
        }
    }
}

/// All certificates of a PEM file, at least one.
///
/// # Errors
/// A section that is cut or no base64, a certificate that is none, or no certificate at all.
pub(in crate::config) fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, CertificateFault> {
    let sections: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let sections = sections.map_err(|_| CertificateFault::Pem)?;
    if sections.is_empty() {
        return Err(CertificateFault::NoCertificate);
    }
    let numbered = sections.into_iter().zip(1..);
    numbered.map(|(der, position)| Certificate::read(der).ok_or(CertificateFault::Certificate { position })).collect()
}

/// The private key of a PEM file: PKCS #8, PKCS #1 or SEC1.
///
/// # Errors
/// No key, an encrypted one, or a section that is cut or no base64.
pub(in crate::config) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, CertificateFault> {
    if contains(pem, b"BEGIN ENCRYPTED PRIVATE KEY") || contains(pem, b"Proc-Type: 4,ENCRYPTED") {
        return Err(CertificateFault::EncryptedKey);
    }
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem);
    loop {
        match sections.next() {
            None => return Err(CertificateFault::NoKey),
            Some(Err(_)) => return Err(CertificateFault::Pem),
            Some(Ok((SectionKind::PrivateKey, der))) => return Ok(PrivateKeyDer::Pkcs8(der.into())),
            Some(Ok((SectionKind::RsaPrivateKey, der))) => return Ok(PrivateKeyDer::Pkcs1(der.into())),
            Some(Ok((SectionKind::EcPrivateKey, der))) => return Ok(PrivateKeyDer::Sec1(der.into())),
            Some(Ok(_)) => {}
        }
    }
}

fn contains(pem: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(pem, text).is_some()
}

impl Certificate {
    fn read(der: CertificateDer<'static>) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(&der).ok()?;
        let (subject, validity) = (parsed.subject().to_string(), parsed.validity().clone());
        let time = |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let not_before = time(validity.not_before.timestamp());
        let not_after = time(validity.not_after.timestamp());
        Some(Self { der, subject, not_before, not_after })
    }

    pub(in crate::config) const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// What somebody should know about the time of the certificate: it is over, soon over, or has not begun.
    ///
    /// It is not refused for it: callers will, and an outage at the next restart helps nobody.
    pub(in crate::config) fn expiry_note(&self, now: SystemTime) -> Option<String> {
        let subject = &self.subject;
        if now < self.not_before {
            return Some(format!("certificate [{subject}] is not valid yet"));
        }
        match self.not_after.duration_since(now) {
            Err(_) => Some(format!("certificate [{subject}] has expired")),
            Ok(left) if left < SOON => {
                Some(format!("certificate [{subject}] expires in {} days", left.as_secs() / (24 * 60 * 60)))
            }
            Ok(_) => None,
        }
    }
}
