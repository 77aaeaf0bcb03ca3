//! The live upgrade-mode state of a cluster: the fence, who may raise and lower it, and what the cluster says.
//!
//! One [`Gate`] a cluster, shared; one [`WorkerGate`] a worker. A request reads an immutable view and counts itself in
//! a cell of its own worker; what waits, polls and writes files runs on the control plane.
//!
//! **Invariant**: a request that is counted before the fence goes up is waited for; one that comes after sees the fence.

use std::path::PathBuf;
use std::time::Duration;

use crate::policy::upgrade_mode::WhenUnknown;

mod driving;
mod fence;
mod journal;
mod query;
mod standing;
mod switch;
mod verify;
mod view;
mod waiting;
mod watch;

pub use fence::{Admission, Gate, Held, WorkerGate};
pub use journal::{JournalProblem, Remembered, recall};
pub use query::{QueryProblem, SwitchQuery};
pub use standing::Report;
pub use switch::{Control, SwitchRefusal, SwitchReply, SwitchRequest};
pub use verify::Unverified;
pub use view::{FenceFacts, View};
pub use watch::watch;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Between two looks at the cluster's `_ml/info`.
    pub poll_interval: Duration,
    /// An `off` older than this counts as unknown.
    pub max_staleness: Duration,
    pub when_unknown: WhenUnknown,
    /// Whether an acknowledgement of the cluster is believed only after `_ml/info` and `_tasks` agree.
    pub verify_acknowledgement: bool,
    /// What a cluster's answer to a switch may take beyond the time that the switch was given.
    pub answer_grace: Duration,
    /// A mode that is on for longer is warned of.
    pub alert_after: Duration,
    /// Folder for the journals, one file a cluster.
    pub journal: PathBuf,
}
