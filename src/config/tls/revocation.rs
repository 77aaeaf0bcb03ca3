//! Certificate revocation lists in PEM files.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_crl;

use super::certificate::CertificateFault;

/// A list of revoked certificates of one authority.
#[derive(Debug)]
pub(in crate::config) struct RevocationList {
    pub(super) der: CertificateRevocationListDer<'static>,
    issuer: String,
    /// By then the authority has made a new one.
    next_update: Option<SystemTime>,
}

/// All revocation lists of a PEM file, at least one.
///
/// # Errors
/// A section that is cut or no base64, a list that is none, or no list at all.
pub(in crate::config) fn revocation_lists(pem: &[u8]) -> Result<Vec<RevocationList>, CertificateFault> {
    let sections: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(pem).collect();
    let sections = sections.map_err(|_| CertificateFault::Pem)?;
    if sections.is_empty() {
        return Err(CertificateFault::NoRevocationList);
    }
    let numbered = sections.into_iter().zip(1..);
    numbered
        .map(|(der, position)| RevocationList::read(der).ok_or(CertificateFault::RevocationList { position }))
        .collect()
}

impl RevocationList {
    fn read(der: CertificateRevocationListDer<'static>) -> Option<Self> {
        let (_, parsed) = parse_x509_crl(&der).ok()?;
        let issuer = parsed.issuer().to_string();
        let seconds = parsed.next_update().map(|time| u64::try_from(time.timestamp()).unwrap_or(0));
        let next_update = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        Some(Self { der, issuer, next_update })
    }

    /// What somebody should know of its time. A list that has run out is not refused here: at a handshake it is, and
    /// with it every certificate of the authority.
    pub(in crate::config) fn expiry_note(&self, now: SystemTime) -> Option<String> {
        let over = self.next_update.is_some_and(|next| next <= now);
        over.then(|| format!("the revocation list of [{}] has run out: its certificates are refused", self.issuer))
    }
}
