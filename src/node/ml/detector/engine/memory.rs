//! How much memory the models take, and what becomes of them when it gets short.

use std::collections::BTreeSet;

use super::super::series::{MemoryStatus, ModelSize};
use super::{Engine, floor};

/// How often idle series are looked for, milliseconds.
const PRUNE_EVERY_MS: i64 = 86_400_000;
/// More than the seasons of one series take.
const SEASONS_BYTES: u64 = 2048;

impl Engine {
    pub(crate) fn size(&self) -> ModelSize {
        let series = || self.models.keys().filter(|key| !key.is_member());
        let by_values = series().filter_map(|key| Some((key.detector, key.partition.as_ref(), key.by.as_ref()?)));
        let partition_values = series().filter_map(|key| Some((key.detector, key.partition.as_ref()?)));
        ModelSize {
            bytes: self.used(),
            memory_limit_bytes: self.plan.memory_limit_bytes,
            // Elasticsearch has a model of its own for each partition, and adds up what each has.
            by_values: by_values.collect::<BTreeSet<_>>().len() as u64,
            over_values: self.standing.over_values_max,
            partition_values: partition_values.collect::<BTreeSet<_>>().len() as u64,
            allocation_failures: self.standing.allocation_failures,
            status: self.standing.status,
        }
    }

    /// Forgets series that have had no record for the plan's time before the newest bucket; gives whether there were any.
    pub(crate) fn prune(&mut self) -> bool {
        let until_ms = self.finished_until_ms();
        until_ms.is_some_and(|until_ms| self.models.prune(until_ms.saturating_sub(self.plan.prune_after_ms)))
    }

    pub(super) fn used(&self) -> u64 {
        self.models.bytes() + self.window.bytes()
    }

    /// Above this memory is short: new series do without a season.
    pub(super) fn soft_limit(&self) -> u64 {
        self.plan.memory_limit_bytes / 5 * 4
    }

    /// After a bucket: idle series go once a day, and the memory status is that of what is left.
    pub(super) fn stand(&mut self, start_ms: i64) {
        let span_ms = self.plan.bucket_span_ms;
        if floor(start_ms, PRUNE_EVERY_MS) != floor(start_ms.saturating_add(span_ms), PRUNE_EVERY_MS) {
            self.prune();
        }
        if !self.standing.failed_in_bucket {
            let soft = self.used() + SEASONS_BYTES > self.soft_limit();
            self.standing.status = match self.standing.status {
                status if soft => status.max(MemoryStatus::SoftLimit),
                _ => MemoryStatus::Ok,
            };
        }
        self.standing.failed_in_bucket = false;
    }
}
