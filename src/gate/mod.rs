//! The live upgrade-mode state of a cluster.

use std::path::PathBuf;
use std::time::Duration;

use crate::policy::upgrade_mode::WhenUnknown;

#[derive(Clone, Debug)]
pub struct Settings {
    pub poll_interval: Duration,
    pub max_staleness: Duration,
    pub when_unknown: WhenUnknown,
    pub verify_acknowledgement: bool,
    pub alert_after: Duration,
    /// Folder for the journals, one file a cluster.
    pub journal: PathBuf,
}
