//! Whether an acknowledgement is true: what the cluster's `_ml/info`, `_tasks` and `_stats` say.
//!
//! A bare cluster answers a request that changes nothing at once, even while tasks of an earlier one still write.
//!
//! Source: elasticsearch, `AbstractTransportSetUpgradeModeAction.java`, `TransportListTasksAction.java`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use tokio::time::{Instant, sleep_until};

use super::fence::Gate;
use super::waiting::Running;
use crate::elasticsearch::proof::{INFO, TASKS, idle, mode};
use crate::elasticsearch::work::{self, Kind, Work};

pub use crate::elasticsearch::proof::Unverified;

const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A look that begins may take this long, also when the caller's time is over.
const LOOK_MAX: Duration = Duration::from_secs(10);

impl Gate {
    /// Looks until the cluster proves that the switch is complete, as long as somebody has time left, but at least once.
    ///
    /// # Errors
    /// The last thing that stood against it.
    pub(super) async fn verify(&self, running: &Running, caller: &HeaderMap) -> Result<(), Unverified> {
        let mut pause = PAUSE_FIRST;
        loop {
            let Err(against) = self.proved(running.enabled, caller).await else { return Ok(()) };
            let next = Instant::now() + pause;
            if next >= running.deadline() {
                return Err(against);
            }
            sleep_until(next).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// The flag, then what runs, then where it is assigned; the flag first, since what was idle before it proves nothing.
    ///
    /// # Errors
    /// What stands against it.
    pub(super) async fn proved(&self, enabled: bool, caller: &HeaderMap) -> Result<(), Unverified> {
        let mode = self.mode(caller).await?;
        if mode != enabled {
            return Err(Unverified::ModeIs(mode));
        }
        if enabled {
            let answer = self.ask(TASKS, caller).await?;
            idle(answer.status(), answer.body())?;
        }
        for kind in [Kind::Job, Kind::Datafeed] {
            let answer = self.ask(kind.request(), caller).await?;
            // Whoever may not look at it has the proof by the tasks.
            if !matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                work::agree(enabled, &work::read(kind, answer.status(), answer.body())?)?;
            }
        }
        Ok(())
    }

    /// All jobs and datafeeds as they are now.
    ///
    /// # Errors
    /// An answer that does not show all of them.
    pub(super) async fn work(&self, caller: &HeaderMap) -> Result<Vec<Work>, Unverified> {
        let mut shown = Vec::new();
        for kind in [Kind::Job, Kind::Datafeed] {
            let answer = self.ask(kind.request(), caller).await?;
            shown.extend(work::read(kind, answer.status(), answer.body())?);
        }
        Ok(shown)
    }

    /// Reads the cluster's flag.
    pub(super) async fn mode(&self, caller: &HeaderMap) -> Result<bool, Unverified> {
        let answer = self.ask(INFO, caller).await?;
        mode(answer.status(), answer.body())
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
        answer.map_err(|failure| Unverified::NoProof { request, why: failure.to_string() })
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
