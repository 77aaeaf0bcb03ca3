//! Authorities that sign client certificates, and take them back.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// Signs certificates and revocation lists.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Somebody with a certificate and its key.
pub(crate) struct Holder {
    /// The leaf first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    serial: SerialNumber,
}

impl Holder {
    /// Whether the key belongs to the certificate is left to the other side.
    pub(crate) fn shown(&self) -> SingleCertAndKey {
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&self.key).unwrap();
        SingleCertAndKey::from(CertifiedKey::new(self.chain.clone(), key))
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self(CertifiedIssuer::self_signed(authority(name), KeyPair::generate().unwrap()).unwrap())
    }

    /// One below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self(CertifiedIssuer::signed_by(authority(name), KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for the use of a client, with a subject from the root down and whatever `change` makes of it.
    pub(crate) fn issue(&self, subject: &[(DnType, &str)], change: impl FnOnce(&mut CertificateParams)) -> Holder {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let serial = SerialNumber::from_slice(
            &key.public_key_raw()[1..9].iter().map(|byte| byte & 0x7f | 1).collect::<Vec<_>>(),
        );
        params.serial_number = Some(serial.clone());
        change(&mut params);
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Holder { chain: vec![leaf.der().clone()], key, serial }
    }

    /// `CN=name` and nothing else.
    pub(crate) fn client(&self, name: &str) -> Holder {
        self.issue(&[(DnType::CommonName, name)], |_| {})
    }

    /// A revocation list with these, good until the first day of a year.
    pub(crate) fn revoked(&self, holders: &[&Holder], until: i32) -> String {
        let revoked = |holder: &&Holder| RevokedCertParams {
            serial_number: holder.serial.clone(),
            revocation_time: date_time_ymd(2001, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2000, 1, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: holders.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
