//! `listeners`.

use std::sync::Arc;

use rustls::server::danger::ClientCertVerifier;

use super::{Fault, KeyPath, Review};
use crate::config::document::{ListenerDocument, ListenerTlsDocument};
use crate::config::tls;
use crate::gateway::ListenerSettings;

/// TLS of one listener.
struct ListenerTls {
    config: Arc<rustls::ServerConfig>,
    client_verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl Review<'_> {
    pub(super) fn listeners(&mut self, documents: &[ListenerDocument]) -> Vec<ListenerSettings> {
        let key = KeyPath::root().key("listeners");
        if documents.is_empty() {
            self.fault(&key, Fault::Missing { expected: "at least one listener".to_owned() });
        }
        let mut listeners: Vec<ListenerSettings> = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let key = key.index(index);
            let Some(listener) = self.listener(&key, document) else { continue };
            let same = listeners
                .iter()
                .position(|earlier| earlier.address == listener.address && listener.address.port() != 0);
            if let Some(first) = same {
                let first = KeyPath::root().key("listeners").index(first).key("address");
                self.fault(&key.key("address"), Fault::Duplicate { name: document.address.clone(), first });
            }
            listeners.push(listener);
        }
        listeners
    }

    fn listener(&mut self, key: &KeyPath, document: &ListenerDocument) -> Option<ListenerSettings> {
        let address = self.socket_address(&key.key("address"), &document.address);
        let networks = document.trusted_proxies.iter().enumerate();
        let trusted_proxies: Vec<_> = networks
            .filter_map(|(index, network)| self.network(&key.key("trusted_proxies").index(index), network))
            .collect();
        let tls = document.tls.as_ref().and_then(|tls| self.listener_tls(&key.key("tls"), tls));
        let address = address?;
        if document.tls.is_none() && !address.ip().is_loopback() && !document.allow_plaintext {
            self.fault(&key.key("address"), Fault::Plaintext { address: document.address.clone() });
        }
        let (tls, client_verifier) = tls.map(|tls| (tls.config, tls.client_verifier)).unzip();
        let client_verifier = client_verifier.flatten();
        let proxy_protocol = document.proxy_protocol;
        Some(ListenerSettings { address, proxy_protocol, trusted_proxies, tls, client_verifier })
    }

    fn listener_tls(&mut self, key: &KeyPath, document: &ListenerTlsDocument) -> Option<ListenerTls> {
        let before = self.problems.len();
        let client_verifier = self.client_verifier(key, document);
        let pair = self.certificate_pair(key, &document.certificate, &document.key)?;
        if self.problems.len() > before {
            return None;
        }
        match tls::server_config(pair, client_verifier.clone()) {
            Ok(config) => Some(ListenerTls { config: Arc::new(config), client_verifier }),
            Err(fault) => {
                self.fault(key, Fault::Tls(fault));
                None
            }
        }
    }

    /// The certificates in all files of a list; `None`: some cannot be read.
    pub(super) fn all_certificates(&mut self, key: &KeyPath, files: &[String]) -> Option<Vec<tls::Certificate>> {
        let read = files.iter().enumerate().map(|(index, file)| self.certificates(&key.index(index), file));
        let read: Vec<_> = read.collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(|files| files.into_iter().flatten().collect())
    }

    /// The certificate chain and private key that `certificate` and `key` below `key` name.
    pub(super) fn certificate_pair(&mut self, at: &KeyPath, certificate: &str, key: &str) -> Option<tls::Pair> {
        let chain = self.certificates(&at.key("certificate"), certificate);
        let key_at = at.key("key");
        let key = self.named_bytes(&key_at, key).and_then(|(path, pem)| match tls::private_key(&pem) {
            Ok(key) => Some(key),
            Err(fault) => {
                self.fault(&key_at, Fault::Certificate { path, fault });
                None
            }
        });
        match tls::Pair::new(chain?, key?) {
            Ok(pair) => Some(pair),
            Err(fault) => {
                self.fault(&key_at, Fault::Tls(fault));
                None
            }
        }
    }

    /// The certificates in a file that a key names; those that have expired or soon will are noted.
    pub(super) fn certificates(&mut self, key: &KeyPath, written: &str) -> Option<Vec<tls::Certificate>> {
        let (path, pem) = self.named_bytes(key, written)?;
        match tls::certificates(&pem) {
            Ok(certificates) => {
                for certificate in &certificates {
                    if let Some(text) = certificate.expiry_note(self.now) {
                        self.note(key, format!("[{}]: {text}", path.display()));
                    }
                }
                Some(certificates)
            }
            Err(fault) => {
                self.fault(key, Fault::Certificate { path, fault });
                None
            }
        }
    }
}
