//! The last known state of the gate on disk: a fence outlives a restart of the gateway.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::fence::Gate;
use super::view::{FenceFacts, View};
use crate::policy::upgrade_mode::GateState;

/// One small JSON file a cluster, replaced whole and synced.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    /// Whether the fence is up.
    fenced: bool,
    /// Milliseconds since 1970.
    since: Option<u64>,
    by: Option<String>,
    reason: Option<String>,
}

const VERSION: u32 = 1;
const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// A journal that cannot be read: the gate would not know whether the fence was up.
#[derive(Debug, thiserror::Error)]
pub enum JournalProblem {
    #[error("cannot read the journal [{}]", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the journal [{}] is not one of this version; remove it if the cluster's upgrade mode is off", .path.display())]
    Foreign { path: PathBuf, source: serde_json::Error },
}

/// What the journal of `cluster` in `folder` remembers: a fence, or nothing (the cluster must be heard first).
///
/// # Errors
/// A file that is there but cannot be understood.
pub fn recall(folder: &Path, cluster: &str) -> Result<Option<View>, JournalProblem> {
    let path = path(folder, cluster);
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(JournalProblem::Unreadable { path, source }),
    };
    let record: Record = serde_json::from_slice(&bytes).map_err(|source| JournalProblem::Foreign { path, source })?;
    Ok(record.fenced.then(|| {
        let since = UNIX_EPOCH + Duration::from_millis(record.since.unwrap_or_default());
        let fence = FenceFacts { since, by: record.by, reason: record.reason };
        View { state: GateState::On, confirmed: Instant::now(), fence: Some(fence) }
    }))
}

impl Gate {
    /// Writes the present view. A disk that fails is told of and does not stop the switch: the cluster's own flag remains.
    pub(super) async fn remember(&self) {
        let view = self.view();
        let (folder, cluster) = (self.settings().journal.clone(), self.cluster.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &cluster, &view)).await;
        if let Ok(Err(error)) = written {
            tracing::error!(cluster = self.cluster, %error, "the journal of the gate cannot be written");
        }
    }
}

fn write(folder: &Path, cluster: &str, view: &View) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = path(folder, cluster);
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(&serde_json::to_vec(&record(view))?)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    File::open(folder)?.sync_all()
}

fn record(view: &View) -> Record {
    let fence = view.fence.as_ref();
    Record {
        version: VERSION,
        fenced: fence.is_some(),
        since: fence.map(|fence| milliseconds(fence.since)),
        by: fence.and_then(|fence| fence.by.clone()),
        reason: fence.and_then(|fence| fence.reason.clone()),
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    File::open(path)?.take(RECORD_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A cluster's name is free text; its file name is not.
fn path(folder: &Path, cluster: &str) -> PathBuf {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let name: String = cluster
        .bytes()
        .map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    folder.join(format!("gate-{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on() -> View {
        let since = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let fence = FenceFacts { since, by: Some("ml_admin".to_owned()), reason: Some("8.19 to 9.2".to_owned()) };
        View { state: GateState::On, confirmed: Instant::now(), fence: Some(fence) }
    }

    #[test]
    fn a_fence_is_remembered_with_its_facts() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "main", &on()).unwrap();
        let recalled = recall(folder.path(), "main").unwrap().unwrap();
        assert_eq!(recalled.state, GateState::On);
        assert_eq!(recalled.fence, on().fence);
        assert!(recall(folder.path(), "other").unwrap().is_none());
    }

    #[test]
    fn an_open_gate_must_hear_the_cluster_first() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "main", &on()).unwrap();
        write(folder.path(), "main", &View::unknown(Instant::now())).unwrap();
        assert!(recall(folder.path(), "main").unwrap().is_none());
    }

    #[test]
    fn a_journal_that_cannot_be_understood_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for content in ["", "{}", r#"{"version":1,"fenced":"no"}"#] {
            fs::write(path(folder.path(), "main"), content).unwrap();
            assert!(matches!(recall(folder.path(), "main"), Err(JournalProblem::Foreign { .. })), "{content}");
        }
    }

    #[test]
    fn a_cluster_name_stays_within_the_folder() {
        assert_eq!(path(Path::new("/s"), "../a b"), Path::new("/s/gate-%2E%2E%2Fa%20b.json"));
    }
}
