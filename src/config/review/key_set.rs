//! `authentication.realms[]` of type `jwt`: its keys, in files or fetched by HTTPS.

use std::sync::Arc;
use std::time::Duration;

use super::{Fault, KeyPath, Review};
use crate::config::document::{JwtRealmDocument, KeySetVerification, Period};
use crate::config::tls::{self, Verification};
use crate::realm::jwt::{Intervals, IssuerSettings, IssuerTls, KeySet, KeySetUrl};

/// Between two fetches that tokens of unknown keys ask for: an issuer that rotates is followed within it, and a flood of
/// such tokens is no flood of fetches.
const ASKED_INTERVAL: Duration = Duration::from_secs(5);

/// After the first fetch that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

impl Review<'_> {
    /// The keys of the files and of the config. `None` where there are none, or what is wrong has been recorded.
    pub(super) fn key_set(&mut self, key: &KeyPath, document: &JwtRealmDocument) -> KeySet {
        let file = document.pkc_jwkset_path.as_deref().filter(|path| !KeySetUrl::is_meant(path));
        let public = file.and_then(|path| self.public_keys(&key.key("pkc_jwkset_path"), path));
        let (shared_key, shared_set) = ("hmac_key", "hmac_jwkset");
        let hmac_key = self.secret(key, shared_key, document.hmac_key.as_ref(), document.hmac_key_file.as_deref());
        let hmac_set =
            self.secret(key, shared_set, document.hmac_jwkset.as_ref(), document.hmac_jwkset_file.as_deref());
        if hmac_key.is_some() && hmac_set.is_some() {
            self.fault(key, Fault::Conflict { other: format!("{shared_key}] and [{shared_set}") });
        }
        let hmac_key = hmac_key.and_then(|secret| {
            let given = if document.hmac_key.is_some() { shared_key } else { "hmac_key_file" };
            self.parsed(&key.key(given), KeySet::from_hmac_key(secret.expose().as_bytes()))
        });
        let hmac_set = hmac_set.and_then(|secret| {
            let given = if document.hmac_jwkset.is_some() { shared_set } else { "hmac_jwkset_file" };
            self.parsed(&key.key(given), KeySet::parse_hmac(secret.expose().as_bytes()))
        });
        [public, hmac_key, hmac_set].into_iter().flatten().fold(KeySet::default(), KeySet::join)
    }

    fn public_keys(&mut self, key: &KeyPath, path: &str) -> Option<KeySet> {
        let (file, bytes) = self.named_bytes(key, path)?;
        match KeySet::parse_public(&bytes) {
            Ok(keys) => Some(keys),
            Err(problem) => {
                self.fault_inside(key, &file, None, Fault::Invalid(Box::new(problem)));
                None
            }
        }
    }

    /// Where `pkc_jwkset_path` is a URL. `None`: it is not, or what is wrong has been recorded.
    pub(super) fn issuer(&mut self, key: &KeyPath, document: &JwtRealmDocument) -> Option<IssuerSettings> {
        let path_key = key.key("pkc_jwkset_path");
        let Some(url) = document.pkc_jwkset_path.as_deref().filter(|path| KeySetUrl::is_meant(path)) else {
            let given = [
                ("http", document.http.is_some()),
                ("ssl", document.ssl.is_some()),
                ("pkc_jwkset_reload", document.pkc_jwkset_reload.is_some()),
            ];
            for (name, _) in given.into_iter().filter(|(_, given)| *given) {
                self.fault(&key.key(name), Fault::Needs { other: "pkc_jwkset_path: https://...".to_owned() });
            }
            return None;
        };
        self.note(&path_key, "the keys are fetched while mlgate serve runs, and were not looked at");
        let http = document.http.unwrap_or_default();
        self.positive(&key.key("http").key("connect_timeout"), http.connect_timeout);
        self.positive(&key.key("http").key("socket_timeout"), http.socket_timeout);
        let url = self.parsed(&path_key, KeySetUrl::parse(url));
        let intervals = self.intervals(&key.key("pkc_jwkset_reload"), document);
        let tls = self.issuer_tls(&key.key("ssl"), document);
        Some(IssuerSettings {
            url: url?,
            tls: tls?,
            connect_timeout: http.connect_timeout.0,
            fetch_timeout: http.socket_timeout.0,
            intervals,
        })
    }

    fn intervals(&mut self, key: &KeyPath, document: &JwtRealmDocument) -> Intervals {
        let reload = document.pkc_jwkset_reload.unwrap_or_default();
        self.positive(&key.key("url_interval_min"), reload.url_interval_min);
        let mut ordered = |(less_name, less): (&str, Period), (more_name, more): (&str, Period)| {
            if more.0 < less.0 {
                self.unexpected(&key.key(more_name), &more.to_string(), &format!("at least [{less_name}]"));
            }
        };
        let longest = ("url_interval_max", reload.url_interval_max);
        ordered(("url_interval_min", reload.url_interval_min), longest);
        ordered(longest, ("max_staleness", reload.max_staleness));
        Intervals {
            min: reload.url_interval_min.0,
            max: reload.url_interval_max.0,
            asked: ASKED_INTERVAL,
            retry: RETRY_INTERVAL,
            staleness_max: reload.max_staleness.0,
        }
    }

    fn issuer_tls(&mut self, key: &KeyPath, document: &JwtRealmDocument) -> Option<IssuerTls> {
        let ssl = document.ssl.clone().unwrap_or_default();
        let before = self.problems.len();
        let authorities_key = key.key("certificate_authorities");
        let mut authorities = Vec::new();
        for (index, file) in ssl.certificate_authorities.iter().enumerate() {
            authorities.extend(self.certificates(&authorities_key.index(index), file).unwrap_or_default());
        }
        if self.problems.len() > before {
            return None;
        }
        let verification = match ssl.verification_mode {
            KeySetVerification::Full => Verification::Full,
            KeySetVerification::Certificate => Verification::Certificate,
        };
        let ders = authorities.iter().map(|authority| authority.der().clone()).collect();
        match tls::client_config(authorities, verification, None, None) {
            Ok(client) => Some(IssuerTls {
                client: Arc::new(client),
                authorities: ders,
                checks_name: verification == Verification::Full,
            }),
            Err(fault) => {
                self.fault(key, Fault::Tls(fault));
                None
            }
        }
    }
}
