//! Many items at once, a bounded number at a time; one bad item does not stop the rest.

use futures_util::{StreamExt as _, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;

use super::{Event, Pace, Progress, milliseconds_until, paused};
use crate::elasticsearch::client::{Client, ClientError};

/// What ids of jobs and datafeeds have beside letters and digits stays as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// What is sent for each item of a wave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wave {
    pub(super) name: &'static str,
    /// Before the id, such as `/_ml/datafeeds/`.
    pub(super) folder: &'static str,
    /// After it, such as `_stop`.
    pub(super) action: &'static str,
    /// Further parameters, such as `&force=true`.
    pub(super) parameters: &'static str,
    /// A 409 means that the item is so already.
    pub(super) conflict_is_done: bool,
}

/// How an item ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) id: String,
    pub(super) problem: Option<String>,
}

impl Wave {
    /// Sends the request for each id, each within `deadline`.
    pub(super) async fn run(
        self,
        client: &Client,
        ids: Vec<String>,
        pace: &Pace,
        deadline: Instant,
        progress: &impl Progress,
    ) -> Vec<Ended> {
        if ids.is_empty() {
            return Vec::new();
        }
        progress.tell(Event::Wave { name: self.name, items: ids.len() });
        let items = stream::iter(ids).map(|id| async move {
            let problem = self.send(client, &id, pace, deadline).await.err().map(|failure| failure.to_string());
            progress.tell(Event::Item { id: &id, outcome: problem.as_deref().unwrap_or("done") });
            Ended { id, problem }
        });
        let ended = items.buffer_unordered(pace.at_once).collect().await;
        progress.tell(Event::WaveEnded);
        ended
    }

    /// Sends again when the connection breaks: every action here may be sent twice.
    async fn send(self, client: &Client, id: &str, pace: &Pace, deadline: Instant) -> Result<(), ClientError> {
        loop {
            let id = utf8_percent_encode(id, ESCAPED);
            let (folder, action, left) = (self.folder, self.action, milliseconds_until(deadline));
            let target = format!("{folder}{id}/{action}?timeout={left}{}", self.parameters);
            match client.post(&target, deadline + super::LOOK_MAX).await {
                Ok(_) => return Ok(()),
                Err(failure) if self.conflict_is_done && failure.status().is_some_and(|it| it.as_u16() == 409) => {
                    return Ok(());
                }
                Err(failure) if failure.may_pass() && paused(pace, deadline).await => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}
