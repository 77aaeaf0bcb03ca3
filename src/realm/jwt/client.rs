//! `ES-Client-Authentication`: who may present tokens.

use std::time::Instant;

use super::refusal::Refusal;
use super::settings::ClientAuthentication;
use crate::secret::Secret;

/// Scheme and space before the secret.
const SCHEME: &[u8] = b"SharedSecret ";

/// The secret that clients show beside a token, and the one before it for a while.
pub(super) struct ClientSecret {
    present: Secret<Vec<u8>>,
    retired: Option<Retired>,
}

#[derive(Clone)]
struct Retired {
    secret: Secret<Vec<u8>>,
    until: Instant,
}

impl ClientSecret {
    /// `None` where clients need none. `earlier`: what was good before a reload at the moment `now`.
    pub(super) fn new(settings: &ClientAuthentication, earlier: Option<&Self>, now: Instant) -> Option<Self> {
        let ClientAuthentication::SharedSecret { secret, rotation_grace_period } = settings else { return None };
        let retired = earlier.and_then(|earlier| {
            if earlier.present.matches(secret.expose()) {
                return earlier.retired.clone();
            }
            let until = now.checked_add(*rotation_grace_period)?;
            Some(Retired { secret: earlier.present.clone(), until })
        });
        Some(Self { present: secret.clone(), retired })
    }

    /// Checks `SharedSecret <secret>`, in constant time. Says until when it is good, if that is known.
    ///
    /// Source: Elasticsearch, `JwtRealm`, `client_authentication.rotation_grace_period`.
    pub(super) fn check(&self, header: Option<&[u8]>, instant: Instant) -> Result<Option<Instant>, Refusal> {
        let (scheme, presented) =
            header.and_then(|header| header.split_at_checked(SCHEME.len())).ok_or(Refusal::ClientAuthentication)?;
        let present = self.present.matches(presented);
        let retired = self.retired.as_ref().filter(|retired| retired.secret.matches(presented));
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(Refusal::ClientAuthentication);
        }
        match retired.map(|retired| retired.until) {
            _ if present => Ok(None),
            Some(until) if instant < until => Ok(Some(until)),
            Some(_) | None => Err(Refusal::ClientAuthentication),
        }
    }
}
