//! What a pki realm relies on.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use regex_lite::Regex;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;

use super::distinguished_name::{DistinguishedName, keywords, oid_of};
use super::refusal::Refusal;

/// Settings of one pki realm; names as in Elasticsearch.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub username: Username,
    /// `None`: whoever the listener lets in.
    pub trust: Option<Trust>,
}

/// Where in the subject the user name stands.
#[derive(Clone, Debug)]
pub enum Username {
    /// `username_pattern`: the first group over the whole text, without case.
    Pattern(Regex),
    /// `username_rdn_name`, `username_rdn_oid`: the value of an attribute, by its identifier such as `2.5.4.3`.
    Attribute(String),
}

/// Why a setting names no part of a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameProblem {
    #[error("[{0}] is not a regular expression that mlgate can run")]
    NotRegular(String),
    #[error("[{0}] needs a group: what is the user name")]
    NoGroup(String),
    #[error("[{found}] is not the name of an attribute; expected one of [{}]", keywords().collect::<Vec<_>>().join(", "))]
    UnknownAttribute { found: String },
    #[error("[{0}] is not an object identifier, such as [2.5.4.3]")]
    NotOid(String),
}

impl Username {
    /// Takes a regular expression with a group, such as `CN=(.*?)(?:,|$)`.
    ///
    /// # Errors
    /// What is no regular expression, or has no group.
    pub fn pattern(text: &str) -> Result<Self, UsernameProblem> {
        let regex = Regex::new(&format!("(?i:{text})")).map_err(|_| UsernameProblem::NotRegular(text.to_owned()))?;
        // Alone as well, so that a text which closes the group itself is found.
        Regex::new(text).map_err(|_| UsernameProblem::NotRegular(text.to_owned()))?;
        match regex.captures_len() {
            0 | 1 => Err(UsernameProblem::NoGroup(text.to_owned())),
            _ => Ok(Self::Pattern(regex)),
        }
    }

    /// Takes the name of an attribute in any case, such as `CN`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn attribute_name(name: &str) -> Result<Self, UsernameProblem> {
        let oid = oid_of(name).ok_or_else(|| UsernameProblem::UnknownAttribute { found: name.to_owned() })?;
        Ok(Self::Attribute(oid.to_owned()))
    }

    /// Takes an object identifier, such as `2.5.4.3`.
    ///
    /// # Errors
    /// What is none.
    pub fn attribute_oid(oid: &str) -> Result<Self, UsernameProblem> {
        let number = |arc: &str| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit());
        let arcs: Vec<_> = oid.split('.').collect();
        let valid = arcs.len() > 1 && arcs.iter().all(|arc| number(arc) && (*arc == "0" || !arc.starts_with('0')));
        if valid { Ok(Self::Attribute(oid.to_owned())) } else { Err(UsernameProblem::NotOid(oid.to_owned())) }
    }

    /// The user name in a subject; `None` if it has none.
    ///
    /// # Errors
    /// A name that is a piece of a value, or stands there twice.
    ///
    /// Elasticsearch before 8.19.8, 9.1.8 and 9.2.2 takes `elastic` from `OU="CN=elastic,", CN=jane`
    /// (GHSA-m9gh-789g-q5pv), and the pattern still does.
    pub(super) fn find<'a>(&self, subject: &'a DistinguishedName) -> Result<Option<&'a str>, Refusal> {
        let name = match self {
            Self::Attribute(oid) => subject.attribute(oid)?,
            Self::Pattern(regex) => {
                let Some(captures) = regex.captures(&subject.text) else { return Ok(None) };
                let Some((all, name)) = captures.get(0).zip(captures.get(1)) else { return Ok(None) };
                let places = [all.start(), name.start(), name.end()];
                if places.into_iter().any(|place| subject.splits_value(place)) {
                    return Err(Refusal::PieceOfValue);
                }
                Some(name.as_str())
            }
        };
        Ok(name.filter(|name| !name.trim().is_empty()))
    }
}

/// Authorities of the realm's own: `certificate_authorities`.
#[derive(Clone)]
pub struct Trust(Arc<dyn ClientCertVerifier>);

impl Trust {
    pub fn new(verifier: Arc<dyn ClientCertVerifier>) -> Self {
        Self(verifier)
    }

    /// Whether a chain, the leaf first, leads to one of the authorities.
    pub(super) fn accepts(&self, chain: &[CertificateDer<'_>], now: SystemTime) -> bool {
        accepts(self.0.as_ref(), chain, now)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Trust")
    }
}

/// Whether a verifier takes a chain, the leaf first, at some time.
pub(super) fn accepts(verifier: &dyn ClientCertVerifier, chain: &[CertificateDer<'_>], now: SystemTime) -> bool {
    let Some((leaf, intermediates)) = chain.split_first() else { return false };
    let Ok(since) = now.duration_since(SystemTime::UNIX_EPOCH) else { return false };
    verifier.verify_client_cert(leaf, intermediates, UnixTime::since_unix_epoch(since)).is_ok()
}
