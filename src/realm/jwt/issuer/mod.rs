//! Keys that an issuer publishes by HTTPS: fetched in the background, read by workers as an immutable view.
//!
//! **Invariant**: what a stranger presents causes one fetch at a time and one an interval, whatever it is. A key that the
//! issuer has withdrawn verifies nothing, and what it has verified is forgotten.

mod fetch;
mod lifetime;
mod settings;
mod timing;
mod waiting;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use self::fetch::{FetchProblem, Fetched, fetch};
use self::timing::Timing;
use self::waiting::{Fetches, Places};
use super::keys::KeySet;
use crate::telemetry::clock;
use crate::upstream::chain;

pub use settings::{Intervals, IssuerSettings, IssuerTls, KeySetUrl, KeySetUrlProblem};
pub use waiting::WAIT_MAX;

/// The published keys of one realm.
pub struct IssuerKeys {
    realm: String,
    settings: IssuerSettings,
    view: ArcSwap<View>,
    /// Somebody has a token of an unknown key.
    asked: Notify,
    fetches: watch::Sender<Fetches>,
    places: Places,
}

/// What is known at a moment.
#[derive(Clone)]
struct View {
    keys: KeySet,
    /// Of the last good answer.
    good: Option<Good>,
    timing: Timing,
    /// Why the last fetch came to nothing.
    problem: Option<String>,
    fetched: u64,
    failed: u64,
}

#[derive(Clone, Copy)]
struct Good {
    began: Instant,
    /// The issuer's keys were these at that moment, by the wall clock.
    as_of: SystemTime,
}

/// What an operator wants to know of a key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetStatus {
    pub state: KeySetState,
    pub keys: usize,
    /// Seconds since the last good fetch.
    pub age_seconds: Option<u64>,
    /// Why the last fetch came to nothing.
    pub problem: Option<String>,
    /// Fetches so far, good and bad.
    pub fetched: u64,
    pub failed: u64,
}

/// Whether the keys can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetState {
    /// None has been fetched so far.
    Missing,
    /// The last fetch was good.
    Current,
    /// The last fetch was not; the keys of an earlier one are used.
    Stale,
    /// No fetch was good for too long; there are no keys.
    Expired,
}

impl KeySetState {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Current => "current",
            Self::Stale => "stale",
            Self::Expired => "expired",
        }
    }
}

impl IssuerKeys {
    /// Without keys, or with those of `earlier` if it has asked the same server. [`IssuerKeys::follow`] fetches them.
    pub(super) fn new(realm: &str, settings: IssuerSettings, earlier: Option<&Self>) -> Self {
        let timing = Timing::now(Instant::now());
        let kept = earlier.filter(|earlier| earlier.settings.trusts_the_same(&settings));
        let view = match kept {
            Some(earlier) => View { timing, ..View::clone(&earlier.view.load()) },
            None => View { keys: KeySet::default(), good: None, timing, problem: None, fetched: 0, failed: 0 },
        };
        Self {
            realm: realm.to_owned(),
            settings,
            view: ArcSwap::from_pointee(view),
            asked: Notify::new(),
            fetches: watch::Sender::default(),
            places: Places::default(),
        }
    }

    /// The name of the realm.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Looks into the keys of this moment.
    pub(super) fn look<T>(&self, into: impl FnOnce(&KeySet) -> T) -> T {
        into(&self.view.load().keys)
    }

    /// When the issuer last said which keys it has.
    pub(super) fn as_of(&self) -> Option<SystemTime> {
        Some(self.view.load().good?.as_of)
    }

    pub fn status(&self) -> KeySetStatus {
        let view = self.view.load();
        let state = match (view.good, &view.problem) {
            (None, _) => KeySetState::Missing,
            (Some(_), None) => KeySetState::Current,
            (Some(_), Some(_)) if view.keys.is_empty() => KeySetState::Expired,
            (Some(_), Some(_)) => KeySetState::Stale,
        };
        KeySetStatus {
            state,
            keys: view.keys.len(),
            age_seconds: view.good.map(|good| good.began.elapsed().as_secs()),
            problem: view.problem.clone(),
            fetched: view.fetched,
            failed: view.failed,
        }
    }

    /// Fetches the keys, and again when it is time or somebody asks; runs until it is dropped.
    pub async fn follow(&self) -> Infallible {
        loop {
            self.until_due().await;
            let began = Instant::now();
            let asked_at = clock::now();
            self.fetches.send_modify(Fetches::begin);
            match fetch(&self.settings).await {
                Ok(fetched) => self.replace(fetched, began, asked_at),
                Err(problem) => self.keep(&problem),
            }
            self.fetches.send_modify(Fetches::end);
        }
    }

    async fn until_due(&self) {
        let timing = self.view.load().timing;
        let asked = async {
            self.asked.notified().await;
            sleep_until(timing.earliest).await;
        };
        tokio::select! {
            () = sleep_until(timing.due) => {}
            () = asked => {}
        }
    }

    fn replace(&self, fetched: Fetched, began: Instant, asked_at: SystemTime) {
        let Fetched { keys, unusable, lifetime } = fetched;
        let earlier = self.view.load_full();
        let keys = keys.keeping(&earlier.keys);
        let as_of = asked_at.checked_sub(lifetime.age).unwrap_or(asked_at);
        let (added, withdrawn) = (keys.ids_beyond(&earlier.keys), earlier.keys.ids_beyond(&keys));
        self.view.store(Arc::new(View {
            keys: keys.clone(),
            good: Some(Good { began, as_of }),
            timing: Timing::after_success(&self.settings.intervals, began, Instant::now(), lifetime.fresh),
            problem: None,
            fetched: earlier.fetched + 1,
            failed: earlier.failed,
        }));
        earlier.keys.withdraw_beyond(&keys);
        let (realm, changed) = (&self.realm, !added.is_empty() || !withdrawn.is_empty());
        if changed || earlier.problem.is_some() {
            tracing::info!(realm, keys = keys.len(), ?added, ?withdrawn, "key set fetched");
        }
        for problem in unusable.iter().filter(|_| changed) {
            tracing::warn!(realm, %problem, "a key of the issuer cannot be used");
        }
    }

    fn keep(&self, problem: &FetchProblem) {
        let (earlier, now) = (self.view.load_full(), Instant::now());
        let problem = chain(problem);
        let expiry = earlier.good.map(|good| good.began + self.settings.intervals.staleness_max);
        let expired = expiry.is_some_and(|expiry| expiry <= now);
        let keys = if expired { KeySet::default() } else { earlier.keys.clone() };
        let (realm, in_use) = (&self.realm, keys.len());
        if expired && !earlier.keys.is_empty() {
            tracing::error!(realm, problem, "the issuer has been silent for too long: its tokens are refused");
        } else {
            tracing::warn!(realm, problem, keys = in_use, "the key set of the issuer cannot be fetched");
        }
        self.view.store(Arc::new(View {
            timing: earlier.timing.after_failure(&self.settings.intervals, now, expiry),
            problem: Some(problem),
            failed: earlier.failed + 1,
            keys: keys.clone(),
            ..View::clone(&earlier)
        }));
        earlier.keys.withdraw_beyond(&keys);
    }
}
