//! The state of an open job, and what is done with it.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use super::command::{Command, FeedPage, Flush};
use super::counts::DataCounts;
use super::documents::{self, Finality};
use super::progress::{Position, Progress};
use super::surroundings::Surroundings;
use super::{Task, snapshot};
use crate::node::documents::{Cursor, TimedDocument};
use crate::node::http::ApiError;
use crate::node::ml::configuration::{Job, TimeFormat};
use crate::node::ml::detector::{Acceptance, BucketOutcome, Engine, Record};
use crate::node::ml::problem::Problem;
use crate::node::ml::state_key;
use crate::node::ml::stored::read;
use crate::node::store::StoreError;

/// Result documents that are written at once.
const RESULTS_MAX: usize = 2000;
/// Records after which other tasks get their turn.
const TURN: usize = 500;

/// Why a command was not done; who asked has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stumble {
    /// The job was taken back to what is on disk, and goes on.
    Reloaded,
    /// The task is no longer ours.
    Lost,
}

/// Who gave what finishes a bucket.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Caller,
    /// `last` is the document before it: results that are written before the page is done say that the datafeed stands there.
    Datafeed {
        last: Option<&'a TimedDocument>,
    },
}

/// A job's model, its counters, and the results that are not written yet.
pub(crate) struct Work {
    pub(super) task: Task,
    pub(super) job: Arc<Job>,
    pub(super) engine: Engine,
    pub(super) progress: Progress,
    surroundings: Surroundings,
    pub(super) results: Vec<(String, Value)>,
    /// Whether the models differ from those that were written last.
    pub(super) learned: bool,
}

impl Work {
    /// Takes up what the last batch left, or what the last close saved.
    ///
    /// # Errors
    /// The state cannot be read.
    pub(crate) async fn load(task: Task) -> Result<Self, ApiError> {
        let metadata = task.parts.cluster.now();
        let job = Arc::clone(metadata.job(&task.job_id)?);
        let core = task.parts.cluster.core();
        let progress: Progress = read(core, &state_key::progress(&job.id))?.unwrap_or_default();
        let unfinished = read(core, &state_key::unfinished(&job.id))?;
        let learned = read(core, &state_key::learned(&job.id))?;
        // Models that are in a snapshot only are written with the first batch.
        let unwritten = learned.is_none();
        let engine = match (learned, unfinished, job.snapshot_id()) {
            (learned, Some(unfinished), _) => {
                Engine::restore(job.plan.clone(), learned.unwrap_or_default(), unfinished)
            }
            (_, None, Some(id)) => snapshot::load(core, &job, id)?,
            (_, None, None) => Engine::new(job.plan.clone()),
        };
        let (surroundings, results) = (Surroundings::default(), Vec::new());
        let mut work = Self { task, job, engine, progress, surroundings, results, learned: unwritten };
        work.look_around();
        if let Err(problem) = work.give_up_forecasts().await {
            tracing::warn!(job = %work.job.id, reason = problem.reason(), "forecasts that were cut off are not marked");
        }
        Ok(work)
    }

    /// Takes up what has changed of the job's configuration, of filters and calendars.
    pub(super) fn look_around(&mut self) {
        let metadata = self.task.parts.cluster.now();
        if let Some(job) = metadata.jobs.get(&self.job.id).filter(|job| !Arc::ptr_eq(job, &self.job)) {
            if job.plan != self.job.plan {
                self.engine = Engine::restore(job.plan.clone(), self.engine.learned(), self.engine.unfinished());
                self.surroundings = Surroundings::default();
            }
            self.job = Arc::clone(job);
        }
        self.surroundings.update(&mut self.engine, &self.job, &metadata);
    }

    /// Does what is asked, answers when it is on disk. After a failed write the job goes on from what is on disk.
    ///
    /// # Errors
    /// [`Stumble`].
    pub(crate) async fn obey(&mut self, command: Command) -> Result<(), Stumble> {
        self.look_around();
        // Who asked may have gone away; what was done stands all the same.
        match command {
            Command::Post { records, input_bytes, reply } => {
                let done = self.post(&records, input_bytes).await;
                let (answer, outcome) = self.settle(done).await;
                let _ = reply.send(answer);
                outcome
            }
            Command::Feed { page, reply } => {
                let done = self.feed(page).await;
                let (answer, outcome) = self.settle(done).await;
                let _ = reply.send(answer);
                outcome
            }
            Command::Flush { flush, reply } => {
                let done = self.flush(flush).await;
                let (answer, outcome) = self.settle(done).await;
                let _ = reply.send(answer);
                outcome
            }
            Command::Forecast { id, wanted, reply } => {
                let (answer, outcome) = match self.prepare(&id, &wanted) {
                    Err(problem) => (Err(problem), Ok(())),
                    Ok(forecasting) => {
                        let done = self.forecast(forecasting).await;
                        self.settle(done).await
                    }
                };
                let _ = reply.send(answer);
                outcome
            }
        }
    }

    async fn settle<T>(&mut self, done: Result<T, StoreError>) -> (Result<T, ApiError>, Result<(), Stumble>) {
        let problem = match done {
            Ok(answer) => return (Ok(answer), Ok(())),
            Err(problem) => problem,
        };
        if matches!(problem, StoreError::Expectation { .. }) {
            return (Err(Problem::JobNotOpen(self.job.id.clone()).into()), Err(Stumble::Lost));
        }
        tracing::warn!(job = %self.job.id, %problem, "a batch of the job was not written");
        match Self::load(self.task.clone()).await {
            Ok(work) => *self = work,
            Err(_) => return (Err(problem.into()), Err(Stumble::Lost)),
        }
        (Err(problem.into()), Err(Stumble::Reloaded))
    }

    async fn post(&mut self, records: &[Map<String, Value>], input_bytes: u64) -> Result<DataCounts, StoreError> {
        let before = self.progress.counts.clone();
        self.progress.counts.input_bytes += input_bytes;
        for (index, fields) in records.iter().enumerate() {
            self.progress.counts.input_record_count += 1;
            // The time is not counted.
            self.progress.counts.input_field_count += fields.len().saturating_sub(1) as u64;
            match self.time_of(fields) {
                Some(time_ms) => {
                    self.take(&Record { time_ms, fields }, Origin::Caller).await?;
                }
                None => self.progress.counts.invalid_date_count += 1,
            }
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        self.touch();
        self.commit().await?;
        Ok(self.progress.counts.since(&before))
    }

    async fn feed(&mut self, page: FeedPage) -> Result<(), StoreError> {
        let mut last: Option<&TimedDocument> = None;
        for (index, document) in page.documents.iter().enumerate() {
            let Some(fields) = document.source.as_object() else { continue };
            let record = Record { time_ms: document.time_ms, fields };
            let found = self.take(&record, Origin::Datafeed { last }).await?;
            // After it was taken: what is written while its predecessors' buckets are finished does not count it yet.
            self.progress.counts.input_record_count += 1;
            self.progress.counts.input_bytes += document.source_bytes as u64;
            self.progress.counts.input_field_count += found;
            last = Some(document);
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        if let Some(advance_ms) = page.advance_ms {
            while let Some(bucket) = self.finish_next(advance_ms) {
                self.keep(&bucket, Origin::Datafeed { last }).await?;
            }
            self.engine.advance(advance_ms);
        }
        if !page.documents.is_empty() {
            self.touch();
        }
        self.progress.position = Some(page.position);
        let interim = if page.calc_interim { self.engine.interim() } else { Vec::new() };
        self.commit_with(&interim).await
    }

    async fn flush(&mut self, flush: Flush) -> Result<Option<i64>, StoreError> {
        if let Some(skip_ms) = flush.skip_ms {
            self.engine.skip(skip_ms);
            self.touch();
        }
        if let Some(advance_ms) = flush.advance_ms {
            while let Some(bucket) = self.finish_next(advance_ms) {
                self.keep(&bucket, Origin::Caller).await?;
            }
            self.engine.advance(advance_ms);
            self.touch();
        }
        let interim = if flush.calc_interim { self.engine.interim() } else { Vec::new() };
        self.commit_with(&interim).await?;
        Ok(self.engine.finished_until_ms())
    }

    /// Finishes the buckets before the record, then counts it; gives how many of the job's fields it has.
    async fn take(&mut self, record: &Record<'_>, origin: Origin<'_>) -> Result<u64, StoreError> {
        while let Some(bucket) = self.finish_next(record.time_ms) {
            self.keep(&bucket, origin).await?;
        }
        let wanted = &self.job.fields;
        let found = wanted.iter().filter(|field| record.has(field)).count() as u64;
        let counts = &mut self.progress.counts;
        match self.engine.accept(record) {
            Acceptance::OutOfOrder => counts.out_of_order_timestamp_count += 1,
            Acceptance::Taken => {
                counts.missing_field_count += wanted.len() as u64 - found;
                counts.processed_record_count += 1;
                counts.processed_field_count += found;
            }
        }
        counts.saw(record.time_ms);
        Ok(found)
    }

    fn finish_next(&mut self, time_ms: i64) -> Option<BucketOutcome> {
        self.timed(|engine| engine.finish_before(time_ms))
    }

    /// Finishes a bucket and counts how long it took.
    pub(super) fn timed(&mut self, finish: impl FnOnce(&mut Engine) -> Option<BucketOutcome>) -> Option<BucketOutcome> {
        let begun = Instant::now();
        let bucket = finish(&mut self.engine)?;
        self.progress.timing.add(begun.elapsed().as_secs_f64() * 1000.0, bucket.start_ms);
        Some(bucket)
    }

    /// Notes the results of a finished bucket; writes when there are many.
    async fn keep(&mut self, bucket: &BucketOutcome, origin: Origin<'_>) -> Result<(), StoreError> {
        self.note(bucket);
        self.progress.fed_buckets += u64::from(matches!(origin, Origin::Datafeed { .. }));
        if self.results.len() < RESULTS_MAX {
            return Ok(());
        }
        if let Origin::Datafeed { last: Some(TimedDocument { time_ms, index, id, .. }) } = origin {
            let position =
                self.progress.position.get_or_insert_with(|| Position { from_ms: *time_ms, ..Position::default() });
            position.cursor = Some(Cursor { time_ms: *time_ms, index: index.to_string(), id: id.clone() });
        }
        self.commit().await
    }

    pub(super) fn note(&mut self, bucket: &BucketOutcome) {
        let counts = &mut self.progress.counts;
        counts.bucket_count += 1;
        counts.latest_bucket_timestamp = Some(bucket.start_ms);
        if bucket.event_count == 0 {
            counts.empty_bucket_count += 1;
            counts.latest_empty_bucket_timestamp = Some(bucket.start_ms);
        }
        self.learned = true;
        self.results.extend(documents::of_bucket(&self.job, bucket, Finality::Final));
    }

    fn touch(&mut self) {
        let now_ms = self.task.parts.cluster.core().clock.now_ms();
        self.progress.counts.last_data_time = Some(now_ms);
        self.progress.changed_ms = Some(now_ms);
    }

    fn time_of(&self, fields: &Map<String, Value>) -> Option<i64> {
        let number = Record { time_ms: 0, fields }.number(&self.job.time_field)?;
        let time_ms = if self.job.time_format == TimeFormat::Epoch { number * 1000.0 } else { number };
        // 9999-12-31: later times are mistakes in the unit.
        (time_ms.abs() < 253_402_300_800_000.0).then_some(time_ms as i64)
    }
}
