//! The detector's state as it is stored, and the version that says whether it can be read.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

use super::score::Scale;
use super::series::{MemoryStatus, Models};
use super::window::Window;

/// Raised whenever what is stored changes its meaning. Version 1 had no number.
const VERSION: u64 = 2;

/// What has been learned: written when a bucket was finished, and kept in model snapshots.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Versioned<Value>")]
pub(crate) struct Learned(pub(super) Body);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) models: Models,
    pub(super) scale: Scale,
    /// Buckets that have been learned.
    pub(super) finished: u64,
}

/// What is not finished: written with every batch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Versioned<Value>")]
pub(crate) struct Unfinished(pub(super) OpenBody);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct OpenBody {
    pub(super) window: Window,
    pub(super) standing: Standing,
}

/// What is counted for `model_size_stats`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) status: MemoryStatus,
    pub(super) allocation_failures: u64,
    pub(super) failed_in_bucket: bool,
    pub(super) over_values_max: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Versioned<T> {
    #[serde(default = "first")]
    version: u64,
    #[serde(default)]
    state: T,
}

fn first() -> u64 {
    1
}

/// Why stored state is not read.
#[derive(Debug, Error)]
enum Unreadable {
    #[error("it has version [{0}] and this node reads version [{VERSION}]; reset the job to learn anew")]
    Version(u64),
    #[error("{0}")]
    Content(#[from] serde_json::Error),
}

impl Serialize for Learned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Versioned { version: VERSION, state: &self.0 }.serialize(serializer)
    }
}

impl TryFrom<Versioned<Value>> for Learned {
    type Error = Unreadable;

    fn try_from(stored: Versioned<Value>) -> Result<Self, Unreadable> {
        stored.current().map(Self)
    }
}

impl Serialize for Unfinished {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Versioned { version: VERSION, state: &self.0 }.serialize(serializer)
    }
}

impl TryFrom<Versioned<Value>> for Unfinished {
    type Error = Unreadable;

    fn try_from(stored: Versioned<Value>) -> Result<Self, Unreadable> {
        stored.current().map(Self)
    }
}

impl Versioned<Value> {
    fn current<T: serde::de::DeserializeOwned>(self) -> Result<T, Unreadable> {
        if self.version == VERSION {
            Ok(serde_json::from_value(self.state)?)
        } else {
            Err(Unreadable::Version(self.version))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Learned, Unfinished};

    #[test]
    fn state_of_another_version_is_refused_with_the_way_out() {
        for text in ["{\"models\":{}}", "{\"version\":3,\"state\":{}}"] {
            let problem = serde_json::from_str::<Learned>(text).unwrap_err().to_string();
            assert!(problem.contains("this node reads version [2]; reset the job"), "{problem}");
            assert!(serde_json::from_str::<Unfinished>(text).is_err());
        }
    }
}
