//! Client certificates of `listeners[].tls`.

use std::sync::Arc;

use rustls::server::danger::ClientCertVerifier;

use super::{Fault, KeyPath, Review};
use crate::config::document::{ClientCertificates, ListenerTlsDocument};
use crate::config::tls;

impl Review<'_> {
    /// `None`: callers show no certificate, or something is wrong, and is recorded.
    pub(super) fn client_verifier(
        &mut self,
        key: &KeyPath,
        document: &ListenerTlsDocument,
    ) -> Option<Arc<dyn ClientCertVerifier>> {
        let (authorities, lists) = ("client_certificate_authorities", "client_certificate_revocation_lists");
        let needs = |other: &str| Fault::Needs { other: other.to_owned() };
        let certificates = match document.client_authentication {
            ClientCertificates::None => {
                // Somebody wrote them and would believe that they count.
                let written = [
                    (authorities, &document.client_certificate_authorities),
                    (lists, &document.client_certificate_revocation_lists),
                ];
                for (name, _) in written.iter().filter(|(_, files)| !files.is_empty()) {
                    self.fault(&key.key(*name), needs("client_authentication: optional"));
                }
                return None;
            }
            ClientCertificates::Optional => tls::ClientCertificates::Optional,
            ClientCertificates::Required => tls::ClientCertificates::Required,
        };
        if document.client_certificate_authorities.is_empty() {
            self.fault(&key.key("client_authentication"), needs(authorities));
        }
        let roots = self.all_certificates(&key.key(authorities), &document.client_certificate_authorities);
        let lists = self.revocation_lists(&key.key(lists), &document.client_certificate_revocation_lists);
        match tls::client_verifier(roots.filter(|roots| !roots.is_empty())?, lists?, certificates) {
            Ok(verifier) => Some(verifier),
            Err(fault) => {
                self.fault(&key.key(authorities), Fault::Tls(fault));
                None
            }
        }
    }

    fn revocation_lists(&mut self, key: &KeyPath, files: &[String]) -> Option<Vec<tls::RevocationList>> {
        let read = files.iter().enumerate().map(|(index, file)| self.revocation_list(&key.index(index), file));
        let read: Vec<_> = read.collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(|files| files.into_iter().flatten().collect())
    }

    fn revocation_list(&mut self, key: &KeyPath, written: &str) -> Option<Vec<tls::RevocationList>> {
        let (path, pem) = self.named_bytes(key, written)?;
        match tls::revocation_lists(&pem) {
            Ok(lists) => {
                for text in lists.iter().filter_map(|list| list.expiry_note(self.now)).collect::<Vec<_>>() {
                    self.note(key, format!("[{}]: {text}", path.display()));
                }
                Some(lists)
            }
            Err(fault) => {
                self.fault(key, Fault::Certificate { path, fault });
                None
            }
        }
    }
}
