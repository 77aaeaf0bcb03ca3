//! The writer thread: takes all batches that wait, writes them in one synced transaction, then answers each.

use std::sync::Arc;

use redb::Durability;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::apply::Application;
use super::engine::{Engine, failed};
use super::{Batch, Committed, StoreError};
use crate::node::clock::Clock;
use crate::node::indices::Catalogue;

/// Batches in one transaction at most.
const GROUP_MAX: usize = 512;

/// A batch that waits, and whom to answer.
pub(super) struct Pending {
    pub(super) batch: Batch,
    pub(super) answer: oneshot::Sender<Result<Committed, StoreError>>,
    /// Its part of the bytes that may wait.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// Runs until all handles are gone.
pub(super) fn run(engine: &Engine, mut queue: mpsc::Receiver<Pending>, clock: &Clock) {
    let mut group = Vec::new();
    while queue.blocking_recv().map(|first| group.push(first)).is_some() {
        while group.len() < GROUP_MAX
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        let outcome = write(engine, &group, clock.now_ms());
        answer(group.drain(..), outcome);
    }
}

type Outcomes = Vec<Result<Committed, StoreError>>;

fn write(engine: &Engine, group: &[Pending], now_ms: i64) -> Result<Outcomes, StoreError> {
    let first = transaction(engine, group, now_ms);
    if !matches!(first, Err(StoreError::Full | StoreError::Unavailable { .. })) {
        return first;
    }
    // After an error redb takes no more writes until it is opened again. Nothing of this group is on disk, unless the very
    // last step failed; the callers are told that it was not acknowledged.
    engine.reopen()?;
    first
}

fn transaction(engine: &Engine, group: &[Pending], now_ms: i64) -> Result<Outcomes, StoreError> {
    let (catalogue, outcomes) = engine.with(|database| {
        let mut transaction = database.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        // Two-phase, and start-up after a crash need not walk the whole file.
        transaction.set_quick_repair(true);
        let (catalogue, outcomes) = apply(&transaction, group, engine.catalogue(), now_ms)?;
        transaction.commit().map_err(failed)?;
        Ok((catalogue, outcomes))
    })?;
    engine.publish(catalogue);
    Ok(outcomes)
}

fn apply(
    transaction: &redb::WriteTransaction,
    group: &[Pending],
    catalogue: Arc<Catalogue>,
    now_ms: i64,
) -> Result<(Arc<Catalogue>, Outcomes), StoreError> {
    let mut application = Application::new(transaction, catalogue, now_ms)?;
    let mut outcomes = Vec::with_capacity(group.len());
    for pending in group {
        outcomes.push(application.batch(&pending.batch)?);
    }
    Ok((application.finish()?, outcomes))
}

fn answer(group: impl Iterator<Item = Pending>, outcome: Result<Outcomes, StoreError>) {
    match outcome {
        // A caller that went away does not take its batch back.
        Ok(outcomes) => group.zip(outcomes).for_each(|(pending, outcome)| drop(pending.answer.send(outcome))),
        Err(error) => group.for_each(|pending| drop(pending.answer.send(Err(error.clone())))),
    }
}
