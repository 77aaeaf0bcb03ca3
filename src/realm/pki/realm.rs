//! A pki realm at work: from a certificate to a principal.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::certificate::ClientCertificate;
use super::distinguished_name::{DistinguishedName, is_control};
use super::refusal::Refusal;
use super::settings::Settings;
use crate::policy::{Principal, RealmRef, Rights};
use crate::realm::role_mapping::{Fact, RoleMapping, Subject};

/// As many bytes of alternative names are read.
const NAMES_BYTES_MAX: usize = 4096;

/// A pki realm.
pub(in crate::realm) struct PkiRealm {
    settings: Settings,
}

impl PkiRealm {
    pub(in crate::realm) fn build(settings: &Settings) -> Self {
        Self { settings: settings.clone() }
    }

    /// Who the holder of a certificate is, with the roles that `role_mapping` gives; `None` if its subject has no user
    /// name as this realm looks for it.
    ///
    /// # Errors
    /// Another authority than the realm's, and names that could be read as others.
    pub(in crate::realm) fn verify(
        &self,
        certificate: &ClientCertificate,
        now: SystemTime,
        role_mapping: &RoleMapping,
    ) -> Result<Option<Principal>, Refusal> {
        let leaf = certificate.chain().first().ok_or(Refusal::Unreadable)?;
        let (rest, parsed) = parse_x509_certificate(leaf).map_err(|_| Refusal::Unreadable)?;
        if !rest.is_empty() {
            return Err(Refusal::Unreadable);
        }
        let subject = DistinguishedName::read(parsed.subject().as_raw())?;
        let Some(username) = self.settings.username.find(&subject)? else { return Ok(None) };
        if self.settings.trust.as_ref().is_some_and(|trust| !trust.accepts(certificate.chain(), now)) {
            return Err(Refusal::Untrusted);
        }
        let mut metadata = alternative_names(&parsed)?;
        metadata.insert("pki_dn".to_owned(), vec![subject.text.clone()]);
        Ok(Some(self.principal(username, &subject.text, metadata, role_mapping)))
    }

    fn principal(
        &self,
        username: &str,
        dn: &str,
        metadata: BTreeMap<String, Vec<String>>,
        role_mapping: &RoleMapping,
    ) -> Principal {
        let realm = &self.settings.name;
        let as_facts = |texts: &Vec<String>| texts.iter().cloned().map(Fact::Text).collect();
        let facts = metadata.iter().map(|(name, texts)| (name.clone(), as_facts(texts))).collect();
        let subject = Subject { username, dn: Some(dn), groups: &[], metadata: &facts, realm };
        Principal {
            rights: Rights::Roles,
            username: username.to_owned(),
            realm: RealmRef { name: realm.clone(), kind: "pki" },
            roles: role_mapping.roles(&subject).into_iter().collect(),
            groups: Vec::new(),
            full_name: None,
            email: None,
            metadata,
        }
    }
}

/// Subject alternative names as metadata: `pki_san_dns`, `pki_san_email`, `pki_san_uri`, `pki_san_ip`; other kinds are
/// left out. Elasticsearch has none of them.
fn alternative_names(certificate: &X509Certificate<'_>) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let mut metadata: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let extension = certificate.subject_alternative_name().map_err(|_| Refusal::Unreadable)?;
    let names = extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let mut bytes = 0;
    for name in names {
        let (key, value) = match name {
            GeneralName::DNSName(name) => ("pki_san_dns", (*name).to_owned()),
            GeneralName::RFC822Name(name) => ("pki_san_email", (*name).to_owned()),
            GeneralName::URI(name) => ("pki_san_uri", (*name).to_owned()),
            GeneralName::IPAddress(address) => ("pki_san_ip", ip(address)?.to_string()),
            GeneralName::Invalid(..) => return Err(Refusal::Unreadable),
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::RegisteredID(_) => continue,
        };
        bytes += value.len();
        if bytes > NAMES_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        if value.chars().any(is_control) {
            return Err(Refusal::ControlCharacter);
        }
        metadata.entry(key.to_owned()).or_default().push(value);
    }
    Ok(metadata)
}

fn ip(address: &[u8]) -> Result<IpAddr, Refusal> {
    let v4 = <[u8; 4]>::try_from(address).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(address).map(IpAddr::from)).map_err(|_| Refusal::Unreadable)
}
