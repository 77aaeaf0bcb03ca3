//! Many items at once, a bounded number at a time; one bad item does not stop the rest.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;

use super::{Event, Pace, Progress, milliseconds_until, paused};
use crate::elasticsearch::client::{Client, ClientError};

/// What ids of jobs and datafeeds have beside letters and digits stays as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// So much before its time a cluster may say that the time is over: it was given whole milliseconds, and has a clock of its own.
const EARLY: Duration = Duration::from_millis(10);

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
}

/// A job or a datafeed of a wave.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: String,
    /// Further parameters of its own, such as `&end=1700000000000`.
    pub(super) parameters: String,
}

/// How an item ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) id: String,
    pub(super) problem: Option<String>,
}

impl Item {
    pub(super) const fn plain(id: String) -> Self {
        Self { id, parameters: String::new() }
    }
}

impl Wave {
    /// Sends the request for each item.
    ///
    /// Each has a deadline of its own: its fair share of the time when not all go at once, so that some that hang leave
    /// time for the rest. What was late then gets what is left of the time.
    pub(super) async fn run(
        self,
        client: &Client,
        items: Vec<Item>,
        pace: &Pace,
        deadline: Instant,
        progress: &impl Progress,
    ) -> Vec<Ended> {
        if items.is_empty() {
            return Vec::new();
        }
        progress.tell(Event::Wave { name: self.name, items: items.len() });
        let rounds = u32::try_from(items.len().div_ceil(pace.at_once)).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / rounds.max(1);
        let sent = stream::iter(items).map(|item| async move {
            let own = deadline.min(Instant::now() + share);
            let problem = self.send(client, &item, pace, own).await.err();
            let late = problem.is_some() && Instant::now() + EARLY >= own && own < deadline;
            if late {
                progress.tell(Event::Late { id: &item.id });
                return Err(item);
            }
            Ok(ended(item.id, problem, progress))
        });
        let (mut all, mut late) = (Vec::new(), Vec::new());
        for outcome in sent.buffer_unordered(pace.at_once).collect::<Vec<_>>().await {
            match outcome {
                Ok(ended) => all.push(ended),
                Err(item) => late.push(item),
            }
        }
        let again = stream::iter(late).map(|item| async move {
            let problem = self.send(client, &item, pace, deadline).await.err();
            ended(item.id, problem, progress)
        });
        all.extend(again.buffer_unordered(pace.at_once).collect::<Vec<_>>().await);
        progress.tell(Event::WaveEnded);
        all
    }

    /// Sends again when the connection breaks: every action here may be sent twice.
    async fn send(self, client: &Client, item: &Item, pace: &Pace, deadline: Instant) -> Result<(), ClientError> {
        loop {
            let id = utf8_percent_encode(&item.id, ESCAPED);
            let (folder, action, left) = (self.folder, self.action, milliseconds_until(deadline));
            let target = format!("{folder}{id}/{action}?timeout={left}{}{}", self.parameters, item.parameters);
            match client.post(&target, deadline + super::LOOK_MAX).await {
                Ok(_) => return Ok(()),
                Err(failure) if failure.may_pass() && paused(pace, deadline).await => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}

fn ended(id: String, problem: Option<ClientError>, progress: &impl Progress) -> Ended {
    let problem = problem.map(|failure| failure.to_string());
    progress.tell(Event::Item { id: &id, outcome: problem.as_deref().unwrap_or("done") });
    Ended { id, problem }
}
