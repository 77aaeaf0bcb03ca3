//! The certificate of one connection, and what is known of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;

use super::refusal::Refusal;
use super::settings::accepts;
use crate::policy::Principal;

/// How long a listener's word on a chain holds: certificates and revocation lists run out while connections go on.
const RECHECK_INTERVAL: Duration = Duration::from_secs(60);

/// The chain that a caller has shown, the leaf first, with its key proved by the handshake.
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    standing: RefCell<Option<Standing>>,
    remembered: RefCell<Option<Remembered>>,
}

/// Whether the listener takes the chain.
struct Standing {
    /// Of the settings that were asked.
    generation: u64,
    until: Instant,
    good: bool,
}

/// What the pki realms said of the chain; `None`: nothing, it is not for them.
pub(in crate::realm) struct Remembered {
    pub(in crate::realm) generation: u64,
    pub(in crate::realm) renew_at: Instant,
    pub(in crate::realm) answer: Result<Option<Rc<Principal>>, Refusal>,
}

impl ClientCertificate {
    /// `None` for an empty chain.
    pub fn new(chain: Vec<CertificateDer<'static>>) -> Option<Self> {
        let certificate = Self { chain, standing: RefCell::default(), remembered: RefCell::default() };
        (!certificate.chain.is_empty()).then_some(certificate)
    }

    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Whether `verifier`, the listener's in settings of a generation, takes the chain. It is asked anew for each
    /// generation, and every minute.
    pub fn is_acceptable(
        &self,
        verifier: &dyn ClientCertVerifier,
        generation: u64,
        (now, instant): (SystemTime, Instant),
    ) -> bool {
        let mut standing = self.standing.borrow_mut();
        if let Some(standing) = standing.as_ref()
            && standing.generation == generation
            && instant < standing.until
        {
            return standing.good;
        }
        let good = accepts(verifier, &self.chain, now);
        *standing = Some(Standing { generation, until: instant + RECHECK_INTERVAL, good });
        good
    }

    /// What the realms said, or what `ask` finds now.
    pub(in crate::realm) fn answer(
        &self,
        generation: u64,
        instant: Instant,
        ask: impl FnOnce() -> Remembered,
    ) -> Result<Option<Rc<Principal>>, Refusal> {
        let mut remembered = self.remembered.borrow_mut();
        match remembered.as_ref() {
            Some(known) if known.generation == generation && instant < known.renew_at => known.answer.clone(),
            _ => remembered.insert(ask()).answer.clone(),
        }
    }
}
