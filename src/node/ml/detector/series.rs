//! The models of all series of a job, within its memory limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::running::Running;

/// What is modelled apart: a detector, and the values of its partition and by fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SeriesKey {
    pub(crate) detector: usize,
    pub(crate) partition: Option<String>,
    pub(crate) by: Option<String>,
}

impl SeriesKey {
    pub(crate) fn bytes(&self) -> u64 {
        (self.partition.as_ref().map_or(0, String::len) + self.by.as_ref().map_or(0, String::len)) as u64
    }
}

/// Memory that a series takes beside its names: the model, tree nodes, allocator overhead.
const SERIES_BYTES: u64 = 320;

/// Whether the job kept within `model_memory_limit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemoryStatus {
    #[default]
    Ok,
    /// New series are no longer modelled.
    HardLimit,
}

/// Figures for `model_size_stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModelSize {
    pub(crate) bytes: u64,
    pub(crate) memory_limit_bytes: u64,
    pub(crate) by_values: u64,
    pub(crate) over_values: u64,
    pub(crate) partition_values: u64,
    pub(crate) allocation_failures: u64,
    pub(crate) status: MemoryStatus,
}

/// What has been learned of every series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Models {
    #[serde(with = "super::pairs")]
    models: BTreeMap<SeriesKey, Running>,
    bytes: u64,
}

impl Models {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn knows(&self, key: &SeriesKey) -> bool {
        self.models.contains_key(key)
    }

    pub(crate) fn model(&self, key: &SeriesKey) -> Option<&Running> {
        self.models.get(key)
    }

    /// The model to learn into. The window has checked the memory limit when it took the record.
    pub(crate) fn model_mut(&mut self, key: &SeriesKey) -> &mut Running {
        if !self.models.contains_key(key) {
            self.bytes += Self::cost(key);
        }
        self.models.entry(key.clone()).or_default()
    }

    pub(crate) fn cost(key: &SeriesKey) -> u64 {
        SERIES_BYTES + key.bytes()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &SeriesKey> {
        self.models.keys()
    }
}
