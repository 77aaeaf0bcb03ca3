//! What operators do, through a gateway or straight at a cluster: upgrade mode, and the orderly stop of ML work.
//!
//! **Invariant**: nothing is reported as done that the cluster does not show to be done.

pub mod plan;
pub mod progress;
mod ranges;
pub mod resume;
pub mod status;
pub mod stop;
pub mod upgrade_mode;
mod wave;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

pub use plan::{Plan, PlanFile, PlanProblem};
pub use progress::{Event, Progress};
pub use status::Status;

/// How long things may take, and how often the cluster is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For everything together.
    pub timeout: Duration,
    /// Between two looks at what still runs.
    pub poll_interval: Duration,
    /// Jobs or datafeeds that are opened, closed, started or stopped at the same time.
    pub at_once: usize,
}

/// How long a look may take when the time for everything is over.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// For a look that begins now.
fn look_deadline() -> Instant {
    Instant::now() + LOOK_MAX
}

/// Waits for the next look; false when that would be after `deadline`.
async fn paused(pace: &Pace, deadline: Instant) -> bool {
    let next = Instant::now() + pace.poll_interval;
    if next >= deadline {
        return false;
    }
    sleep_until(next).await;
    true
}

/// As Elasticsearch reads it.
fn milliseconds_until(deadline: Instant) -> String {
    format!("{}ms", deadline.saturating_duration_since(Instant::now()).as_millis())
}
