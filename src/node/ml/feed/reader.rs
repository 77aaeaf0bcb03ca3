//! One step of a datafeed: read a page and give it to the job, wait, or end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::missing::MissingData;
use super::silence::Silence;
use super::{JobEnd, RETRY, Task};
use crate::node::documents::Page;
use crate::node::http::ApiError;
use crate::node::ml::configuration::{Datafeed, Job};
use crate::node::ml::job::{Command, FeedPage, Position, Progress};
use crate::node::ml::metadata::Metadata;
use crate::node::ml::notification::Level;
use crate::node::ml::persistent::Phase;
use crate::node::ml::problem::Problem;
use crate::node::ml::state_key;
use crate::node::ml::stored::read;

/// What a step came to.
pub(super) enum Step {
    /// A page was given to the job.
    Read,
    Wait(Duration),
    Done(JobEnd),
}

/// Reading up to this time would give nothing new.
fn reached_ms(position: &Position) -> i64 {
    position.cursor.as_ref().map_or(position.from_ms, |cursor| cursor.time_ms)
}

/// Where a started datafeed stands.
pub(super) struct Reader {
    datafeed: Arc<Datafeed>,
    job: Arc<Job>,
    frequency_ms: i64,
    position: Position,
    silence: Silence,
    missing: Option<MissingData>,
}

impl Reader {
    /// Continues where the job's state says, or from the start time if that is later.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn new(task: &Task, metadata: &Metadata) -> Result<Self, ApiError> {
        let datafeed = Arc::clone(metadata.datafeed(&task.datafeed_id)?);
        let job = Arc::clone(metadata.job(&datafeed.job_id)?);
        let progress: Progress = read(task.parts.cluster.core(), &state_key::progress(&job.id))?.unwrap_or_default();
        // Records that were posted before the datafeed ever ran are not read again either.
        let seen = progress.counts.latest_record_timestamp.map(|latest| latest.saturating_add(1));
        let start_ms = task.range.start_ms.unwrap_or(0);
        let position = match progress.position {
            Some(position) if reached_ms(&position) >= start_ms => position,
            Some(position) => Position { from_ms: start_ms, since_ms: start_ms, cursor: None, ..position },
            None => {
                let from_ms = start_ms.max(seen.unwrap_or(start_ms));
                Position { from_ms, since_ms: from_ms, ..Position::default() }
            }
        };
        let position = Position { real_time: false, ..position };
        let frequency_ms = datafeed.frequency_ms(job.plan.bucket_span_ms);
        let silence = Silence::new(progress.counts.input_record_count > 0, datafeed.max_empty_searches);
        // Buckets of summaries count what the documents stand for, not the documents.
        let counts_documents = job.plan.summary_count_field.is_none();
        let window_ms = datafeed.delayed_data_window_ms(job.plan.bucket_span_ms)?;
        let missing = window_ms.filter(|_| counts_documents).map(MissingData::new);
        Ok(Self { datafeed, job, frequency_ms, position, silence, missing })
    }

    pub(super) fn job_id(&self) -> &str {
        &self.job.id
    }

    pub(super) const fn frequency_ms(&self) -> i64 {
        self.frequency_ms
    }

    pub(super) async fn step(&mut self, task: &Task) -> Step {
        let now_ms = task.parts.cluster.core().clock.now_ms();
        let readable_ms = now_ms.saturating_sub(self.datafeed.query_delay_ms);
        let until_ms = task.range.end_ms.map_or(readable_ms, |end_ms| end_ms.min(readable_ms));
        let reached_ms = reached_ms(&self.position);
        if task.range.end_ms.is_some_and(|end_ms| reached_ms >= end_ms) {
            return Step::Done(JobEnd::Close);
        }
        let in_turn = self.position.real_time && self.position.cursor.is_none() && task.range.end_ms != Some(until_ms);
        let due_ms = reached_ms.saturating_add(if in_turn { self.frequency_ms } else { 1 });
        if until_ms < due_ms {
            return Step::Wait(Duration::from_millis(due_ms.saturating_sub(readable_ms).max(1).unsigned_abs()));
        }
        match self.read(task, until_ms).await {
            Ok(()) if self.silence.ends() => {
                tracing::warn!(datafeed = %self.datafeed.id, "the datafeed has never seen a document and stops");
                Step::Done(JobEnd::Close)
            }
            Ok(()) => Step::Read,
            Err(problem) => {
                if self.job_has_ended(task) {
                    return Step::Done(JobEnd::Keep);
                }
                tracing::warn!(datafeed = %self.datafeed.id, reason = problem.reason(), "the datafeed tries again");
                Step::Wait(RETRY)
            }
        }
    }

    async fn read(&mut self, task: &Task, until_ms: i64) -> Result<(), ApiError> {
        let begun = Instant::now();
        let documents = &task.parts.cluster.core().documents;
        let Datafeed { indices, query, scroll_size, .. } = &*self.datafeed;
        let (from_ms, cursor) = (self.position.from_ms, self.position.cursor.clone());
        let page =
            documents.range(indices, query, &self.job.time_field, from_ms, until_ms, cursor, *scroll_size).await?;
        let position = self.after(&page, until_ms, begun.elapsed());
        let found = !page.documents.is_empty();
        let ends = task.range.end_ms == Some(until_ms);
        let caught_up = position.cursor.is_none() && !ends;
        // In real time the absence of documents counts too: the buckets before `until_ms` are finished without them.
        let in_turn = caught_up && self.position.real_time;
        let advance_ms = in_turn.then_some(until_ms);
        let page =
            FeedPage { documents: page.documents, position: position.clone(), advance_ms, calc_interim: caught_up };
        let closed = || Problem::JobNotOpen(self.job.id.clone());
        let commands = task.parts.local.commands(&self.job.id).ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        commands.send(Command::Feed { page, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())??;
        let looked_back = !self.position.real_time && position.real_time;
        self.position = position;
        let news = match (looked_back, in_turn) {
            (true, _) => self.silence.looked_back(found, ends),
            (false, true) => self.silence.searched(found),
            (false, false) => self.silence.read(found),
        };
        for (level, message) in news {
            task.tell(&self.job.id, level, message).await;
        }
        if in_turn {
            self.look_for_missing(task).await;
        }
        Ok(())
    }

    fn after(&self, page: &Page, until_ms: i64, took: Duration) -> Position {
        let took_ms = took.as_secs_f64() * 1000.0;
        let mut position = self.position.clone();
        position.searches += 1;
        position.search_time_ms += took_ms;
        position.search_time.add(took_ms, page.documents.last().map(|document| document.time_ms));
        position.searched = Some((reached_ms(&self.position), until_ms));
        position.cursor = page.next.clone();
        if page.next.is_none() {
            position.from_ms = position.from_ms.max(until_ms);
            position.real_time = true;
        }
        position
    }

    /// The delayed data check, where it is due. That it cannot be done stops nothing: it is logged.
    async fn look_for_missing(&mut self, task: &Task) {
        let core = task.parts.cluster.core();
        let Some(missing) = self.missing.as_mut() else { return };
        if !missing.begin(core.clock.now_ms()) {
            return;
        }
        let since_ms = self.position.since_ms;
        let checked = async {
            let progress: Progress = read(core, &state_key::progress(&self.job.id))?.unwrap_or_default();
            match progress.counts.latest_bucket_timestamp {
                Some(latest_ms) => missing.check(core, &self.job, &self.datafeed, latest_ms, since_ms).await,
                None => Ok(None),
            }
        };
        match checked.await {
            Ok(None) => {}
            Ok(Some(message)) => task.tell(&self.job.id, Level::Warning, message).await,
            Err(problem) => {
                tracing::warn!(datafeed = %self.datafeed.id, reason = problem.reason(), "delayed data was not looked for");
            }
        }
    }

    fn job_has_ended(&self, task: &Task) -> bool {
        let metadata = task.parts.cluster.now();
        let phase = metadata.job_task(&self.job.id).map(|job| &job.phase);
        !matches!(phase, Some(Phase::Starting | Phase::Running))
    }
}
