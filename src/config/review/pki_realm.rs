//! `authentication.realms[]` of type `pki`.

use super::{Fault, KeyPath, Review};
use crate::config::document::PkiRealmDocument;
use crate::config::tls;
use crate::realm::pki::{self, Trust, Username};

impl Review<'_> {
    pub(super) fn pki_realm(&mut self, key: &KeyPath, document: &PkiRealmDocument) -> Option<pki::Settings> {
        let before = self.problems.len();
        if document.delegation.enabled {
            self.unexpected(&key.key("delegation").key("enabled"), "true", "[false]: certificates come by TLS only");
        }
        let username = self.username(key, document);
        let trust = self.trust(&key.key("certificate_authorities"), &document.certificate_authorities);
        if self.problems.len() > before {
            return None;
        }
        Some(pki::Settings { name: document.name.clone(), username: username?, trust })
    }

    fn username(&mut self, key: &KeyPath, document: &PkiRealmDocument) -> Option<Username> {
        match (&document.username_rdn_oid, &document.username_rdn_name) {
            (Some(_), Some(_)) => {
                self.fault(&key.key("username_rdn_oid"), Fault::Conflict { other: "username_rdn_name".to_owned() });
                None
            }
            (Some(oid), None) => self.parsed(&key.key("username_rdn_oid"), Username::attribute_oid(oid)),
            (None, Some(name)) => self.parsed(&key.key("username_rdn_name"), Username::attribute_name(name)),
            (None, None) => self.parsed(&key.key("username_pattern"), Username::pattern(&document.username_pattern)),
        }
    }

    fn trust(&mut self, key: &KeyPath, files: &[String]) -> Option<Trust> {
        if files.is_empty() {
            return None;
        }
        let authorities = self.all_certificates(key, files)?;
        match tls::client_verifier(authorities, Vec::new(), tls::ClientCertificates::Optional) {
            Ok(verifier) => Some(Trust::new(verifier)),
            Err(fault) => {
                self.fault(key, Fault::Tls(fault));
                None
            }
        }
    }
}
