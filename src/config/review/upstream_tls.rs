//! `clusters[].tls`.

use std::sync::Arc;

use super::{Fault, KeyPath, Review};
use crate::config::document::{UpstreamTlsDocument, VerificationMode};
use crate::config::tls::{self, Fingerprint, Pair, Verification};
use crate::upstream::TlsSettings;

impl Review<'_> {
    /// `secure`: whether some node is `https`. Everything is checked all the same.
    pub(super) fn upstream_tls(
        &mut self,
        key: &KeyPath,
        document: &UpstreamTlsDocument,
        secure: bool,
    ) -> Option<TlsSettings> {
        let (problems_before, files_before) = (self.problems.len(), self.files.len());
        let authorities = self.all_certificates(&key.key("certificate_authorities"), &document.certificate_authorities);
        let fingerprint = self.fingerprint(&key.key("ca_trusted_fingerprint"), document);
        let pair = self.gateway_certificate(key, document);
        let verification = self.verification(&key.key("verification_mode"), document.verification_mode);
        if self.problems.len() > problems_before {
            return None;
        }
        let files = self.files.get(files_before..).unwrap_or_default();
        let files = files.iter().map(|file| file.path.clone()).collect();
        let authorities = authorities?;
        let trust = tls::trust(&authorities, verification, fingerprint);
        if !secure {
            return Some(TlsSettings { client: None, trust, files });
        }
        match tls::client_config(authorities, verification, fingerprint, pair) {
            Ok(config) => Some(TlsSettings { client: Some(Arc::new(config)), trust, files }),
            Err(fault) => {
                self.fault(key, Fault::Tls(fault));
                None
            }
        }
    }

    fn fingerprint(&mut self, key: &KeyPath, document: &UpstreamTlsDocument) -> Option<Fingerprint> {
        let text = document.ca_trusted_fingerprint.as_deref()?;
        let fingerprint = Fingerprint::parse(text);
        if fingerprint.is_none() {
            let expected = "the SHA-256 of a certificate: 64 hexadecimal digits, with or without [:]";
            self.unexpected(key, text, expected);
        }
        fingerprint
    }

    /// What the gateway shows to nodes that ask for a certificate.
    fn gateway_certificate(&mut self, key: &KeyPath, document: &UpstreamTlsDocument) -> Option<Pair> {
        match (&document.certificate, &document.key) {
            (Some(certificate), Some(private)) => self.certificate_pair(key, certificate, private),
            (Some(_), None) => {
                self.fault(&key.key("certificate"), Fault::Needs { other: "key".to_owned() });
                None
            }
            (None, Some(_)) => {
                self.fault(&key.key("key"), Fault::Needs { other: "certificate".to_owned() });
                None
            }
            (None, None) => None,
        }
    }

    fn verification(&mut self, key: &KeyPath, mode: VerificationMode) -> Verification {
        match mode {
            VerificationMode::Full => Verification::Full,
            VerificationMode::Certificate => Verification::Certificate,
            VerificationMode::None => {
                self.note(key, "the nodes are not verified: whoever is in between reads and changes everything");
                Verification::None
            }
        }
    }
}
