//! Log, metrics and the wall clock.

pub mod clock;
pub mod log;
pub mod metrics;
