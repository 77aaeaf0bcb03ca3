//! Puts what a job has made of its records on disk: results, counters, sizes, models, in one batch.

use std::sync::Arc;

use serde_json::Value;

use super::documents::{self, Finality};
use super::work::Work;
use crate::node::http::ApiError;
use crate::node::ml::detector::BucketOutcome;
use crate::node::ml::state_key;
use crate::node::ml::stored::bytes;
use crate::node::store::{Batch, Source, StoreError};

impl Work {
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        self.commit_with(&[]).await
    }

    pub(super) async fn commit_with(&mut self, interim: &[BucketOutcome]) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        self.stage(&mut batch, interim).map_err(|problem| unwritable(&problem))?;
        batch.put_state(state_key::unfinished(&self.job.id), json_bytes(&self.engine.unfinished())?);
        if self.learned {
            batch.put_state(state_key::learned(&self.job.id), json_bytes(&self.engine.learned())?);
        }
        self.write(batch).await?;
        self.learned = false;
        Ok(())
    }

    /// Writes a batch, as long as the task is ours.
    pub(super) async fn write(&self, mut batch: Batch) -> Result<(), StoreError> {
        let key = state_key::owner(&self.task.key());
        batch.expect_state(key, Some(state_key::owner_value(self.task.allocation).into()));
        let written = self.task.parts.cluster.core().store.commit(batch).await?.all();
        written.map(drop).map_err(|problem| unwritable(&problem.into()))
    }

    /// Puts results and counters into a batch.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub(super) fn stage(&mut self, batch: &mut Batch, interim: &[BucketOutcome]) -> Result<(), ApiError> {
        let job = Arc::clone(&self.job);
        let index = &job.results_index;
        for id in self.progress.interim.drain(..) {
            batch.delete(index, id);
        }
        for (id, document) in self.results.drain(..) {
            batch.index(index, id, Source::from_value(document)?);
        }
        for (id, document) in
            interim.iter().flat_map(|bucket| documents::of_bucket(&self.job, bucket, Finality::Interim))
        {
            batch.index(index, &id, Source::from_value(document)?);
            self.progress.interim.push(id);
        }
        if self.learned || self.progress.model_size.is_empty() {
            self.measure();
            let id = format!("{}_model_size_stats", self.job.id);
            batch.index(index, id, Source::from_value(Value::Object(self.progress.model_size.clone()))?);
        }
        let counts = self.progress.counts.shown(&self.job.id);
        batch.index(index, format!("{}_data_counts", self.job.id), Source::from_value(Value::Object(counts))?);
        let timing = self.progress.timing.document(&self.job.id);
        batch.index(index, format!("{}_timing_stats", self.job.id), Source::from_value(timing)?);
        batch.put_state(state_key::progress(&self.job.id), bytes(&self.progress)?);
        Ok(())
    }

    fn measure(&mut self) {
        let size = self.engine.size();
        self.progress.peak_model_bytes = self.progress.peak_model_bytes.max(size.bytes);
        let (peak, now_ms) = (self.progress.peak_model_bytes, self.task.parts.cluster.core().clock.now_ms());
        self.progress.model_size = documents::model_size(&self.job.id, &size, peak, now_ms, self.engine.latest_ms());
    }
}

fn json_bytes<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    bytes(value).map_err(|problem| unwritable(&problem))
}

pub(super) fn unwritable(problem: &ApiError) -> StoreError {
    StoreError::Unavailable { problem: problem.reason().to_owned() }
}
