//! Whether an acknowledgement is true: what the cluster's `_ml/info` and `_tasks` say.
//!
//! A bare cluster answers a request that changes nothing at once, even while tasks of an earlier one still write.
//!
//! Source: elasticsearch, `AbstractTransportSetUpgradeModeAction.java`, `TransportListTasksAction.java`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header};
use tokio::time::{Instant, sleep_until};

use super::fence::Gate;
use crate::elasticsearch::proof::{INFO, TASKS, idle, mode};
use crate::upstream::UpstreamError;

pub use crate::elasticsearch::proof::Unverified;

const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A look that begins may take this long, also when the caller's time is over.
const LOOK_MAX: Duration = Duration::from_secs(10);

impl Gate {
    /// Looks until the cluster proves that the switch is complete, at most until `deadline`, but at least once.
    ///
    /// # Errors
    /// The last thing that stood against it.
    pub(super) async fn verify(&self, enabled: bool, caller: &HeaderMap, deadline: Instant) -> Result<(), Unverified> {
        let mut pause = PAUSE_FIRST;
        loop {
            let Err(against) = self.proved(enabled, caller).await else { return Ok(()) };
            let next = Instant::now() + pause;
            if next >= deadline {
                return Err(against);
            }
            sleep_until(next).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn proved(&self, enabled: bool, caller: &HeaderMap) -> Result<(), Unverified> {
        let mode = mode_of(&self.ask(INFO, caller).await?)?;
        if mode != enabled {
            return Err(Unverified::ModeIs(mode));
        }
        // Tasks run again after disabling; which ones do is told by `upgrade-mode status`.
        if enabled { idle_of(&self.ask(TASKS, caller).await?) } else { Ok(()) }
    }

    /// Reads the cluster's flag with the gateway's own credentials.
    pub(super) async fn mode(&self) -> Result<bool, Unverified> {
        mode_of(&self.ask(INFO, &HeaderMap::new()).await?)
    }

    /// A GET with the gateway's credentials, or the caller's where it has none.
    async fn ask(&self, request: &'static str, caller: &HeaderMap) -> Result<Response<Bytes>, Unverified> {
        let mut get = Request::new(Bytes::new());
        *get.uri_mut() = Uri::from_static(request);
        let control = self.control();
        match &control.credentials {
            Some(own) => own.authorize(get.headers_mut()),
            None => copy_credentials(caller, get.headers_mut()),
        }
        let deadline = Instant::now() + LOOK_MAX;
        let answer = control.client.request(get, deadline.into_std()).await;
        answer.map_err(|failure| Unverified::NoProof { request, why: told(&failure) })
    }
}

fn copy_credentials(from: &HeaderMap, to: &mut HeaderMap) {
    for name in ["authorization", "es-client-authentication", "es-security-runas-user"] {
        if let Some(value) = from.get(name) {
            to.insert(name, value.clone());
        }
    }
    to.insert(header::ACCEPT, http::HeaderValue::from_static("application/json"));
}

fn told(failure: &UpstreamError) -> String {
    failure.to_string()
}

fn mode_of(answer: &Response<Bytes>) -> Result<bool, Unverified> {
    mode(answer.status(), answer.body())
}

fn idle_of(answer: &Response<Bytes>) -> Result<(), Unverified> {
    idle(answer.status(), answer.body())
}
