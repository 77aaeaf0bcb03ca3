//! A development CA and a server certificate for this machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use super::new_file::{self, Readers};

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateProblem {
    #[error("cannot make a development certificate")]
    Make(#[from] rcgen::Error),
    #[error("cannot write [{}]", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Clients refuse longer ones.
const VALID_DAYS: i64 = 397;
/// Clocks of virtual machines are often a little late.
const BACKDATED: Duration = Duration::hours(1);

/// Writes `certificate` (server, then CA), `key`, and `ca.crt` beside the certificate.
///
/// The key of the CA is forgotten: nobody can make a second certificate that its owner's clients trust.
///
/// # Errors
/// Files that are there already or cannot be written.
pub(super) fn make(certificate: &Path, key: &Path) -> Result<PathBuf, CertificateProblem> {
    let now = OffsetDateTime::from(crate::telemetry::clock::now());
    let ca = CertifiedIssuer::self_signed(authority(now), KeyPair::generate()?)?;
    let server_key = KeyPair::generate()?;
    let server = server(now)?.signed_by(&server_key, &ca)?;
    let ca_path = certificate.with_file_name("ca.crt");
    write(key, &server_key.serialize_pem(), Readers::Owner)?;
    write(&ca_path, &ca.pem(), Readers::Everybody)?;
    // Last, as its absence is what says that all three are to be made.
    write(certificate, &format!("{}{}", server.pem(), ca.pem()), Readers::Everybody)?;
    Ok(ca_path)
}

fn write(path: &Path, content: &str, readers: Readers) -> Result<(), CertificateProblem> {
    new_file::write(path, content, readers)
        .map_err(|source| CertificateProblem::Write { path: path.to_owned(), source })
}

fn authority(now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("mlgate development CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now);
    params
}

fn server(now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.distinguished_name = named("mlgate development");
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        params.subject_alt_names.push(SanType::IpAddress(address));
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    valid(&mut params, now);
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn valid(params: &mut CertificateParams, now: OffsetDateTime) {
    params.not_before = now - BACKDATED;
    params.not_after = now + Duration::days(VALID_DAYS);
}
