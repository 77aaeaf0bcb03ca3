//! The last known state of the gate on disk: a fence outlives a restart of the gateway.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::fence::Gate;
use super::standing::Standing;
use super::view::{FenceFacts, View};
use crate::elasticsearch::work::Work;
use crate::policy::upgrade_mode::{GateState, Machine};

/// One small JSON file a cluster, replaced whole and synced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    version: u32,
    state: State,
    /// Since when the fence is up, in milliseconds since 1970.
    since: Option<u64>,
    by: Option<String>,
    reason: Option<String>,
    /// What ran when the mode went on; there until it is known what is back.
    ran: Option<Vec<Work>>,
}

/// [`GateState`] on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Unknown,
    Off,
    Enabling,
    On,
    Disabling,
}

const VERSION: u32 = 2;
/// Some hundred thousand jobs.
const RECORD_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a gate goes on with after a restart; the default knows nothing.
#[derive(Debug)]
pub struct Remembered {
    pub view: View,
    pub(super) standing: Standing,
}

impl Default for Remembered {
    fn default() -> Self {
        Self::of(View::unknown())
    }
}

impl Remembered {
    /// A view, and nothing known of what ran.
    pub fn of(view: View) -> Self {
        Self { view, standing: Standing::default() }
    }
}

/// A journal that cannot be read: the gate would not know whether the fence was up.
#[derive(Debug, thiserror::Error)]
pub enum JournalProblem {
    #[error("cannot read the journal [{}]", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the journal [{}] is not one of this version; remove it if the cluster's upgrade mode is off", .path.display())]
    Foreign { path: PathBuf, source: serde_json::Error },
}

/// What the journal of `cluster` in `folder` remembers. Only a fence counts for a state; without one the cluster must be
/// heard first.
///
/// # Errors
/// A file that is there but cannot be understood.
pub fn recall(folder: &Path, cluster: &str) -> Result<Option<Remembered>, JournalProblem> {
    let path = path(folder, cluster);
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(JournalProblem::Unreadable { path, source }),
    };
    let foreign = |source| JournalProblem::Foreign { path: path.clone(), source };
    let record: Record = serde_json::from_slice(&bytes).map_err(foreign)?;
    if record.version != VERSION {
        return Err(foreign(serde::de::Error::custom(format_args!("version [{}]", record.version))));
    }
    let machine = Machine::restored(record.state.into());
    let since = UNIX_EPOCH + Duration::from_millis(record.since.unwrap_or_default());
    let facts = FenceFacts { since, by: record.by, reason: record.reason };
    let view = View::unknown().moved(machine, facts);
    Ok(Some(Remembered { view, standing: Standing { ran: record.ran, report: None } }))
}

impl Gate {
    /// Writes the present view where it differs from what is written. A disk that fails is told of and does not stop the
    /// switch: the cluster's own flag remains.
    pub(super) async fn remember(&self) {
        let mut written = self.written.lock().await;
        let record = Record::of(&self.view(), &self.standing());
        if written.as_ref() == Some(&record) {
            return;
        }
        let (folder, cluster, kept) = (self.settings().journal.clone(), self.cluster.clone(), record.clone());
        *written = match tokio::task::spawn_blocking(move || write(&folder, &cluster, &kept)).await {
            Ok(Ok(())) => Some(record),
            Ok(Err(error)) => {
                tracing::error!(cluster = self.cluster, %error, "the journal of the gate cannot be written");
                None
            }
            Err(_) => None,
        };
    }
}

fn write(folder: &Path, cluster: &str, record: &Record) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = path(folder, cluster);
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(&serde_json::to_vec(record)?)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    File::open(folder)?.sync_all()
}

impl Record {
    fn of(view: &View, standing: &Standing) -> Self {
        let fence = view.fence.as_ref();
        Self {
            version: VERSION,
            state: view.state().into(),
            since: fence.map(|fence| milliseconds(fence.since)),
            by: fence.and_then(|fence| fence.by.clone()),
            reason: fence.and_then(|fence| fence.reason.clone()),
            ran: standing.ran.clone(),
        }
    }
}

impl From<GateState> for State {
    fn from(state: GateState) -> Self {
        match state {
            GateState::Unknown => Self::Unknown,
            GateState::Off => Self::Off,
            GateState::Enabling => Self::Enabling,
            GateState::On => Self::On,
            GateState::Disabling => Self::Disabling,
        }
    }
}

impl From<State> for GateState {
    fn from(state: State) -> Self {
        match state {
            State::Unknown => Self::Unknown,
            State::Off => Self::Off,
            State::Enabling => Self::Enabling,
            State::On => Self::On,
            State::Disabling => Self::Disabling,
        }
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

    fn record(state: State) -> Record {
        let text = |text: &str| Some(text.to_owned());
        let (by, reason, since) = (text("ml_admin"), text("8.19 to 9.2"), Some(1_700_000_000_123));
        Record { version: VERSION, state, since, by, reason, ran: Some(Vec::new()) }
    }

    #[test]
    fn a_fence_is_remembered_with_its_facts() {
        let folder = tempfile::tempdir().unwrap();
        for state in [State::Enabling, State::On, State::Disabling] {
            write(folder.path(), "main", &record(state)).unwrap();
            let recalled = recall(folder.path(), "main").unwrap().unwrap();
            assert_eq!(recalled.view.state(), state.into());
            assert_eq!(Record::of(&recalled.view, &recalled.standing), record(state));
        }
        assert!(recall(folder.path(), "other").unwrap().is_none());
    }

    #[test]
    fn an_open_gate_must_hear_the_cluster_first() {
        let folder = tempfile::tempdir().unwrap();
        for state in [State::Unknown, State::Off] {
            write(folder.path(), "main", &record(state)).unwrap();
            let view = recall(folder.path(), "main").unwrap().unwrap().view;
            assert_eq!((view.state(), view.fence), (GateState::Unknown, None));
        }
    }

    #[test]
    fn a_journal_that_cannot_be_understood_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let newer = serde_json::to_string(&Record { version: VERSION + 1, ..record(State::On) }).unwrap();
        for content in ["", "{}", r#"{"version":2,"state":"no"}"#, &newer] {
            fs::write(path(folder.path(), "main"), content).unwrap();
            assert!(matches!(recall(folder.path(), "main"), Err(JournalProblem::Foreign { .. })), "{content}");
        }
    }

    #[test]
    fn a_cluster_name_stays_within_the_folder() {
        assert_eq!(path(Path::new("/s"), "../a b"), Path::new("/s/gate-%2E%2E%2Fa%20b.json"));
    }
}
